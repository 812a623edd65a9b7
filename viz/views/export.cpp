// SPDX-License-Identifier: Apache-2.0
#include "viz/views/export.hpp"

#include <QDir>
#include <QFileInfo>
#include <QSvgGenerator>
#include <algorithm>

#include "harness/base/error.hpp"
#include "harness/base/text_file.hpp"
#include "harness/record/file.hpp"
#include "reports/figures/plots.hpp"
#include "reports/formats/formats.hpp"
#include "viz/data/load.hpp"
#include "viz/data/words.hpp"
#include "viz/views/figure_painter.hpp"

namespace attnscope::viz {
namespace {

constexpr int kWidth = 900;
constexpr int kHeight = 560;
constexpr int kRowHeight = 18;  // of a category, so that its text can be read
constexpr int kTitleHeight = 140;

}  // namespace

void writePlot(QCustomPlot& plot, const QString& title, const QString& path, const QSize& size) {
  bool written = false;
  if (path.endsWith(QStringLiteral(".png"))) {
    written = plot.savePng(path, size.width(), size.height(), 2.0);
  } else if (path.endsWith(QStringLiteral(".pdf"))) {
    written = plot.savePdf(path, size.width(), size.height(), QCP::epNoCosmetic, QStringLiteral("attnscope"), title);
  } else if (path.endsWith(QStringLiteral(".svg"))) {
    QSvgGenerator svg;
    svg.setFileName(path);
    svg.setTitle(title);
    svg.setSize(size);
    svg.setViewBox(QRect(QPoint(0, 0), size));
    QCPPainter painter;
    written = painter.begin(&svg);
    painter.setMode(QCPPainter::pmVectorized);
    painter.setMode(QCPPainter::pmNoCaching);
    if (written) plot.toPainter(&painter, size.width(), size.height());
    written = written && painter.end();
  }
  if (!written) throw InputError(path.toStdString() + ": cannot be written as svg, pdf or png");
}

void writeFigure(const reports::Figure& figure, const QString& path) {
  if (path.endsWith(QStringLiteral(".csv"))) return write_text(path.toStdString(), reports::figure_csv(figure));
  QCustomPlot plot;
  FigurePainter(plot).paint(figure, printTheme());
  const auto rows = static_cast<int>(figure.y.categories.size());
  writePlot(plot, words(figure.title), path, {kWidth, std::max(kHeight, kRowHeight * rows + kTitleHeight)});
}

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
      written.append(QStringLiteral("%1/%2.%3").arg(place, words(figure.name), format));
      writeFigure(figure, written.back());
    }
  }
  return written;
}

}  // namespace attnscope::viz
