// SPDX-License-Identifier: Apache-2.0
// `attnscope run` as a child process.
#pragma once

#include <QObject>
#include <QProcess>
#include <QStringList>
#include <cstdint>
#include <vector>

namespace attnscope::viz {

/// The attnscope program: beside this one, or else on the PATH; empty when it is in neither place.
QString attnscopeProgram();

struct RunRequest {
  QString config;
  QStringList methods;                 // none: all of the config
  std::vector<std::int64_t> contexts;  // none: all of the config
  QString device;                      // "", "cpu" or "cuda:N"
  QString output;                      // the record to write
};

/// The words after the program's name.
QStringList runArguments(const RunRequest& request);

/// `program` and `arguments` as they would be typed into a shell.
QString commandLine(const QString& program, const QStringList& arguments);

class RunProcess : public QObject {
  Q_OBJECT

 public:
  explicit RunProcess(QObject* parent = nullptr);
  /// Stops a run under way and waits for it.
  ~RunProcess() override;

  void start(const QString& program, const QStringList& arguments, const QString& folder = {});
  /// As Ctrl-C does: what was measured so far becomes a record. A second call kills.
  void stop();
  bool isRunning() const { return m_process.state() != QProcess::NotRunning; }

 signals:
  void said(const QString& text);
  /// `problem` is empty when the run ended well, else says how it ended.
  void ended(const QString& problem);

 private:
  QProcess m_process;
  bool m_stopping = false;
};

}  // namespace attnscope::viz
