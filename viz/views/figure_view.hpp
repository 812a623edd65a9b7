// SPDX-License-Identifier: Apache-2.0
// A figure on the screen: zoom and pan, facts on hover, a click chooses the point everywhere, export from its menu.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "viz/data/session.hpp"
#include "viz/views/figure_painter.hpp"

namespace attnscope::viz {

class FigureView : public QCustomPlot {
 public:
  explicit FigureView(Session& session, QWidget* parent = nullptr);

  /// The part of the plot in sight stays when the figure has the name and the axes of the one before.
  void setFigure(const reports::Figure& figure);
  const reports::Figure& figure() const { return m_painter->figure(); }
  const FigurePainter& painter() const { return *m_painter; }

  /// Shows a vertical line that can be dragged, or none; `moved` is called with its place on the x axis.
  void setCursorLine(std::optional<double> x, std::function<void(double)> moved = {});
  std::optional<double> cursorLine() const { return m_cursor; }

  /// What a tooltip says of a mark. By default the facts of its point.
  std::function<QString(const Mark&)> describe;

  /// Asks for a file and writes the figure (svg, pdf, png) or its data (csv).
  void exportInteractively();
  void copyImage();
  void copyData();

  QSize sizeHint() const override { return {640, 420}; }
  QSize minimumSizeHint() const override { return {220, 160}; }

 protected:
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  void drawCursorLine();
  bool nearCursorLine(const QPointF& pixel) const;
  void scaleBy(double factor);
  void step(int direction);

  Session& m_session;
  std::unique_ptr<FigurePainter> m_painter;
  std::optional<double> m_cursor;
  std::function<void(double)> m_cursorMoved;
  QCPItemStraightLine* m_cursorItem = nullptr;
  bool m_draggingCursor = false;
  QPointF m_pressed;
};

}  // namespace attnscope::viz
