// SPDX-License-Identifier: Apache-2.0
#include "viz/views/timeline_page.hpp"

#include <QVBoxLayout>

#include "reports/figure/timeline.hpp"
#include "viz/data/words.hpp"

namespace attnscope::viz {

TimelinePage::TimelinePage(Session& session, QWidget* parent)
    : Page(session, parent), m_view(addFigure()), m_caption(new QLabel) {
  m_caption->setWordWrap(true);
  m_view->describe = [](const Mark& mark) { return mark.label; };
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(m_caption);
  layout->addWidget(m_view, 1);
  connect(&session, &Session::pointChanged, this, [this] { invalidate(); });
}

void TimelinePage::refresh() {
  // Until a point is chosen, the last of the list: behind dense, a method that chooses first.
  auto point = session().point();
  if (const reports::Facet facet = session().facet(); !point && !facet.points.empty()) point = facet.points.back();
  if (!point) {
    m_caption->setText(tr("Choose a point in any page to see its kernels."));
    return m_view->setFigure({});
  }
  const reports::Figure figure = reports::timeline_figure(session().dataset()->wording, *point);
  m_view->setFigure(figure);
  m_caption->setText(figure.series.empty() ? tr("This point has neither kernels nor stages with times.")
                                           : words(figure.caption));
}

}  // namespace attnscope::viz
