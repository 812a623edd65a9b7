// SPDX-License-Identifier: Apache-2.0
// Where and how the record was made, and whether it can be compared with the others that are open.
#pragma once

#include <QLabel>

#include "viz/views/page.hpp"
#include "viz/views/rows_view.hpp"

namespace attnscope::viz {

class EnvironmentPage : public Page {
 public:
  explicit EnvironmentPage(Session& session, QWidget* parent = nullptr);

  QString warnings() const { return m_warnings->text(); }
  const RowsView& rows() const { return *m_rows; }

 protected:
  void refresh() override;

 private:
  QLabel* m_warnings;
  RowsView* m_rows;
};

}  // namespace attnscope::viz
