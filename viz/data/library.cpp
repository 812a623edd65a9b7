// SPDX-License-Identifier: Apache-2.0
#include "viz/data/library.hpp"

#include <QFileInfo>
#include <QMap>
#include <QPromise>
#include <QtConcurrent>
#include <algorithm>

namespace attnscope::viz {
namespace {

constexpr int kQuietMs = 200;  // a file that is being written changes many times

void readAll(QPromise<Loaded>& promise, const QStringList& paths) {
  for (const QString& path : paths) {
    if (promise.isCanceled()) return;
    promise.addResult(load(path));
  }
}

std::vector<DatasetPtr> joinByMachine(const std::vector<DatasetPtr>& datasets) {
  QMap<QString, std::vector<DatasetPtr>> machines;
  for (const DatasetPtr& one : datasets)
    if (const QString machine = machineOf(*one->record); !machine.isEmpty()) machines[machine].push_back(one);
  std::vector<DatasetPtr> joined;
  for (const auto& members : machines)
    if (members.size() > 1) joined.push_back(join(members));
  return joined;
}

}  // namespace

Library::Library(QObject* parent) : QObject(parent) {
  m_quiet.setSingleShot(true);
  m_quiet.setInterval(kQuietMs);
  connect(&m_quiet, &QTimer::timeout, this, [this] { open(std::exchange(m_changed, {})); });
  connect(&m_watcher, &QFileSystemWatcher::fileChanged, this, [this](const QString& path) {
    if (!m_changed.contains(path)) m_changed.append(path);
    m_quiet.start();
  });
  connect(&m_reading, &QFutureWatcher<Loaded>::resultReadyAt, this, [this](int i) { accept(m_reading.resultAt(i)); });
  connect(&m_reading, &QFutureWatcher<Loaded>::finished, this, [this] {
    if (m_waiting.isEmpty())
      startJoining();
    else
      startReading();
  });
  connect(&m_joining, &QFutureWatcher<std::vector<DatasetPtr>>::finished, this, [this] {
    if (m_joining.isCanceled()) return;
    m_joined = m_joining.result();
    emit settled();
  });
}

Library::~Library() {
  cancel();
  m_reading.waitForFinished();
  m_joining.waitForFinished();
}

void Library::open(const QStringList& paths) {
  for (const QString& path : recordFiles(paths))
    if (!m_waiting.contains(path)) m_waiting.append(path);
  if (!m_reading.isRunning() && !m_waiting.isEmpty()) startReading();
}

void Library::close(const QString& path) {
  std::erase_if(m_files, [&](const Loaded& file) { return file.path == path; });
  m_watcher.removePath(path);
  emit filesChanged();
  if (!isLoading()) startJoining();
}

void Library::cancel() {
  m_waiting.clear();
  m_reading.cancel();
}

std::vector<DatasetPtr> Library::datasets() const {
  std::vector<DatasetPtr> all = m_joined;
  for (const Loaded& file : m_files)
    if (file.dataset) all.push_back(file.dataset);
  return all;
}

void Library::startReading() {
  m_batch = static_cast<int>(m_waiting.size());
  m_reading.setFuture(QtConcurrent::run(readAll, std::exchange(m_waiting, {})));
}

void Library::accept(const Loaded& loaded) {
  if (m_reading.isCanceled()) return;
  const auto known = std::ranges::find(m_files, loaded.path, &Loaded::path);
  if (known == m_files.end())
    m_files.push_back(loaded);
  else
    *known = {loaded.path, loaded.dataset ? loaded.dataset : known->dataset, loaded.error};  // the last good one stays
  watch(loaded.path);
  emit progressed(static_cast<int>(m_reading.future().resultCount()), m_batch);
  emit filesChanged();
}

void Library::startJoining() {
  std::vector<DatasetPtr> datasets;
  for (const Loaded& file : m_files)
    if (file.dataset && file.path != m_apart) datasets.push_back(file.dataset);
  m_joining.setFuture(QtConcurrent::run(joinByMachine, datasets));
}

// A file that was replaced by another of the same name is no longer watched: writers that rename do that.
void Library::watch(const QString& path) {
  if (QFileInfo::exists(path) && !m_watcher.files().contains(path)) m_watcher.addPath(path);
}

}  // namespace attnscope::viz
