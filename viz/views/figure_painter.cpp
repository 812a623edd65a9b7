// SPDX-License-Identifier: Apache-2.0
#include "viz/views/figure_painter.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "reports/figure/ticks.hpp"
#include "viz/data/words.hpp"
#include "viz/views/figure_ticker.hpp"
#include "viz/views/label_item.hpp"
#include "viz/views/patch_plottable.hpp"

namespace attnscope::viz {
namespace {

using reports::DataPoint;
using reports::Role;
using reports::Scale;
using reports::Series;

constexpr double kMarkerSize = 8;
constexpr int kMostEntries = 24;  // of the legend
constexpr double kReach = 14;     // pixels within which a mark is meant

QCPScatterStyle scatterOf(const reports::Style& style, const QColor& colour) {
  constexpr std::array kShapes{
      QCPScatterStyle::ssCircle,  QCPScatterStyle::ssSquare,           QCPScatterStyle::ssTriangle,
      QCPScatterStyle::ssDiamond, QCPScatterStyle::ssTriangleInverted, QCPScatterStyle::ssCross,
      QCPScatterStyle::ssPlus};
  const auto shape = kShapes[static_cast<std::size_t>(marker_of(style))];
  const bool strokes = shape == QCPScatterStyle::ssCross || shape == QCPScatterStyle::ssPlus;
  return {shape, QPen(colour, strokes ? 2.0 : 1.0), QBrush(colour), kMarkerSize};
}

// The range that an axis should show, a little wider than its ends: markers on them are shown whole.
QCPRange withRoom(const reports::Axis& axis, const QCPRange& values) {
  constexpr double kRoom = 0.015;  // of the length of the axis
  const auto [low, high] = reports::nice_range(axis, values.lower, values.upper);
  if (!axis.categories.empty()) return {low, high};
  if (axis.scale == Scale::linear) {
    const double room = kRoom * (high - low);
    return {low == 0 ? low : low - room, high + room};
  }
  const double factor = std::pow(high / low, kRoom);
  return {low / factor, high * factor};
}

bool labelsTellApart(const Series& series) {
  std::set<std::string> texts;
  for (const DataPoint& point : series.points) texts.insert(point.label);
  return texts.size() > 1;
}

}  // namespace

FigurePainter::FigurePainter(QCustomPlot& plot)
    : m_plot(plot), m_title(new QCPTextElement(&plot)), m_subtitle(new QCPTextElement(&plot)) {
  QCPLayoutGrid& grid = *plot.plotLayout();
  grid.insertRow(0);
  grid.insertRow(1);
  grid.addElement(0, 0, m_title);
  grid.addElement(1, 0, m_subtitle);
  m_title->setTextFlags(Qt::AlignLeft | Qt::AlignVCenter);
  m_subtitle->setTextFlags(Qt::AlignLeft | Qt::AlignVCenter);
  m_title->setMargins({8, 4, 0, 0});
  m_subtitle->setMargins({8, 0, 0, 4});

  auto* side = new QCPLayoutGrid;  // the legend stands beside the axes, where it covers nothing
  grid.addElement(2, 1, side);
  side->addElement(0, 0, plot.legend);
  side->addElement(1, 0, new QCPLayoutElement(&plot));
  side->setRowStretchFactor(0, 0.001);
  side->setMargins({0, 12, 6, 0});
  grid.setColumnStretchFactor(1, 0.001);
  plot.setAutoAddPlottableToLegend(false);
  plot.setNoAntialiasingOnDrag(true);
}

void FigurePainter::paint(const reports::Figure& figure, const Theme& theme, bool keepRange) {
  clear();
  m_figure = figure;
  m_theme = theme;
  m_plot.setBackground(theme.background);
  const bool anything = !figure.series.empty();  // axes around nothing would look like a mistake
  m_plot.axisRect()->setVisible(anything);
  m_title->setVisible(anything);
  m_subtitle->setVisible(anything);
  setUpTitle();
  setUpAxis(*m_plot.xAxis, figure.x);
  setUpAxis(*m_plot.yAxis, figure.y);
  const auto addAll = [&](auto wanted) {
    for (std::size_t i = 0; i < figure.series.size(); ++i)
      if (wanted(figure.series[i].role)) addSeries(i);
  };
  addAll([](Role role) { return role == Role::patches; });
  addAll([](Role role) { return role == Role::guide; });
  addAll([](Role role) { return role == Role::curve || role == Role::cloud; });

  std::vector<LabelItem::Label> labels;
  for (const Series& series : figure.series) {
    const bool shown = series.role != Role::guide && labelsTellApart(series);
    for (const DataPoint& point : series.points)
      if (series.role != Role::guide) labels.push_back({point.x, point.y, shown ? words(point.label) : QString()});
  }
  new LabelItem(m_plot, std::move(labels), theme.muted);  // owned by the plot

  m_ring = m_plot.addGraph();
  m_ring->setLineStyle(QCPGraph::lsNone);
  m_ring->setScatterStyle({QCPScatterStyle::ssCircle, QPen(theme.highlight, 2.5), Qt::NoBrush, 2 * kMarkerSize});
  setUpLegend();
  if (!keepRange) showAll();
}

void FigurePainter::clear() {
  m_plot.clearPlottables();
  m_plot.clearItems();
  m_marks.clear();
  m_ring = nullptr;
}

void FigurePainter::setUpTitle() {
  QFont font = m_plot.font();
  m_subtitle->setText(words(m_figure.subtitle));
  m_subtitle->setFont(font);
  m_subtitle->setTextColor(m_theme.muted);
  font.setBold(true);
  font.setPointSizeF(1.2 * font.pointSizeF());
  m_title->setText(words(m_figure.title));
  m_title->setFont(font);
  m_title->setTextColor(m_theme.text);
}

void FigurePainter::setUpAxis(QCPAxis& axis, const reports::Axis& description) {
  axis.setScaleType(description.scale == Scale::linear ? QCPAxis::stLinear : QCPAxis::stLogarithmic);
  axis.setTicker(QSharedPointer<FigureTicker>::create(description));
  axis.setLabel(words(description.title));
  axis.setLabelFont(m_plot.font());
  axis.setTickLabelFont(m_plot.font());
  axis.setLabelColor(m_theme.text);
  axis.setTickLabelColor(m_theme.text);
  for (auto set : {&QCPAxis::setBasePen, &QCPAxis::setTickPen, &QCPAxis::setSubTickPen})
    (axis.*set)(QPen(m_theme.muted));
  axis.grid()->setPen(QPen(m_theme.grid, 1));
  axis.grid()->setZeroLinePen(QPen(m_theme.grid, 1));
}

void FigurePainter::addSeries(std::size_t index) {
  const Series& series = m_figure.series[index];
  if (series.role == Role::patches)
    addPatches(series);
  else
    addCurve(series);
  if (series.role == Role::guide) return;
  for (const DataPoint& point : series.points)
    m_marks.push_back({index, point.x, point.y, words(point.label), point.source});
  for (const reports::Patch& patch : series.patches)
    m_marks.push_back(
        {index, (patch.x_low + patch.x_high) / 2, (patch.y_low + patch.y_high) / 2, words(patch.label), patch.source});
}

void FigurePainter::addCurve(const Series& series) {
  std::vector<const DataPoint*> all;
  std::vector<const DataPoint*> dimmed;
  for (const DataPoint& point : series.points) {
    all.push_back(&point);
    if (point.dimmed) dimmed.push_back(&point);
  }
  QCPGraph& graph = addGraph(series, all, false);
  list(graph);
  if (std::ranges::any_of(all, [](const DataPoint* point) { return point->y_low && point->y_high; }))
    addErrorBars(graph, all, m_theme.colour(series.style));
  // A veil of the background's colour over the markers that another point beats.
  if (!dimmed.empty()) addGraph(series, dimmed, true);
}

QCPGraph& FigurePainter::addGraph(const Series& series, const std::vector<const DataPoint*>& points, bool veil) {
  QCPGraph& graph = *m_plot.addGraph();
  QVector<double> keys;
  QVector<double> values;
  for (const DataPoint* point : points) {
    keys.append(point->x);
    values.append(point->y);
  }
  graph.setData(keys, values, true);
  graph.setName(words(series.name));
  const bool guide = series.role == Role::guide;
  QColor colour = guide ? m_theme.muted : m_theme.colour(series.style);
  QPen pen(colour, guide ? 1.2 : 1.8, series.style.dashed ? Qt::DashLine : Qt::SolidLine);
  if (veil) {
    colour = m_theme.background;
    colour.setAlphaF(0.7F);
  }
  graph.setPen(pen);
  graph.setLineStyle(series.role == Role::cloud || veil ? QCPGraph::lsNone : QCPGraph::lsLine);
  if (!guide) graph.setScatterStyle(scatterOf(series.style, colour));
  return graph;
}

void FigurePainter::addErrorBars(QCPGraph& graph, const std::vector<const DataPoint*>& points, const QColor& colour) {
  auto* bars = new QCPErrorBars(m_plot.xAxis, m_plot.yAxis);  // owned by the plot
  bars->setDataPlottable(&graph);
  bars->setPen(QPen(colour, 1));
  for (const DataPoint* point : points)
    bars->addData(point->y - point->y_low.value_or(point->y), point->y_high.value_or(point->y) - point->y);
}

void FigurePainter::addPatches(const Series& series) {
  auto* patches =  // owned by the plot
      new PatchPlottable(m_plot, series.patches, m_theme.colour(series.style), m_theme.background);
  patches->setName(words(series.name));
  if (!series.name.empty()) list(*patches);
}

// A legend longer than the picture would push the axes out of it; the tooltips name what it leaves out.
void FigurePainter::list(QCPAbstractPlottable& plottable) {
  if (m_plot.legend->itemCount() < kMostEntries) plottable.addToLegend();
}

void FigurePainter::setUpLegend() {
  QCPLegend& legend = *m_plot.legend;
  legend.setVisible(legend.itemCount() > 0);
  legend.setFont(m_plot.font());
  legend.setTextColor(m_theme.text);
  legend.setBrush(Qt::NoBrush);
  legend.setBorderPen(Qt::NoPen);
  legend.setIconSize(26, QFontMetrics(m_plot.font()).height() + 2);
  legend.setRowSpacing(0);
}

void FigurePainter::showAll() {
  QCPRange x;
  QCPRange y;
  bool any = false;
  const auto take = [&](double low, double high, double bottom, double top) {
    x = any ? x.expanded({low, high}) : QCPRange(low, high);
    y = any ? y.expanded({bottom, top}) : QCPRange(bottom, top);
    any = true;
  };
  for (const Series& series : m_figure.series) {
    for (const DataPoint& point : series.points) {
      // The lower end of an interval may be 0, which a logarithmic axis cannot show.
      const double low =
          point.y_low && (m_figure.y.scale == Scale::linear || *point.y_low > 0) ? *point.y_low : point.y;
      take(point.x, point.x, low, point.y_high.value_or(point.y));
    }
    for (const reports::Patch& patch : series.patches) take(patch.x_low, patch.x_high, patch.y_low, patch.y_high);
  }
  if (!any) return;
  m_plot.xAxis->setRange(withRoom(m_figure.x, x));
  m_plot.yAxis->setRange(withRoom(m_figure.y, y));
}

std::optional<Mark> FigurePainter::markAt(const QPointF& pixel) const {
  const double x = m_plot.xAxis->pixelToCoord(pixel.x());
  const double y = m_plot.yAxis->pixelToCoord(pixel.y());
  for (std::size_t i = 0; i < m_figure.series.size(); ++i)
    for (const reports::Patch& patch : m_figure.series[i].patches)
      if (x >= patch.x_low && x <= patch.x_high && y >= patch.y_low && y <= patch.y_high)
        return Mark{i, x, y, words(patch.label), patch.source};

  std::optional<Mark> nearest;
  double distance = kReach;
  for (const Mark& mark : m_marks) {
    if (m_figure.series[mark.series].role == Role::patches) continue;
    const QPointF at(m_plot.xAxis->coordToPixel(mark.x), m_plot.yAxis->coordToPixel(mark.y));
    if (const double d = QLineF(at, pixel).length(); d < distance) {
      distance = d;
      nearest = mark;
    }
  }
  return nearest;
}

void FigurePainter::highlight(std::optional<std::size_t> source) {
  if (!m_ring) return;
  QVector<double> keys;
  QVector<double> values;
  for (const Mark& mark : m_marks)
    if (source && mark.source == source) {
      keys.append(mark.x);
      values.append(mark.y);
    }
  m_ring->setData(keys, values);
}

}  // namespace attnscope::viz
