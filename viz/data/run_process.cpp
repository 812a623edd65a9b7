// SPDX-License-Identifier: Apache-2.0
#include "viz/data/run_process.hpp"

#include <signal.h>

#include <QCoreApplication>
#include <QRegularExpression>
#include <QStandardPaths>

namespace attnscope::viz {
namespace {

constexpr int kPatienceMs = 5000;  // for a run to write its record after it was interrupted

QString alternatives(const QStringList& words) { return '(' + words.join('|') + ')'; }

}  // namespace

QString attnscopeProgram() {
  const QString name = QStringLiteral("attnscope");
  const QString beside = QStandardPaths::findExecutable(name, {QCoreApplication::applicationDirPath()});
  return beside.isEmpty() ? QStandardPaths::findExecutable(name) : beside;
}

// A point's key is METHOD/BACKEND/PHASE/.../N65536/...; the filter is a regular expression on it.
QStringList runArguments(const RunRequest& request) {
  QStringList words{QStringLiteral("run"), request.config, QStringLiteral("-o"), request.output};
  QString filter;
  if (!request.methods.isEmpty()) filter = '^' + alternatives(request.methods) + '/';
  if (!request.contexts.empty()) {
    QStringList lengths;
    for (const std::int64_t length : request.contexts) lengths.append(QString::number(length));
    filter += (filter.isEmpty() ? "/N" : ".*/N") + alternatives(lengths) + '/';
  }
  if (!filter.isEmpty()) words << QStringLiteral("--filter") << filter;
  if (!request.device.isEmpty()) words << QStringLiteral("--device") << request.device;
  return words;
}

QString commandLine(const QString& program, const QStringList& arguments) {
  static const QRegularExpression plain(QStringLiteral("^[A-Za-z0-9_./:=,+-]+$"));
  QStringList words;
  for (QString word : QStringList{program} + arguments) {
    if (!plain.match(word).hasMatch()) word = '\'' + word.replace('\'', QStringLiteral("'\\''")) + '\'';
    words.append(word);
  }
  return words.join(' ');
}

RunProcess::RunProcess(QObject* parent) : QObject(parent) {
  m_process.setProcessChannelMode(QProcess::MergedChannels);
  connect(&m_process, &QProcess::readyRead, this, [this] { emit said(QString::fromUtf8(m_process.readAll())); });
  connect(&m_process, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
    if (error == QProcess::FailedToStart) emit ended(tr("cannot be started: %1").arg(m_process.errorString()));
  });
  connect(&m_process, &QProcess::finished, this, [this](int code, QProcess::ExitStatus status) {
    const bool stopped = std::exchange(m_stopping, false);
    if (status == QProcess::CrashExit)
      emit ended(stopped ? tr("killed") : tr("crashed"));
    else
      emit ended(code == 0 ? QString() : stopped ? tr("stopped") : tr("ended with exit code %1").arg(code));
  });
}

RunProcess::~RunProcess() {
  m_process.disconnect(this);
  if (!isRunning()) return;
  stop();
  if (!m_process.waitForFinished(kPatienceMs)) m_process.kill();
  m_process.waitForFinished(kPatienceMs);
}

void RunProcess::start(const QString& program, const QStringList& arguments, const QString& folder) {
  m_process.setWorkingDirectory(folder);
  m_process.start(program, arguments);
}

void RunProcess::stop() {
  if (!isRunning()) return;
  if (std::exchange(m_stopping, true))
    m_process.kill();
  else
    ::kill(static_cast<pid_t>(m_process.processId()), SIGINT);
}

}  // namespace attnscope::viz
