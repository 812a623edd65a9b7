// SPDX-License-Identifier: Apache-2.0
// Starts `attnscope run`; its points arrive in all pages while it measures.
#pragma once

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTimer>

#include "viz/data/run_process.hpp"
#include "viz/views/page.hpp"

namespace attnscope::viz {

class RunPage : public Page {
 public:
  explicit RunPage(Session& session, QWidget* parent = nullptr);

  /// What the form asks for.
  RunRequest request() const;
  void setConfig(const QString& path);
  void setContexts(const QString& lengths) { m_contexts->setText(lengths); }
  void setOutput(const QString& path) { m_output->setText(path); }
  void start();
  void stop() { m_run.stop(); }
  bool isRunning() const { return m_run.isRunning(); }
  QString status() const { return m_status->text(); }

 protected:
  void refresh() override;

 private:
  void askRegistry();
  void showJournal();
  void showProgress();
  void end(const QString& problem);
  void showState();
  QString journal() const { return m_record + QStringLiteral(".journal"); }

  QComboBox* m_configs;
  QListWidget* m_methods;
  QLineEdit* m_contexts;
  QComboBox* m_device;
  QLineEdit* m_output;
  QPushButton* m_start;
  QPushButton* m_stop;
  QLabel* m_status;
  QPlainTextEdit* m_log;
  RunProcess m_run;
  QTimer m_poll;
  QString m_record;  // that the run under way will write
  qint64 m_journalSize = 0;
  bool m_asked = false;  // the registry
};

}  // namespace attnscope::viz
