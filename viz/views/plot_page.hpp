// SPDX-License-Identifier: Apache-2.0
// One of several plots of reports/figures, for the chosen family or context length.
#pragma once

#include <QComboBox>
#include <QLabel>
#include <QSplitter>

#include "viz/views/page.hpp"

namespace attnscope::viz {

struct PlotChoice {
  const char* plot;   // its name in reports/figures
  const char* title;  // in the list
};

class PlotPage : public Page {
 public:
  PlotPage(Session& session, std::vector<PlotChoice> choices, QWidget* parent = nullptr);

  QComboBox* plots() const { return m_plots; }

 protected:
  void refresh() override;
  /// Widgets added here stand below the plot.
  QSplitter* splitter() const { return m_splitter; }

 private:
  std::vector<PlotChoice> m_choices;
  QComboBox* m_plots;
  FigureView* m_view;
  QLabel* m_caption;
  QSplitter* m_splitter;
};

}  // namespace attnscope::viz
