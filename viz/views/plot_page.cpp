// SPDX-License-Identifier: Apache-2.0
#include "viz/views/plot_page.hpp"

#include <QHBoxLayout>
#include <QVBoxLayout>

#include "reports/figures/plots.hpp"
#include "viz/data/words.hpp"

namespace attnscope::viz {

PlotPage::PlotPage(Session& session, std::vector<PlotChoice> choices, QWidget* parent)
    : Page(session, parent),
      m_choices(std::move(choices)),
      m_plots(new QComboBox),
      m_view(addFigure()),
      m_caption(new QLabel),
      m_splitter(new QSplitter(Qt::Vertical)) {
  for (const PlotChoice& choice : m_choices) m_plots->addItem(tr(choice.title));
  m_plots->setVisible(m_choices.size() > 1);
  m_plots->setAccessibleName(tr("Plot"));
  m_caption->setWordWrap(true);
  m_caption->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  m_splitter->addWidget(m_view);
  m_splitter->setStretchFactor(0, 3);

  auto* top = new QHBoxLayout;
  top->addWidget(m_plots);
  top->addWidget(m_caption, 1);
  auto* layout = new QVBoxLayout(this);
  layout->addLayout(top);
  layout->addWidget(m_splitter, 1);
  connect(m_plots, &QComboBox::currentIndexChanged, this, [this] { invalidate(); });
}

void PlotPage::refresh() {
  const reports::Facet* family = session().family();
  if (!family) {
    m_caption->setText(tr("Nothing to show."));
    return m_view->setFigure({});
  }
  const reports::Plot& plot = reports::plot(m_choices[static_cast<std::size_t>(m_plots->currentIndex())].plot);
  const reports::Facet facet = plot.across == reports::Across::kv_len ? *family : session().facet();
  const reports::Figure figure = reports::draw(plot, session().dataset()->wording, facet);
  m_view->setFigure(figure);
  m_caption->setText(figure.series.empty() ? tr("Nothing to show: these points have not been measured for that.")
                                           : words(figure.caption));
}

}  // namespace attnscope::viz
