// SPDX-License-Identifier: Apache-2.0
#include "viz/views/label_item.hpp"

#include <algorithm>

namespace attnscope::viz {
namespace {

constexpr double kMarkerReach = 5;      // pixels around a point that its marker covers
constexpr std::size_t kReadable = 400;  // with more points in sight labels would be noise, and placing them slow

}  // namespace

LabelItem::LabelItem(QCustomPlot& plot, std::vector<Label> labels, const QColor& colour)
    : QCPAbstractItem(&plot), m_labels(std::move(labels)), m_colour(colour) {}

void LabelItem::draw(QCPPainter* painter) {
  const QCPAxis& xAxis = *parentPlot()->xAxis;
  const QCPAxis& yAxis = *parentPlot()->yAxis;
  const QRectF area = parentPlot()->axisRect()->rect();

  std::vector<std::pair<QPointF, const Label*>> visible;
  std::vector<QRectF> taken;
  for (const Label& label : m_labels) {
    const QPointF at(xAxis.coordToPixel(label.x), yAxis.coordToPixel(label.y));
    if (!area.contains(at)) continue;
    visible.emplace_back(at, &label);
    taken.emplace_back(at.x() - kMarkerReach, at.y() - kMarkerReach, 2 * kMarkerReach, 2 * kMarkerReach);
  }
  if (visible.size() > kReadable) return;

  QFont font = parentPlot()->font();
  font.setPointSizeF(0.85 * font.pointSizeF());
  const QFontMetricsF metrics(font);
  painter->setFont(font);
  painter->setPen(m_colour);
  for (const auto& [at, label] : visible) {
    if (label->text.isEmpty()) continue;
    const double wide = metrics.horizontalAdvance(label->text);
    const double high = metrics.height();
    // Right above, right below, left above, left below the marker: the first that is free.
    for (const QPointF& offset : {QPointF(7, -high), QPointF(7, 1), QPointF(-7 - wide, -high), QPointF(-7 - wide, 1)}) {
      const QRectF box(at + offset, QSizeF(wide, high));
      if (!area.contains(box) || std::ranges::any_of(taken, [&](const QRectF& other) { return box.intersects(other); }))
        continue;
      taken.push_back(box);
      painter->drawText(box, Qt::AlignCenter, label->text);
      break;
    }
  }
}

}  // namespace attnscope::viz
