// SPDX-License-Identifier: Apache-2.0
#include "viz/data/dataset.hpp"

#include <algorithm>
#include <unordered_map>

#include "viz/data/words.hpp"

namespace attnscope::viz {
namespace {

using nlohmann::json;
using record::Record;

QString text(const json& context, const char* pointer) {
  const json::json_pointer where(pointer);
  if (!context.contains(where)) return {};
  const json& value = context[where];
  return words(value.is_string() ? value.get<std::string>() : value.dump());
}

}  // namespace

DatasetPtr makeDataset(const QString& name, const QStringList& paths, std::shared_ptr<const Record> record) {
  reports::Wording wording(*record);
  std::vector<QString> labels;
  labels.reserve(record->points.size());
  for (const record::Point& point : record->points) labels.push_back(words(wording.label(point)));
  auto derived = record::derive_all(*record);
  auto families = reports::facets(wording, reports::Across::kv_len);
  return std::make_shared<const Dataset>(Dataset{.name = name,
                                                 .paths = paths,
                                                 .record = std::move(record),
                                                 .wording = std::move(wording),
                                                 .derived = std::move(derived),
                                                 .labels = std::move(labels),
                                                 .families = std::move(families)});
}

DatasetPtr join(std::span<const DatasetPtr> datasets) {
  std::vector<DatasetPtr> byDate(datasets.begin(), datasets.end());
  std::ranges::stable_sort(byDate, {}, [](const DatasetPtr& one) { return text(one->record->context, "/date"); });

  auto joined = std::make_shared<Record>();
  std::unordered_map<std::string, std::size_t> places;
  QStringList paths;
  for (const DatasetPtr& one : byDate) {
    paths += one->paths;
    if (joined->context.empty() || one->record->context.contains("ceilings")) joined->context = one->record->context;
    for (const record::Point& point : one->record->points) {
      const auto [place, added] = places.try_emplace(record::key(point), joined->points.size());
      if (added)
        joined->points.push_back(point);
      else
        joined->points[place->second] = point;
    }
  }
  const QString name = QStringLiteral("%1 · %2 records").arg(machineName(*joined)).arg(datasets.size());
  return makeDataset(name, paths, joined);
}

QString machineOf(const Record& record) {
  return text(record.context, "/machine/cpu_model") + text(record.context, "/num_cpus") +
         text(record.context, "/gpus/0/name");
}

QString machineName(const Record& record) {
  const QString gpu = text(record.context, "/gpus/0/name");
  return gpu.isEmpty() ? text(record.context, "/machine/cpu_model") : gpu;
}

}  // namespace attnscope::viz
