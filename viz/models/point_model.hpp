// SPDX-License-Identifier: Apache-2.0
// The points of a dataset as the rows of a table, and the rows that the session's filter lets through.
#pragma once

#include <QAbstractTableModel>
#include <QSortFilterProxyModel>

#include "viz/data/session.hpp"

namespace attnscope::viz {

/// Row = index of the point in the record, column = index into pointColumns().
class PointModel : public QAbstractTableModel {
 public:
  /// The number behind a cell, or its text; invalid where there is no value.
  static constexpr int kSortRole = Qt::UserRole;

  using QAbstractTableModel::QAbstractTableModel;

  void setDataset(const DatasetPtr& dataset);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  DatasetPtr m_dataset;
};

/// The accepted points of the session, sortable by any column; rows without a value come last in either order.
class AcceptedPoints : public QSortFilterProxyModel {
 public:
  explicit AcceptedPoints(Session& session, QObject* parent = nullptr);

  std::size_t pointAt(const QModelIndex& index) const { return static_cast<std::size_t>(mapToSource(index).row()); }
  /// Invalid when the filter hides the point.
  QModelIndex indexOf(std::size_t point) const { return mapFromSource(m_points.index(static_cast<int>(point), 0)); }

 protected:
  bool filterAcceptsRow(int row, const QModelIndex& parent) const override;
  bool lessThan(const QModelIndex& left, const QModelIndex& right) const override;

 private:
  Session& m_session;
  PointModel m_points;
};

}  // namespace attnscope::viz
