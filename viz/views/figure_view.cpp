// SPDX-License-Identifier: Apache-2.0
#include "viz/views/figure_view.hpp"

#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QMenu>
#include <QMessageBox>
#include <QToolTip>
#include <algorithm>

#include "reports/formats/formats.hpp"
#include "viz/data/words.hpp"
#include "viz/models/point_columns.hpp"
#include "viz/views/export.hpp"

namespace attnscope::viz {
namespace {

constexpr double kGrip = 6;        // pixels beside the cursor line that take hold of it
constexpr double kKeyZoom = 0.8;   // of the range per key press
constexpr double kClickSlack = 4;  // pixels that a click may move

}  // namespace

FigureView::FigureView(Session& session, QWidget* parent)
    : QCustomPlot(parent), m_session(session), m_painter(std::make_unique<FigurePainter>(*this)) {
  setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  setAccessibleName(tr("Figure"));
  describe = [this](const Mark& mark) {
    return mark.source && m_session.dataset() ? pointFacts(*m_session.dataset(), *mark.source) : mark.label;
  };
  connect(&session, &Session::pointChanged, this, [this] {
    m_painter->highlight(m_session.point());
    replot(rpQueuedReplot);
  });
}

void FigureView::setFigure(const reports::Figure& figure) {
  const reports::Figure& before = m_painter->figure();
  const bool same = figure.name == before.name && figure.x.title == before.x.title &&
                    figure.y.title == before.y.title && !before.series.empty();
  m_cursorItem = nullptr;  // painting removes all items
  m_painter->paint(figure, themeOf(palette()), same);
  m_painter->highlight(m_session.point());
  drawCursorLine();
  setAccessibleDescription(words(figure.title + ". " + figure.subtitle + ". " + figure.caption));
  replot(rpQueuedReplot);
}

void FigureView::setCursorLine(std::optional<double> x, std::function<void(double)> moved) {
  m_cursor = x;
  m_cursorMoved = std::move(moved);
  drawCursorLine();
  replot(rpQueuedReplot);
}

void FigureView::drawCursorLine() {
  if (m_cursorItem) removeItem(m_cursorItem);
  m_cursorItem = nullptr;
  if (!m_cursor) return;
  m_cursorItem = new QCPItemStraightLine(this);  // owned by the plot
  m_cursorItem->setPen(QPen(themeOf(palette()).highlight, 1.5, Qt::DashLine));
  m_cursorItem->point1->setCoords(*m_cursor, yAxis->range().lower);
  m_cursorItem->point2->setTypeX(QCPItemPosition::ptPlotCoords);
  m_cursorItem->point2->setCoords(*m_cursor, yAxis->range().upper);
}

bool FigureView::nearCursorLine(const QPointF& pixel) const {
  return m_cursor && std::abs(xAxis->coordToPixel(*m_cursor) - pixel.x()) < kGrip &&
         axisRect()->rect().contains(pixel.toPoint());
}

void FigureView::mousePressEvent(QMouseEvent* event) {
  m_pressed = event->position();
  m_draggingCursor = event->button() == Qt::LeftButton && nearCursorLine(event->position());
  if (!m_draggingCursor) QCustomPlot::mousePressEvent(event);
}

void FigureView::mouseMoveEvent(QMouseEvent* event) {
  if (m_draggingCursor) {
    m_cursor = xAxis->pixelToCoord(event->position().x());
    drawCursorLine();
    replot(rpQueuedReplot);
    if (m_cursorMoved) m_cursorMoved(*m_cursor);
    return;
  }
  QCustomPlot::mouseMoveEvent(event);
  if (event->buttons() != Qt::NoButton) return;
  const auto mark = m_painter->markAt(event->position());
  setCursor(nearCursorLine(event->position()) ? Qt::SplitHCursor : mark ? Qt::PointingHandCursor : Qt::ArrowCursor);
  if (mark)
    QToolTip::showText(event->globalPosition().toPoint(), describe(*mark), this);
  else
    QToolTip::hideText();
}

void FigureView::mouseReleaseEvent(QMouseEvent* event) {
  const bool click = QLineF(m_pressed, event->position()).length() < kClickSlack;
  if (!std::exchange(m_draggingCursor, false)) QCustomPlot::mouseReleaseEvent(event);
  if (!click || event->button() != Qt::LeftButton) return;
  if (const auto mark = m_painter->markAt(event->position()); mark && mark->source) m_session.setPoint(mark->source);
}

void FigureView::mouseDoubleClickEvent(QMouseEvent* event) {
  QCustomPlot::mouseDoubleClickEvent(event);
  m_painter->showAll();
  replot(rpQueuedReplot);
}

void FigureView::keyPressEvent(QKeyEvent* event) {
  switch (event->key()) {
    case Qt::Key_Plus:
      return scaleBy(kKeyZoom);
    case Qt::Key_Minus:
      return scaleBy(1 / kKeyZoom);
    case Qt::Key_0:
    case Qt::Key_Home:
      m_painter->showAll();
      return replot(rpQueuedReplot);
    case Qt::Key_Right:
    case Qt::Key_Down:
      return step(1);
    case Qt::Key_Left:
    case Qt::Key_Up:
      return step(-1);
    default:
      QCustomPlot::keyPressEvent(event);
  }
}

void FigureView::contextMenuEvent(QContextMenuEvent* event) {
  QMenu menu;
  menu.addAction(tr("Show everything"), this, [this] {
    m_painter->showAll();
    replot(rpQueuedReplot);
  });
  menu.addSeparator();
  menu.addAction(tr("Export…"), this, &FigureView::exportInteractively);
  menu.addAction(tr("Copy picture"), this, &FigureView::copyImage);
  menu.addAction(tr("Copy data as CSV"), this, &FigureView::copyData);
  menu.exec(event->globalPos());
}

void FigureView::changeEvent(QEvent* event) {
  QCustomPlot::changeEvent(event);
  if (event->type() != QEvent::PaletteChange && event->type() != QEvent::FontChange) return;
  m_cursorItem = nullptr;
  m_painter->paint(reports::Figure(m_painter->figure()), themeOf(palette()), true);
  m_painter->highlight(m_session.point());
  drawCursorLine();
  replot(rpQueuedReplot);
}

void FigureView::scaleBy(double factor) {
  for (QCPAxis* axis : {xAxis, yAxis}) {
    const double center = axis->scaleType() == QCPAxis::stLogarithmic
                              ? std::sqrt(axis->range().lower * axis->range().upper)
                              : axis->range().center();
    axis->scaleRange(factor, center);
  }
  replot(rpQueuedReplot);
}

// The neighbour of the chosen point among the marks, in the order of their series.
void FigureView::step(int direction) {
  std::vector<std::size_t> sources;
  for (const Mark& mark : m_painter->marks())
    if (mark.source) sources.push_back(*mark.source);
  if (sources.empty()) return;
  const auto current = m_session.point() ? std::ranges::find(sources, *m_session.point()) : sources.end();
  const auto count = static_cast<std::ptrdiff_t>(sources.size());
  const std::ptrdiff_t next = current == sources.end() ? 0 : (current - sources.begin() + direction + count) % count;
  m_session.setPoint(sources[static_cast<std::size_t>(next)]);
}

void FigureView::exportInteractively() {
  const QString name = words(figure().name) + QStringLiteral(".svg");
  const QString path =
      QFileDialog::getSaveFileName(this, tr("Export figure"), name, tr("Picture (*.svg *.pdf *.png);;Data (*.csv)"));
  if (path.isEmpty()) return;
  try {
    writeFigure(figure(), path);
  } catch (const std::exception& failure) {
    QMessageBox::warning(this, tr("Export figure"), words(failure.what()));
  }
}

void FigureView::copyImage() { QApplication::clipboard()->setPixmap(toPixmap()); }

void FigureView::copyData() { QApplication::clipboard()->setText(words(reports::figure_csv(figure()))); }

}  // namespace attnscope::viz
