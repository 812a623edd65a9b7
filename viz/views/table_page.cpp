// SPDX-License-Identifier: Apache-2.0
#include "viz/views/table_page.hpp"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include "viz/models/table_text.hpp"

namespace attnscope::viz {

TablePage::TablePage(Session& session, QWidget* parent)
    : Page(session, parent), m_points(session), m_table(new QTableView) {
  m_table->setModel(&m_points);
  m_table->setSortingEnabled(true);
  m_table->sortByColumn(-1, Qt::AscendingOrder);  // the order of the record
  m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
  m_table->setSelectionMode(QAbstractItemView::SingleSelection);
  m_table->setAlternatingRowColors(true);
  m_table->setWordWrap(false);
  m_table->verticalHeader()->hide();
  m_table->verticalHeader()->setDefaultSectionSize(m_table->fontMetrics().height() + 6);
  m_table->horizontalHeader()->setSectionsMovable(true);
  m_table->setAccessibleName(tr("Points"));

  auto* buttons = new QHBoxLayout;
  auto* hint = new QLabel(tr("The filter above applies here too. Hover a header to see what it means."));
  buttons->addWidget(hint, 1);
  const auto copy = [this, buttons](const QString& title, TableFormat format) {
    auto* button = new QPushButton(title);
    connect(button, &QPushButton::clicked, this,
            [this, format] { QApplication::clipboard()->setText(tableText(m_points, format)); });
    buttons->addWidget(button);
  };
  copy(tr("Copy as CS&V"), TableFormat::csv);
  copy(tr("Copy as &Markdown"), TableFormat::markdown);
  auto* layout = new QVBoxLayout(this);
  layout->addLayout(buttons);
  layout->addWidget(m_table, 1);

  connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this](const QModelIndex& current) {
    if (current.isValid() && !m_following) this->session().setPoint(m_points.pointAt(current));
  });
  connect(&session, &Session::pointChanged, this, &TablePage::showChosen);
}

void TablePage::refresh() {
  m_table->resizeColumnsToContents();
  showChosen();
}

void TablePage::showChosen() {
  const auto point = session().point();
  const QModelIndex row = point ? m_points.indexOf(*point) : QModelIndex();
  if (!row.isValid() || row.row() == m_table->currentIndex().row()) return;
  m_following = true;
  m_table->setCurrentIndex(row);
  m_table->scrollTo(row);
  m_following = false;
}

}  // namespace attnscope::viz
