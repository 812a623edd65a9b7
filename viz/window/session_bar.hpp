// SPDX-License-Identifier: Apache-2.0
// What all pages show, chosen in one place: record, family of points, context length, filter.
#pragma once

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QSlider>
#include <QToolBar>

#include "viz/data/session.hpp"

namespace attnscope::viz {

class SessionBar : public QToolBar {
 public:
  explicit SessionBar(Session& session, QWidget* parent = nullptr);

  QLineEdit* filterEdit() const { return m_filter; }

 private:
  void showDatasets();
  void showFamilies();
  void showContexts();
  void fillMethodMenu();

  Session& m_session;
  QComboBox* m_datasets;
  QComboBox* m_families;
  QSlider* m_contexts;
  QLabel* m_context;
  QLineEdit* m_filter;
  QMenu* m_methods;
};

}  // namespace attnscope::viz
