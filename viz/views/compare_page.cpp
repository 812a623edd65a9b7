// SPDX-License-Identifier: Apache-2.0
#include "viz/views/compare_page.hpp"

#include <QHBoxLayout>
#include <QSplitter>
#include <QVBoxLayout>
#include <QtConcurrent>

#include "reports/compare/comparison_figure.hpp"
#include "viz/data/words.hpp"
#include "viz/models/tables.hpp"

namespace attnscope::viz {
ComparePage::ComparePage(Session& session, QWidget* parent)
    : Page(session, parent),
      m_baselines(new QComboBox),
      m_notes(new QLabel),
      m_view(addFigure()),
      m_rows(new RowsView(session, comparisonColumns())) {
  m_notes->setWordWrap(true);
  m_notes->setTextFormat(Qt::PlainText);
  m_baselines->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  auto* label = new QLabel(tr("&Baseline"));
  label->setBuddy(m_baselines);
  auto* top = new QHBoxLayout;
  top->addWidget(label);
  top->addWidget(m_baselines);
  top->addWidget(m_notes, 1);
  auto* splitter = new QSplitter(Qt::Vertical);
  splitter->addWidget(m_view);
  splitter->addWidget(m_rows);
  auto* layout = new QVBoxLayout(this);
  layout->addLayout(top);
  layout->addWidget(splitter, 1);

  connect(&session, &Session::baselineChanged, this, [this] { invalidate(); });
  connect(&session.library(), &Library::settled, this, &ComparePage::fillBaselines);
  connect(m_baselines, &QComboBox::activated, this, [this](int i) {
    const auto all = this->session().library().datasets();
    const auto chosen = static_cast<std::size_t>(i);  // entry 0 is "none"
    this->session().setBaseline(chosen == 0 || chosen > all.size() ? nullptr : all[chosen - 1]);
  });
  connect(&m_work, &QFutureWatcher<Outcome>::finished, this, [this] {
    if (!m_work.isCanceled()) show(m_work.result());
  });
  fillBaselines();
}

void ComparePage::fillBaselines() {
  m_baselines->clear();
  m_baselines->addItem(tr("none"));
  for (const DatasetPtr& one : session().library().datasets()) {
    m_baselines->addItem(one->name);
    if (one == session().baseline()) m_baselines->setCurrentIndex(m_baselines->count() - 1);
  }
}

ComparePage::Outcome ComparePage::judge(const DatasetPtr& base, const DatasetPtr& current) {
  Outcome out{.points = reports::compare(*base->record, *current->record),
              .warnings = reports::incomparable(*base->record, *current->record)};
  reports::sort_by_importance(out.points);
  for (const DatasetPtr& one : {base, current})
    if (const auto reason = reports::busy(*one->record))
      out.warnings.push_back(one->name.toStdString() + ": " + *reason);
  return out;
}

void ComparePage::refresh() {
  fillBaselines();
  m_base = session().baseline();
  m_current = session().dataset();
  if (!m_base || !m_current) {
    m_notes->setText(tr("Choose what to compare with: a record that is open, or Ctrl+B for another file."));
    m_rows->setRows({});
    return m_view->setFigure({});
  }
  m_notes->setText(tr("Comparing…"));
  m_work.setFuture(QtConcurrent::run(judge, m_base, m_current));
}

void ComparePage::show(const Outcome& outcome) {
  QStringList notes;
  for (const std::string& warning : outcome.warnings) notes.append(QStringLiteral("⚠ ") + words(warning));
  if (machineOf(*m_base->record) != machineOf(*m_current->record))
    notes.append(tr("The machines differ: compare the shares of the roof rather than the times."));
  if (notes.isEmpty())
    notes.append(tr("%1 → %2: %3 points").arg(m_base->name, m_current->name).arg(outcome.points.size()));
  m_notes->setText(notes.mid(0, 4).join('\n'));
  m_notes->setToolTip(notes.join('\n'));

  std::vector<TableRow> rows = comparisonRows(outcome.points, *m_base, *m_current);
  reports::Figure figure = reports::comparison_figure(outcome.points);
  // In the figure a source is a row of the comparison; the session wants the point of the dataset.
  for (reports::Series& series : figure.series) {
    for (reports::DataPoint& point : series.points)
      if (point.source) point.source = rows[*point.source].point;
    for (reports::Patch& patch : series.patches)
      if (patch.source) patch.source = rows[*patch.source].point;
  }
  m_view->setFigure(figure);
  m_rows->setRows(std::move(rows));
}

}  // namespace attnscope::viz
