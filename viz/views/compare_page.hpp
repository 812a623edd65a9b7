// SPDX-License-Identifier: Apache-2.0
// The shown record against the baseline.
#pragma once

#include <QComboBox>
#include <QFutureWatcher>
#include <QLabel>

#include "reports/compare/compare.hpp"
#include "viz/views/page.hpp"
#include "viz/views/rows_view.hpp"

namespace attnscope::viz {

class ComparePage : public Page {
 public:
  explicit ComparePage(Session& session, QWidget* parent = nullptr);

  const RowsView& rows() const { return *m_rows; }
  bool isComparing() const { return m_work.isRunning(); }

 protected:
  void refresh() override;

 private:
  struct Outcome {
    std::vector<reports::PointComparison> points;
    std::vector<std::string> warnings;
  };
  static Outcome judge(const DatasetPtr& base, const DatasetPtr& current);
  void fillBaselines();
  void show(const Outcome& outcome);

  QComboBox* m_baselines;
  QLabel* m_notes;
  FigureView* m_view;
  RowsView* m_rows;
  QFutureWatcher<Outcome> m_work;
  DatasetPtr m_base;  // what m_work compares
  DatasetPtr m_current;
};

}  // namespace attnscope::viz
