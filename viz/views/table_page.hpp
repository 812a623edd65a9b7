// SPDX-License-Identifier: Apache-2.0
// Every point as a row.
#pragma once

#include <QTableView>

#include "viz/models/point_model.hpp"
#include "viz/views/page.hpp"

namespace attnscope::viz {

class TablePage : public Page {
 public:
  explicit TablePage(Session& session, QWidget* parent = nullptr);

  QTableView* table() const { return m_table; }

 protected:
  void refresh() override;

 private:
  void showChosen();

  AcceptedPoints m_points;
  QTableView* m_table;
  bool m_following = false;  // the selection is being set from the session, not by a person
};

}  // namespace attnscope::viz
