// SPDX-License-Identifier: Apache-2.0
#include "viz/data/session.hpp"

#include <QUndoCommand>
#include <algorithm>
#include <set>

namespace attnscope::viz {

class FilterStep : public QUndoCommand {
 public:
  FilterStep(Session& session, Filter after)
      : QUndoCommand(QObject::tr("filter")),
        m_session(session),
        m_before(session.filter()),
        m_after(std::move(after)) {}

  void undo() override { m_session.apply(m_before); }
  void redo() override { m_session.apply(m_after); }
  int id() const override { return typing() ? 1 : -1; }
  bool mergeWith(const QUndoCommand* other) override {
    const auto& next = static_cast<const FilterStep&>(*other);
    if (!next.typing()) return false;
    m_after = next.m_after;
    return true;
  }

 private:
  bool typing() const {
    return m_before.hiddenMethods == m_after.hiddenMethods && m_before.hiddenBackends == m_after.hiddenBackends;
  }

  Session& m_session;
  Filter m_before;
  Filter m_after;
};

namespace {

std::optional<std::size_t> indexOfKey(const Dataset& dataset, const std::string& key) {
  for (std::size_t i = 0; i < dataset.record->points.size(); ++i)
    if (record::key(dataset.point(i)) == key) return i;
  return std::nullopt;
}

}  // namespace

Session::Session(Library& library, QObject* parent) : QObject(parent), m_library(library) {
  connect(&library, &Library::filesChanged, this, [this] {
    if (m_dataset) return;
    for (const Loaded& file : m_library.files())  // the first that arrives is shown at once
      if (file.dataset && file.path != m_baselinePath) return show(file.dataset);
  });
  connect(&library, &Library::settled, this, &Session::adoptSettled);
}

void Session::setDataset(const DatasetPtr& dataset) {
  m_datasetChosen = true;
  show(dataset);
}

void Session::show(const DatasetPtr& dataset) {
  if (dataset == m_dataset) return;
  const auto pointKey = m_point ? record::key(m_dataset->point(*m_point)) : std::string();
  m_dataset = dataset;
  m_point.reset();
  updateView();
  emit datasetChanged();
  emit viewChanged();
  if (!pointKey.empty() && dataset) setPoint(indexOfKey(*dataset, pointKey));
}

void Session::setBaseline(const DatasetPtr& baseline) {
  if (baseline == m_baseline) return;
  m_baseline = baseline;
  m_baselinePath = baseline ? baseline->paths.value(0) : QString();
  emit baselineChanged();
}

void Session::setBaselinePath(const QString& path) {
  m_baselinePath = path;
  m_library.keepApart(path);
}

void Session::setFilter(const Filter& filter) {
  if (filter != m_filter) m_undo.push(new FilterStep(*this, filter));
}

const reports::Facet* Session::family() const { return m_family < m_families.size() ? &m_families[m_family] : nullptr; }

void Session::setFamily(std::size_t index) {
  if (index >= m_families.size() || index == m_family) return;
  const auto before = context();
  m_family = index;
  updateContexts(before);
  emit facetChanged();
  emit viewChanged();
}

std::optional<std::int64_t> Session::context() const {
  if (m_context >= m_contexts.size()) return std::nullopt;
  return m_contexts[m_context];
}

void Session::setContext(std::int64_t kvLen) {
  const auto found = std::ranges::find(m_contexts, kvLen);
  if (found == m_contexts.end() || context() == kvLen) return;
  m_context = static_cast<std::size_t>(found - m_contexts.begin());
  emit facetChanged();
  emit viewChanged();
}

reports::Facet Session::facet() const {
  reports::Facet out;
  const auto* chosen = family();
  if (!chosen || !context()) return out;
  for (const std::size_t i : chosen->points)
    if (m_dataset->point(i).shape.kv_len == *context()) out.points.push_back(i);
  if (!out.points.empty())
    out.title = m_dataset->wording.facet(m_dataset->point(out.points.front()), reports::Across::nothing);
  return out;
}

void Session::setPoint(std::optional<std::size_t> point) {
  if (point == m_point) return;
  m_point = point;
  if (point)
    for (std::size_t i = 0; i < m_families.size(); ++i)
      if (std::ranges::find(m_families[i].points, *point) != m_families[i].points.end()) {
        setFamily(i);
        setContext(m_dataset->point(*point).shape.kv_len);
        break;
      }
  emit pointChanged();
}

void Session::apply(const Filter& filter) {
  m_filter = filter;
  updateView();
  emit filterChanged();
  emit viewChanged();
}

// The files are complete. A dataset that was read again, or that has been joined with others, replaces the one shown.
void Session::adoptSettled() {
  const std::vector<DatasetPtr> all = m_library.datasets();
  for (const DatasetPtr& one : all)
    if (!m_baselinePath.isEmpty() && one->paths == QStringList{m_baselinePath}) setBaseline(one);
  for (const DatasetPtr& one : all)
    if (!m_wantedPath.isEmpty() && one->paths == QStringList{m_wantedPath}) {
      m_wantedPath.clear();
      return setDataset(one);
    }
  const auto sameFiles = std::ranges::find_if(
      all, [&](const DatasetPtr& one) { return m_datasetChosen && m_dataset && one->paths == m_dataset->paths; });
  const auto first = std::ranges::find_if(all, [&](const DatasetPtr& one) { return one != m_baseline; });
  if (sameFiles != all.end())
    show(*sameFiles);
  else
    show(first != all.end() ? *first : m_baseline);
}

// What the filter leaves of the dataset. The family and the context that were chosen stay so where they still exist.
void Session::updateView() {
  const auto* chosen = family();
  const std::string title = chosen ? chosen->title : "";
  const auto length = context();

  m_families.clear();
  m_family = 0;
  m_accepted = m_dataset ? accepted(*m_dataset, m_filter) : std::vector<bool>();
  if (m_dataset)
    for (const reports::Facet& family : m_dataset->families) {
      reports::Facet kept{family.title, {}};
      for (const std::size_t i : family.points)
        if (m_accepted[i]) kept.points.push_back(i);
      if (kept.points.empty()) continue;
      if (kept.title == title) m_family = m_families.size();
      m_families.push_back(std::move(kept));
    }
  updateContexts(length);
}

// `wanted`, or else the longest: there the methods differ most.
void Session::updateContexts(std::optional<std::int64_t> wanted) {
  std::set<std::int64_t> lengths;
  if (const auto* chosen = family())
    for (const std::size_t i : chosen->points) lengths.insert(m_dataset->point(i).shape.kv_len);
  m_contexts.assign(lengths.begin(), lengths.end());
  const auto found = wanted ? std::ranges::find(m_contexts, *wanted) : m_contexts.end();
  m_context = static_cast<std::size_t>(found - m_contexts.begin());
  if (found == m_contexts.end() && !m_contexts.empty()) m_context = m_contexts.size() - 1;
}

}  // namespace attnscope::viz
