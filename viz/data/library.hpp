// SPDX-License-Identifier: Apache-2.0
// The open record files: read in the background, watched, and joined by machine.
#pragma once

#include <QFileSystemWatcher>
#include <QFutureWatcher>
#include <QObject>
#include <QTimer>
#include <vector>

#include "viz/data/load.hpp"

namespace attnscope::viz {

class Library : public QObject {
  Q_OBJECT

 public:
  explicit Library(QObject* parent = nullptr);
  ~Library() override;

  /// Reads files and folders; results arrive one by one with filesChanged(). A file that is open already is read again.
  void open(const QStringList& paths);
  void close(const QString& path);
  /// That file is never joined with others: a baseline.
  void keepApart(const QString& path) { m_apart = path; }
  /// Gives up what is still being read; what has arrived stays.
  void cancel();
  bool isLoading() const { return m_reading.isRunning() || !m_waiting.isEmpty(); }

  /// Every open file in the order of opening, those that could not be read with their reason.
  const std::vector<Loaded>& files() const { return m_files; }

  /// What can be shown: first, for each machine with several records, all of them joined; then every record.
  std::vector<DatasetPtr> datasets() const;

 signals:
  void filesChanged();
  /// The datasets are complete: everything asked for was read and joined.
  void settled();
  void progressed(int done, int total);

 private:
  void startReading();
  void accept(const Loaded& loaded);
  void startJoining();
  void watch(const QString& path);

  std::vector<Loaded> m_files;
  std::vector<DatasetPtr> m_joined;
  int m_batch = 0;  // files in the batch that is being read
  QString m_apart;
  QStringList m_waiting;  // asked for while another batch is being read
  QStringList m_changed;  // on disk, read again once they have been quiet for a moment
  QFutureWatcher<Loaded> m_reading;
  QFutureWatcher<std::vector<DatasetPtr>> m_joining;
  QFileSystemWatcher m_watcher;
  QTimer m_quiet;
};

}  // namespace attnscope::viz
