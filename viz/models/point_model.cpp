// SPDX-License-Identifier: Apache-2.0
#include "viz/models/point_model.hpp"

#include "viz/models/point_columns.hpp"

namespace attnscope::viz {

void PointModel::setDataset(const DatasetPtr& dataset) {
  beginResetModel();
  m_dataset = dataset;
  endResetModel();
}

int PointModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() || !m_dataset ? 0 : static_cast<int>(m_dataset->record->points.size());
}

int PointModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(pointColumns().size());
}

QVariant PointModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const PointColumn& column = pointColumns()[static_cast<std::size_t>(index.column())];
  const auto row = static_cast<std::size_t>(index.row());
  switch (role) {
    case Qt::DisplayRole:
      return column.text(*m_dataset, row);
    case kSortRole:
      return column.sortKey(*m_dataset, row);
    case Qt::TextAlignmentRole:
      return QVariant::fromValue((column.numeric ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    case Qt::ToolTipRole:
      return m_dataset->labels[row];
    default:
      return {};
  }
}

QVariant PointModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return QAbstractTableModel::headerData(section, orientation, role);
  const PointColumn& column = pointColumns()[static_cast<std::size_t>(section)];
  if (role == Qt::DisplayRole) return QString::fromUtf8(column.title);
  if (role == Qt::ToolTipRole) return QString::fromUtf8(column.tooltip);
  return {};
}

AcceptedPoints::AcceptedPoints(Session& session, QObject* parent) : QSortFilterProxyModel(parent), m_session(session) {
  setSortRole(PointModel::kSortRole);
  m_points.setDataset(session.dataset());
  setSourceModel(&m_points);
  connect(&session, &Session::datasetChanged, this, [this] { m_points.setDataset(m_session.dataset()); });
  connect(&session, &Session::filterChanged, this, [this] { invalidateFilter(); });
}

bool AcceptedPoints::filterAcceptsRow(int row, const QModelIndex&) const {
  return m_session.accepts(static_cast<std::size_t>(row));
}

bool AcceptedPoints::lessThan(const QModelIndex& left, const QModelIndex& right) const {
  const QVariant a = left.data(PointModel::kSortRole);
  const QVariant b = right.data(PointModel::kSortRole);
  if (a.isValid() != b.isValid()) return a.isValid() == (sortOrder() == Qt::AscendingOrder);
  return QSortFilterProxyModel::lessThan(left, right);
}

}  // namespace attnscope::viz
