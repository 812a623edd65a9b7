// SPDX-License-Identifier: Apache-2.0
#include "viz/views/page.hpp"

#include <QTimer>

namespace attnscope::viz {

Page::Page(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
  connect(&session, &Session::viewChanged, this, &Page::invalidate);
}

std::vector<FigureView*> Page::figures() const {
  std::vector<FigureView*> out;
  for (FigureView* view : m_figures)
    if (!view->figure().series.empty() && !view->isHidden()) out.push_back(view);
  return out;
}

void Page::refreshNow() {
  if (!m_stale) return;
  m_stale = false;
  refresh();
}

void Page::invalidate() {
  if (m_stale) return;  // drawn when shown, or by the timer under way
  m_stale = true;
  if (isVisible()) QTimer::singleShot(0, this, &Page::refreshNow);
}

FigureView* Page::addFigure() {
  m_figures.push_back(new FigureView(m_session, this));
  return m_figures.back();
}

void Page::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  refreshNow();
}

}  // namespace attnscope::viz
