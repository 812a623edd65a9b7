// SPDX-License-Identifier: Apache-2.0
#include "viz/views/patch_plottable.hpp"

#include <algorithm>

#include "viz/data/words.hpp"

namespace attnscope::viz {
namespace {

constexpr double kRoom = 4;      // pixels that a text keeps from the edges
constexpr double kOutlined = 3;  // narrower patches have no outline, it would hide them

QCPRange positivePart(const QCPRange& range, QCP::SignDomain domain) {
  return domain == QCP::sdPositive && range.lower <= 0 ? QCPRange(range.upper, range.upper) : range;
}

}  // namespace

PatchPlottable::PatchPlottable(QCustomPlot& plot, std::vector<reports::Patch> patches, const QColor& colour,
                               const QColor& background)
    : QCPAbstractPlottable(plot.xAxis, plot.yAxis),
      m_patches(std::move(patches)),
      m_colour(colour),
      m_background(background) {}

double PatchPlottable::selectTest(const QPointF& pixel, bool, QVariant*) const {
  const bool hit =
      std::ranges::any_of(m_patches, [&](const reports::Patch& patch) { return rectOf(patch).contains(pixel); });
  return hit ? 0 : -1;
}

QCPRange PatchPlottable::getKeyRange(bool& found, QCP::SignDomain domain) const {
  QCPRange range;
  found = false;
  for (const reports::Patch& patch : m_patches) {
    const QCPRange own = positivePart({patch.x_low, patch.x_high}, domain);
    range = found ? range.expanded(own) : own;
    found = true;
  }
  return range;
}

QCPRange PatchPlottable::getValueRange(bool& found, QCP::SignDomain domain, const QCPRange&) const {
  QCPRange range;
  found = false;
  for (const reports::Patch& patch : m_patches) {
    const QCPRange own = positivePart({patch.y_low, patch.y_high}, domain);
    range = found ? range.expanded(own) : own;
    found = true;
  }
  return range;
}

void PatchPlottable::draw(QCPPainter* painter) {
  const QRectF visible = clipRect();
  painter->setAntialiasing(false);
  const QFontMetricsF metrics(painter->font());
  for (const reports::Patch& patch : m_patches) {
    const QRectF rect = rectOf(patch).intersected(visible);
    if (rect.isEmpty() && rect.width() <= 0) continue;
    const QColor fill = fillOf(patch);
    painter->setBrush(fill);
    const bool outlined = rect.width() > kOutlined && rect.height() > kOutlined;
    painter->setPen(outlined ? QPen(m_background, 1) : QPen(fill, 0));
    painter->drawRect(rect);
    const QString text = words(patch.text);
    if (text.isEmpty() || metrics.horizontalAdvance(text) + kRoom > rect.width() || metrics.height() > rect.height())
      continue;
    painter->setPen(qGray(fill.rgb()) > 140 ? Qt::black : Qt::white);
    painter->drawText(rect, Qt::AlignCenter, text);
  }
}

void PatchPlottable::drawLegendIcon(QCPPainter* painter, const QRectF& rect) const {
  painter->setPen(Qt::NoPen);
  painter->setBrush(m_colour);
  painter->drawRect(rect.adjusted(2, 2, -2, -2));
}

QRectF PatchPlottable::rectOf(const reports::Patch& patch) const {
  return QRectF(coordsToPixels(patch.x_low, patch.y_low), coordsToPixels(patch.x_high, patch.y_high)).normalized();
}

// Mixed with the background instead of translucent: what lies below must not show through.
QColor PatchPlottable::fillOf(const reports::Patch& patch) const {
  const auto mix = [&](int full, int none) { return static_cast<int>(none + patch.strength * (full - none)); };
  return {mix(m_colour.red(), m_background.red()), mix(m_colour.green(), m_background.green()),
          mix(m_colour.blue(), m_background.blue())};
}

}  // namespace attnscope::viz
