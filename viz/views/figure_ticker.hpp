// SPDX-License-Identifier: Apache-2.0
// Marks an axis where the reports mark it, however far it is zoomed.
#pragma once

#include <qcustomplot.h>

#include "reports/figure/ticks.hpp"

namespace attnscope::viz {

class FigureTicker : public QCPAxisTicker {
 public:
  explicit FigureTicker(reports::Axis axis) : m_axis(std::move(axis)) {}

  void generate(const QCPRange& range, const QLocale& locale, QChar format, int precision, QVector<double>& places,
                QVector<double>* minor, QVector<QString>* labels) override;

 private:
  reports::Axis m_axis;
};

}  // namespace attnscope::viz
