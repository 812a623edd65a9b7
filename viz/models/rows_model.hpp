// SPDX-License-Identifier: Apache-2.0
// A small table of texts, each with a key to sort by.
#pragma once

#include <QAbstractTableModel>
#include <QVariant>
#include <optional>
#include <vector>

namespace attnscope::viz {

struct RowsColumn {
  QString title;    // with the unit
  QString tooltip;  // one sentence
  bool numeric = false;
};

struct Cell {
  QString text;
  QVariant sortKey = {};  // the text itself where there is none
  bool emphasised = false;
};

struct TableRow {
  std::vector<Cell> cells;
  std::optional<std::size_t> point = {};  // of the dataset, to choose when the row is
};

class RowsModel : public QAbstractTableModel {
 public:
  static constexpr int kSortRole = Qt::UserRole;
  static constexpr int kPointRole = Qt::UserRole + 1;  // invalid where a row stands for no point

  explicit RowsModel(std::vector<RowsColumn> columns, QObject* parent = nullptr)
      : QAbstractTableModel(parent), m_columns(std::move(columns)) {}

  void setRows(std::vector<TableRow> rows);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  std::vector<RowsColumn> m_columns;
  std::vector<TableRow> m_rows;
};

}  // namespace attnscope::viz
