// SPDX-License-Identifier: Apache-2.0
#include "viz/views/scaling_page.hpp"

#include "viz/models/tables.hpp"

namespace attnscope::viz {

ScalingPage::ScalingPage(Session& session, QWidget* parent)
    : PlotPage(session,
               {{"scaling_time", "Time"},
                {"speedup_context", "Speed-up over dense"},
                {"scaling_flops", "FLOPs"},
                {"scaling_memory", "Memory"}},
               parent),
      m_breakEvens(new RowsView(session, breakEvenColumns())) {
  splitter()->addWidget(m_breakEvens);
  splitter()->setStretchFactor(1, 1);
  splitter()->setSizes({420, 150});
}

void ScalingPage::refresh() {
  PlotPage::refresh();
  const reports::Facet* family = session().family();
  m_breakEvens->setRows(family ? breakEvenRows(*session().dataset(), *family) : std::vector<TableRow>());
}

}  // namespace attnscope::viz
