// SPDX-License-Identifier: Apache-2.0
#include "viz/views/attention_plots.hpp"

#include <algorithm>

namespace attnscope::viz {
namespace {

constexpr std::int64_t kMostCells = 1024;  // along one side of a map; longer sides show the largest of each group
constexpr double kFaintest = 1e-6;         // weights below this share a colour

void dress(QCustomPlot& plot, const Theme& theme, const QString& x, const QString& y) {
  plot.setBackground(theme.background);
  for (QCPAxis* axis : {plot.xAxis, plot.yAxis}) {
    axis->setLabelColor(theme.text);
    axis->setTickLabelColor(theme.text);
    axis->setBasePen(QPen(theme.muted));
    axis->setTickPen(QPen(theme.muted));
    axis->setSubTickPen(QPen(theme.muted));
    axis->grid()->setVisible(false);
  }
  plot.xAxis->setLabel(x);
  plot.yAxis->setLabel(y);
}

// A map without values yet, of as many cells as are shown.
QCPColorMap& addMap(QCustomPlot& plot, const AttentionMap& map, const Theme& theme) {
  plot.clearPlottables();
  dress(plot, theme, QObject::tr("key"), QObject::tr("query"));
  auto* image = new QCPColorMap(plot.xAxis, plot.yAxis);  // owned by the plot
  image->data()->setSize(static_cast<int>(std::min(map.keys, kMostCells)),
                         static_cast<int>(std::min(map.queries, kMostCells)));
  image->data()->setRange({0, static_cast<double>(map.keys)}, {0, static_cast<double>(map.queries)});
  image->setInterpolate(false);
  plot.yAxis->setRangeReversed(true);
  plot.xAxis->setRange(0, static_cast<double>(map.keys));
  plot.yAxis->setRange(0, static_cast<double>(map.queries));
  return *image;
}

// Every cell becomes the largest of the values of `map` that fall into it.
template <typename Value>
void fill(QCPColorMap& image, const AttentionMap& map, double background, Value value) {
  QCPColorMapData& data = *image.data();
  data.fill(background);
  for (std::int64_t i = 0; i < map.queries; ++i)
    for (std::int64_t j = 0; j < map.keys; ++j) {
      const auto col = static_cast<int>(j * data.keySize() / map.keys);
      const auto row = static_cast<int>(i * data.valueSize() / map.queries);
      const double own = value(static_cast<std::size_t>(i * map.keys + j));
      if (own > data.cell(col, row)) data.setCell(col, row, own);
    }
}

}  // namespace

void paintWeights(QCustomPlot& plot, const AttentionMap& map, const Theme& theme) {
  QCPColorMap& image = addMap(plot, map, theme);
  fill(image, map, kFaintest, [&](std::size_t at) { return static_cast<double>(map.weight[at]); });
  QCPColorGradient gradient;
  gradient.clearColorStops();
  gradient.setColorStopAt(0, theme.background);
  gradient.setColorStopAt(0.6, theme.colour({.colour = 5}));
  gradient.setColorStopAt(1, theme.colour({.colour = 2}));
  image.setGradient(gradient);
  image.setDataScaleType(QCPAxis::stLogarithmic);
  image.setDataRange({kFaintest, 1});
  plot.replot(QCustomPlot::rpQueuedReplot);
}

void paintAttended(QCustomPlot& plot, const AttentionMap& map, const Theme& theme) {
  QCPColorMap& image = addMap(plot, map, theme);
  fill(image, map, 0, [&](std::size_t at) { return static_cast<double>(map.attended[at]); });
  QCPColorGradient gradient;
  gradient.clearColorStops();
  gradient.setColorStopAt(0, theme.background);
  gradient.setColorStopAt(1, theme.colour({.colour = 1}));
  image.setGradient(gradient);
  image.setDataRange({0, 1});
  plot.replot(QCustomPlot::rpQueuedReplot);
}

void paintKept(QCustomPlot& plot, const AttentionMap& map, const Theme& theme) {
  plot.clearPlottables();
  dress(plot, theme, QObject::tr("mass kept"), QString());
  auto* curve = new QCPCurve(plot.xAxis, plot.yAxis);  // owned by the plot; a graph could not run down the page
  for (std::int64_t i = 0; i < map.queries; ++i)
    curve->addData(map.kept[static_cast<std::size_t>(i)], static_cast<double>(i) + 0.5);
  curve->setPen(QPen(theme.colour({.colour = 3}), 1.5));
  if (map.queries == 1) curve->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssDisc, 8));
  plot.yAxis->setRangeReversed(true);
  plot.xAxis->setRange(0, 1.02);
  plot.xAxis->ticker()->setTickCount(2);  // the plot is narrow
  plot.yAxis->setRange(0, static_cast<double>(map.queries));
  plot.replot(QCustomPlot::rpQueuedReplot);
}

}  // namespace attnscope::viz
