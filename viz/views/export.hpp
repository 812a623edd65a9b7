// SPDX-License-Identifier: Apache-2.0
// Figures as files. Needs a QApplication, but no screen.
#pragma once

#include <qcustomplot.h>

#include <QStringList>

#include "reports/figure/figure.hpp"

namespace attnscope::viz {

/// Writes what `plot` shows to `path` as its ending (svg, pdf or png) says. Throws InputError when that fails.
void writePlot(QCustomPlot& plot, const QString& title, const QString& path, const QSize& size);

/// Writes `figure` to `path`: a picture as print shows it (svg, pdf, png), or its data (csv). Throws InputError.
void writeFigure(const reports::Figure& figure, const QString& path);

/// Writes each figure of each record to DIR/NAME.FORMAT, of several records into sub-folders named after the files: the
/// figures of `attnscope report`, by the same names. Returns the paths. Throws InputError naming the file.
QStringList exportRecords(const QStringList& files, const QString& folder, const QString& format);

}  // namespace attnscope::viz
