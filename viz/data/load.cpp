// SPDX-License-Identifier: Apache-2.0
#include "viz/data/load.hpp"

#include <QDirIterator>
#include <QFileInfo>

#include "harness/record/file.hpp"
#include "harness/record/journal.hpp"

namespace attnscope::viz {
namespace {

record::Record read(const QString& path) {
  if (path.endsWith(QStringLiteral(".journal")))
    return {.context = nlohmann::json::object(), .points = record::read_journal(path.toStdString())};
  return record::read_record(path.toStdString());
}

}  // namespace

Loaded load(const QString& path) {
  try {
    auto record = std::make_shared<const record::Record>(read(path));
    return {path, makeDataset(QFileInfo(path).completeBaseName(), {path}, std::move(record)), {}};
  } catch (const std::exception& failure) {
    return {path, nullptr, QString::fromStdString(failure.what())};
  }
}

QStringList recordFiles(const QStringList& paths) {
  QStringList files;
  for (const QString& path : paths) {
    const QFileInfo info(path);
    if (!info.isDir()) {
      files.append(info.absoluteFilePath());
      continue;
    }
    QStringList found;
    QDirIterator folder(info.absoluteFilePath(), {QStringLiteral("*.json")}, QDir::Files, QDirIterator::Subdirectories);
    while (folder.hasNext()) found.append(folder.next());
    found.sort();
    files.append(found);
  }
  files.removeDuplicates();
  return files;
}

}  // namespace attnscope::viz
