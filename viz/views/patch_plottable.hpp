// SPDX-License-Identifier: Apache-2.0
// The filled rectangles of one series.
#pragma once

#include <qcustomplot.h>

#include <vector>

#include "reports/figure/figure.hpp"

namespace attnscope::viz {

class PatchPlottable : public QCPAbstractPlottable {
 public:
  PatchPlottable(QCustomPlot& plot, std::vector<reports::Patch> patches, const QColor& colour,
                 const QColor& background);

  double selectTest(const QPointF& pixel, bool onlySelectable, QVariant* details = nullptr) const override;
  QCPRange getKeyRange(bool& found, QCP::SignDomain domain = QCP::sdBoth) const override;
  QCPRange getValueRange(bool& found, QCP::SignDomain domain = QCP::sdBoth, const QCPRange& keys = {}) const override;

 protected:
  void draw(QCPPainter* painter) override;
  void drawLegendIcon(QCPPainter* painter, const QRectF& rect) const override;

 private:
  QRectF rectOf(const reports::Patch& patch) const;
  QColor fillOf(const reports::Patch& patch) const;

  std::vector<reports::Patch> m_patches;
  QColor m_colour;
  QColor m_background;
};

}  // namespace attnscope::viz
