// SPDX-License-Identifier: Apache-2.0
// Every figure of records as picture files: the figures of `attnscope report`, by the same names.
#pragma once

#include <QString>
#include <QStringList>

namespace attnscope::viz {

/// Writes each figure of each record to DIR/NAME.FORMAT, of several records into sub-folders named after the files.
/// Returns the paths. Needs a QApplication, but no screen. Throws Error naming the file.
QStringList exportRecords(const QStringList& files, const QString& folder, const QString& format);

}  // namespace attnscope::viz
