// SPDX-License-Identifier: Apache-2.0
// Time, FLOPs and memory against the context length, and from where on a method pays.
#pragma once

#include "viz/views/plot_page.hpp"
#include "viz/views/rows_view.hpp"

namespace attnscope::viz {

class ScalingPage : public PlotPage {
 public:
  explicit ScalingPage(Session& session, QWidget* parent = nullptr);

  const RowsView& breakEvens() const { return *m_breakEvens; }

 protected:
  void refresh() override;

 private:
  RowsView* m_breakEvens;
};

}  // namespace attnscope::viz
