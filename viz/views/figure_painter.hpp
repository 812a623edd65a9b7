// SPDX-License-Identifier: Apache-2.0
// A reports::Figure drawn by QCustomPlot. Knows nothing of what is plotted: pages, exports and reports share it.
#pragma once

#include <qcustomplot.h>

#include <optional>
#include <vector>

#include "reports/figure/figure.hpp"
#include "viz/views/theme.hpp"

namespace attnscope::viz {

/// Something in a figure that stands for a point of the record.
struct Mark {
  std::size_t series = 0;
  double x = 0;
  double y = 0;
  QString label;
  std::optional<std::size_t> source;  // index into Record::points
};

class FigurePainter {
 public:
  /// `plot` must outlive the painter; whatever it shows is replaced.
  explicit FigurePainter(QCustomPlot& plot);

  /// Shows `figure`. The range of the axes is kept when `keepRange`, else everything is shown.
  void paint(const reports::Figure& figure, const Theme& theme, bool keepRange = false);
  const reports::Figure& figure() const { return m_figure; }

  void showAll();

  /// The mark nearest to `pixel`, if it is near enough to be meant.
  std::optional<Mark> markAt(const QPointF& pixel) const;
  const std::vector<Mark>& marks() const { return m_marks; }

  /// Draws a ring around every mark of that point of the record.
  void highlight(std::optional<std::size_t> source);

 private:
  void clear();
  void setUpTitle();
  void setUpAxis(QCPAxis& axis, const reports::Axis& description);
  void addSeries(std::size_t index);
  void addCurve(const reports::Series& series);
  QCPGraph& addGraph(const reports::Series& series, const std::vector<const reports::DataPoint*>& points, bool dimmed);
  void addPatches(const reports::Series& series);
  void addErrorBars(QCPGraph& graph, const std::vector<const reports::DataPoint*>& points, const QColor& colour);
  void list(QCPAbstractPlottable& plottable);
  void setUpLegend();

  QCustomPlot& m_plot;
  QCPTextElement* m_title;
  QCPTextElement* m_subtitle;
  QCPGraph* m_ring = nullptr;
  reports::Figure m_figure;
  Theme m_theme;
  std::vector<Mark> m_marks;
};

}  // namespace attnscope::viz
