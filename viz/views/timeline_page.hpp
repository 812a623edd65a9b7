// SPDX-License-Identifier: Apache-2.0
// The kernels of the chosen point.
#pragma once

#include <QLabel>

#include "viz/views/page.hpp"

namespace attnscope::viz {

class TimelinePage : public Page {
 public:
  explicit TimelinePage(Session& session, QWidget* parent = nullptr);

 protected:
  void refresh() override;

 private:
  FigureView* m_view;
  QLabel* m_caption;
};

}  // namespace attnscope::viz
