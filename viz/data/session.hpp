// SPDX-License-Identifier: Apache-2.0
// The one shared selection: which data, which part of it, which point. Every page reads it, changes it and follows it,
// so that a click in one page is seen in all.
#pragma once

#include <QObject>
#include <QUndoStack>
#include <cstdint>
#include <optional>

#include "viz/data/filter.hpp"
#include "viz/data/library.hpp"

namespace attnscope::viz {

class Session : public QObject {
  Q_OBJECT

 public:
  explicit Session(Library& library, QObject* parent = nullptr);

  Library& library() { return m_library; }

  /// What is shown; null before anything was loaded. Until somebody chooses, it is the first that arrives, and then
  /// what the library lists first.
  const DatasetPtr& dataset() const { return m_dataset; }
  void setDataset(const DatasetPtr& dataset);
  /// Shows the record in that file as soon as it is loaded.
  void showWhenLoaded(const QString& path) { m_wantedPath = path; }

  /// What the dataset is compared with; null when nothing was chosen.
  const DatasetPtr& baseline() const { return m_baseline; }
  void setBaseline(const DatasetPtr& baseline);
  /// A file to become the baseline as soon as it is loaded.
  void setBaselinePath(const QString& path);

  const Filter& filter() const { return m_filter; }
  /// Undoable. Successive edits of the text are one step.
  void setFilter(const Filter& filter);
  QUndoStack& undoStack() { return m_undo; }
  bool accepts(std::size_t point) const { return m_accepted[point]; }

  /// The families of the dataset with the points that the filter lets through, empty ones left out.
  const std::vector<reports::Facet>& families() const { return m_families; }
  /// The chosen one; null when nothing is shown.
  const reports::Facet* family() const;
  void setFamily(std::size_t index);
  std::size_t familyIndex() const { return m_family; }

  /// Context lengths of the chosen family, ascending, and the chosen one.
  const std::vector<std::int64_t>& contexts() const { return m_contexts; }
  std::optional<std::int64_t> context() const;
  void setContext(std::int64_t kvLen);

  /// The points of the chosen family at the chosen context length; empty when nothing is shown.
  reports::Facet facet() const;

  /// The chosen point, an index into the dataset's record.
  std::optional<std::size_t> point() const { return m_point; }
  /// Chooses the point, and the family and context that it belongs to.
  void setPoint(std::optional<std::size_t> point);

 signals:
  void datasetChanged();
  void filterChanged();
  void facetChanged();
  /// After any of the three above: what the pages show has to be drawn again.
  void viewChanged();
  void pointChanged();
  void baselineChanged();

 private:
  friend class FilterStep;
  void show(const DatasetPtr& dataset);
  void apply(const Filter& filter);
  void adoptSettled();
  void updateView();
  void updateContexts(std::optional<std::int64_t> wanted);

  Library& m_library;
  DatasetPtr m_dataset;
  bool m_datasetChosen = false;  // by a person
  QString m_wantedPath;
  DatasetPtr m_baseline;
  QString m_baselinePath;
  Filter m_filter;
  QUndoStack m_undo;
  std::vector<bool> m_accepted;
  std::vector<reports::Facet> m_families;
  std::size_t m_family = 0;
  std::vector<std::int64_t> m_contexts;
  std::size_t m_context = 0;
  std::optional<std::size_t> m_point;
};

}  // namespace attnscope::viz
