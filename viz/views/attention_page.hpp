// SPDX-License-Identifier: Apache-2.0
// True attention and what the method attended, side by side, for a small problem like the chosen point's.
#pragma once

#include <QComboBox>
#include <QFutureWatcher>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QTemporaryDir>

#include "viz/data/attention_dump.hpp"
#include "viz/data/run_process.hpp"
#include "viz/views/page.hpp"

namespace attnscope::viz {

class AttentionPage : public Page {
 public:
  explicit AttentionPage(Session& session, QWidget* parent = nullptr);

  void setLength(std::int64_t kvLen);
  /// Runs the chosen point's problem, or the first method's of the shown facet, at the chosen length.
  void start();
  bool isBusy() const { return m_run.isRunning() || m_reading.isRunning(); }
  QString status() const { return m_status->text(); }

 protected:
  void refresh() override;
  void changeEvent(QEvent* event) override;

 private:
  std::optional<std::size_t> subject() const;
  void readHead();
  void paintMaps();
  void exportPlot(QCustomPlot& plot, const QString& title);

  QComboBox* m_length;
  QLineEdit* m_params;
  QSpinBox* m_head;
  QPushButton* m_start;
  QLabel* m_status;
  QCustomPlot* m_truth;
  QCustomPlot* m_selection;
  QCustomPlot* m_kept;
  RunProcess m_run;
  QTemporaryDir m_folder;
  QString m_log;
  QString m_dump;
  Shape m_shape;
  AttentionMap m_map;
  QFutureWatcher<std::pair<AttentionMap, QString>> m_reading;  // the map, or why there is none
};

}  // namespace attnscope::viz
