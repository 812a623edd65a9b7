// SPDX-License-Identifier: Apache-2.0
#include "viz/views/rows_view.hpp"

#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QHeaderView>
#include <QMenu>

#include "viz/models/table_text.hpp"

namespace attnscope::viz {
namespace {

constexpr int kWidest = 460;  // of a column; longer texts are in the tooltip

}  // namespace

RowsView::RowsView(Session& session, std::vector<RowsColumn> columns, QWidget* parent)
    : QTableView(parent), m_rows(std::move(columns)) {
  m_sorted.setSourceModel(&m_rows);
  m_sorted.setSortRole(RowsModel::kSortRole);
  setModel(&m_sorted);
  setSortingEnabled(true);
  sortByColumn(-1, Qt::AscendingOrder);  // the order in which the rows were given
  setSelectionBehavior(SelectRows);
  setSelectionMode(SingleSelection);
  setAlternatingRowColors(true);
  setWordWrap(false);
  horizontalHeader()->setMaximumSectionSize(kWidest);
  verticalHeader()->hide();
  verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 6);
  connect(selectionModel(), &QItemSelectionModel::currentRowChanged, this, [&session](const QModelIndex& current) {
    const QVariant point = current.data(RowsModel::kPointRole);
    if (point.isValid()) session.setPoint(point.toULongLong());
  });
}

void RowsView::setRows(std::vector<TableRow> rows) {
  m_rows.setRows(std::move(rows));
  resizeColumnsToContents();
}

void RowsView::contextMenuEvent(QContextMenuEvent* event) {
  QMenu menu;
  const auto copy = [&](const QString& title, TableFormat format) {
    menu.addAction(title, this, [this, format] { QApplication::clipboard()->setText(tableText(m_sorted, format)); });
  };
  copy(tr("Copy table as CSV"), TableFormat::csv);
  copy(tr("Copy table as Markdown"), TableFormat::markdown);
  menu.exec(event->globalPos());
}

void RowsView::keyPressEvent(QKeyEvent* event) {
  if (event->matches(QKeySequence::Copy))
    QApplication::clipboard()->setText(tableText(m_sorted, TableFormat::csv));
  else
    QTableView::keyPressEvent(event);
}

}  // namespace attnscope::viz
