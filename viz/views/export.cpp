// SPDX-License-Identifier: Apache-2.0
#include "viz/views/export.hpp"

#include <QDir>
#include <QFileInfo>

#include "harness/base/error.hpp"
#include "harness/record/file.hpp"
#include "reports/figures/plots.hpp"
#include "viz/data/load.hpp"
#include "viz/views/figure_view.hpp"

namespace attnscope::viz {

QStringList exportRecords(const QStringList& files, const QString& folder, const QString& format) {
  const QStringList paths = recordFiles(files);
  QStringList written;
  QStringList used;
  for (const QString& path : paths) {
    QString place = folder;
    if (paths.size() > 1) {
      const QString stem = QFileInfo(path).completeBaseName();
      QString name = stem;
      for (int copy = 2; used.contains(name); ++copy) name = QStringLiteral("%1-%2").arg(stem).arg(copy);
      used.append(name);
      place += '/' + name;
    }
    const record::Record record = record::read_record(path.toStdString());
    if (!QDir().mkpath(place)) throw InputError(place.toStdString() + ": cannot be made");
    for (const reports::Figure& figure : reports::draw_all(record)) {
      written.append(QStringLiteral("%1/%2.%3").arg(place, QString::fromStdString(figure.name), format));
      exportFigure(figure, printTheme(), written.back());
    }
  }
  return written;
}

}  // namespace attnscope::viz
