// SPDX-License-Identifier: Apache-2.0
#include "viz/data/filter.hpp"

#include <algorithm>

namespace attnscope::viz {
namespace {

bool matches(const QString& label, const QStringList& words) {
  return std::ranges::all_of(words, [&](const QString& word) {
    const bool excluded = word.size() > 1 && word.startsWith('-');
    return label.contains(excluded ? word.mid(1) : word, Qt::CaseInsensitive) != excluded;
  });
}

}  // namespace

std::vector<bool> accepted(const Dataset& dataset, const Filter& filter) {
  const QStringList words = filter.text.split(' ', Qt::SkipEmptyParts);
  std::vector<bool> out(dataset.record->points.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const record::Point& point = dataset.point(i);
    out[i] = !filter.hiddenMethods.contains(point.method) && !filter.hiddenBackends.contains(point.backend) &&
             matches(dataset.labels[i], words);
  }
  return out;
}

}  // namespace attnscope::viz
