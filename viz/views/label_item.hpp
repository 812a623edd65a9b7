// SPDX-License-Identifier: Apache-2.0
// The labels of points, placed where they cover neither markers nor each other; placed anew at every zoom.
#pragma once

#include <qcustomplot.h>

#include <vector>

namespace attnscope::viz {

class LabelItem : public QCPAbstractItem {
 public:
  struct Label {
    double x = 0;
    double y = 0;
    QString text;  // empty: only keeps others away
  };

  LabelItem(QCustomPlot& plot, std::vector<Label> labels, const QColor& colour);

  double selectTest(const QPointF&, bool, QVariant* = nullptr) const override { return -1; }

 protected:
  void draw(QCPPainter* painter) override;

 private:
  std::vector<Label> m_labels;
  QColor m_colour;
};

}  // namespace attnscope::viz
