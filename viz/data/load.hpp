// SPDX-License-Identifier: Apache-2.0
// Reading record files, away from the thread of the window.
#pragma once

#include <QString>
#include <QStringList>

#include "viz/data/dataset.hpp"

namespace attnscope::viz {

/// What became of one file: a dataset, or the reason why there is none, one line that names the file.
struct Loaded {
  QString path;
  DatasetPtr dataset;
  QString error;
};

/// Reads a record, or the journal of a run under way (*.journal, points without context). Never throws.
Loaded load(const QString& path);

/// `paths` with each folder replaced by the records (*.json) below it, in alphabetical order; absolute, no duplicates.
QStringList recordFiles(const QStringList& paths);

}  // namespace attnscope::viz
