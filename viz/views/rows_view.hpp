// SPDX-License-Identifier: Apache-2.0
// A RowsModel on the screen: sortable, copied as text, and a chosen row chooses its point.
#pragma once

#include <QSortFilterProxyModel>
#include <QTableView>

#include "viz/data/session.hpp"
#include "viz/models/rows_model.hpp"

namespace attnscope::viz {

class RowsView : public QTableView {
 public:
  RowsView(Session& session, std::vector<RowsColumn> columns, QWidget* parent = nullptr);

  void setRows(std::vector<TableRow> rows);
  const RowsModel& rows() const { return m_rows; }

 protected:
  void contextMenuEvent(QContextMenuEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  RowsModel m_rows;
  QSortFilterProxyModel m_sorted;
};

}  // namespace attnscope::viz
