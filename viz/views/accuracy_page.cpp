// SPDX-License-Identifier: Apache-2.0
#include "viz/views/accuracy_page.hpp"

#include <QFormLayout>
#include <QHBoxLayout>
#include <QVBoxLayout>

#include "reports/figure/pareto.hpp"
#include "reports/figure/text.hpp"
#include "viz/data/words.hpp"

namespace attnscope::viz {
namespace {

QComboBox* choiceOf(std::span<const reports::NamedQuantity> quantities, const QString& tooltip) {
  auto* box = new QComboBox;
  for (const auto& quantity : quantities) box->addItem(words(quantity.title), words(quantity.name));
  box->setToolTip(tooltip);
  return box;
}

}  // namespace

AccuracyPage::AccuracyPage(Session& session, QWidget* parent)
    : Page(session, parent),
      m_cost(choiceOf(reports::costs(), tr("What the horizontal axis shows"))),
      m_accuracy(choiceOf(reports::accuracies(), tr("What the vertical axis shows"))),
      m_view(addFigure()),
      m_verdict(new QLabel) {
  m_verdict->setTextFormat(Qt::RichText);
  m_verdict->setWordWrap(true);
  auto* x = new QLabel(tr("&Cost"));
  auto* y = new QLabel(tr("&Accuracy"));
  x->setBuddy(m_cost);
  y->setBuddy(m_accuracy);

  auto* choices = new QHBoxLayout;
  for (QWidget* widget : std::initializer_list<QWidget*>{y, m_accuracy, x, m_cost}) choices->addWidget(widget);
  choices->addWidget(m_verdict, 1);
  auto* layout = new QVBoxLayout(this);
  layout->addLayout(choices);
  layout->addWidget(m_view, 1);
  for (const QComboBox* box : {m_cost, m_accuracy})
    connect(box, &QComboBox::currentIndexChanged, this, [this] { invalidate(); });
}

const reports::NamedQuantity& AccuracyPage::cost() const {
  return reports::cost(m_cost->currentData().toString().toStdString());
}

const reports::NamedQuantity& AccuracyPage::accuracy() const {
  return reports::accuracy(m_accuracy->currentData().toString().toStdString());
}

void AccuracyPage::refresh() {
  if (!session().dataset()) return m_view->setFigure({});
  const reports::Figure figure =
      reports::pareto_figure(session().dataset()->wording, session().facet(), cost(), accuracy());
  m_view->setFigure(figure);

  // A budget stays while it means the same; a new one stands in the middle of what is shown.
  if (m_budgetCost != m_cost->currentData().toString()) m_budget.reset();
  const QCPRange range = m_view->xAxis->range();
  if (!m_budget || !range.contains(*m_budget))
    m_budget = cost().scale == reports::Scale::linear ? range.center() : std::sqrt(range.lower * range.upper);
  m_budgetCost = m_cost->currentData().toString();
  m_view->setCursorLine(figure.series.empty() ? std::nullopt : m_budget, [this](double x) {
    m_budget = x;
    judgeBudget();
  });
  judgeBudget();
}

void AccuracyPage::setBudget(double budget) {
  m_budget = budget;
  m_view->setCursorLine(budget, [this](double x) {
    m_budget = x;
    judgeBudget();
  });
  judgeBudget();
}

void AccuracyPage::judgeBudget() {
  m_best = reports::best_within(m_view->figure(), *m_budget, accuracy().higher_is_better);
  const QString budget = words(reports::si(*m_budget));
  if (m_view->figure().series.empty())
    m_verdict->setText(tr("No point has both quantities."));
  else if (!m_best)
    m_verdict->setText(tr("Within %1: nothing.").arg(budget));
  else {
    const Dataset& dataset = *session().dataset();
    const record::Point& point = dataset.point(*m_best);
    m_verdict->setText(tr("Best within %1: <b>%2 %3</b> (%4), %5 %6")
                           .arg(budget, words(point.method), words(dataset.wording.variant(point)),
                                words(to_string(point.backend)), words(accuracy().title),
                                words(reports::number(*accuracy().value(point)))));
  }
}

}  // namespace attnscope::viz
