// SPDX-License-Identifier: Apache-2.0
#include "viz/models/rows_model.hpp"

#include <QFont>

namespace attnscope::viz {

void RowsModel::setRows(std::vector<TableRow> rows) {
  beginResetModel();
  m_rows = std::move(rows);
  endResetModel();
}

int RowsModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int RowsModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_columns.size());
}

QVariant RowsModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const TableRow& row = m_rows[static_cast<std::size_t>(index.row())];
  const Cell& cell = row.cells[static_cast<std::size_t>(index.column())];
  switch (role) {
    case Qt::DisplayRole:
    case Qt::ToolTipRole:
      return cell.text;
    case kSortRole:
      return cell.sortKey.isValid() ? cell.sortKey : QVariant(cell.text);
    case kPointRole:
      return row.point ? QVariant::fromValue<qulonglong>(*row.point) : QVariant();
    case Qt::TextAlignmentRole:
      return QVariant::fromValue(
          (m_columns[static_cast<std::size_t>(index.column())].numeric ? Qt::AlignRight : Qt::AlignLeft) |
          Qt::AlignVCenter);
    case Qt::FontRole: {
      QFont font;
      font.setBold(cell.emphasised);
      return font;
    }
    default:
      return {};
  }
}

QVariant RowsModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return QAbstractTableModel::headerData(section, orientation, role);
  const RowsColumn& column = m_columns[static_cast<std::size_t>(section)];
  if (role == Qt::DisplayRole) return column.title;
  if (role == Qt::ToolTipRole) return column.tooltip;
  return {};
}

}  // namespace attnscope::viz
