// SPDX-License-Identifier: Apache-2.0
// Accuracy against cost, with the Pareto front and a budget.
#pragma once

#include <QComboBox>
#include <QLabel>

#include "reports/figure/quantities.hpp"
#include "viz/views/page.hpp"

namespace attnscope::viz {

class AccuracyPage : public Page {
 public:
  explicit AccuracyPage(Session& session, QWidget* parent = nullptr);

  /// The best point within the budget line, an index into the dataset's record.
  std::optional<std::size_t> bestWithinBudget() const { return m_best; }
  void setBudget(double budget);

 protected:
  void refresh() override;

 private:
  const reports::NamedQuantity& cost() const;
  const reports::NamedQuantity& accuracy() const;
  void judgeBudget();

  QComboBox* m_cost;
  QComboBox* m_accuracy;
  FigureView* m_view;
  QLabel* m_verdict;
  std::optional<double> m_budget;
  QString m_budgetCost;  // the cost that m_budget is in
  std::optional<std::size_t> m_best;
};

}  // namespace attnscope::viz
