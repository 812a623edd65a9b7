// SPDX-License-Identifier: Apache-2.0
// Records and waiting, for the tests of the dashboard.
#pragma once

#include <QDir>
#include <QSignalSpy>
#include <QTest>

#include "harness/record/testing.hpp"
#include "viz/data/session.hpp"

namespace attnscope::viz::testing {

/// Limits of time mean something only where the compiler has done its work.
#ifdef NDEBUG
inline constexpr bool kOptimised = true;
#else
inline constexpr bool kOptimised = false;
#endif

inline DatasetPtr dataset() {
  return makeDataset(QStringLiteral("test"), {}, std::make_shared<const record::Record>(record::testing::record()));
}

/// The newest folder of published records that holds `file`.
inline QString published(const QString& file) {
  QDir folder(QStringLiteral(ATTNSCOPE_SOURCE_DIR "/reports/published"));
  for (const QString& name : folder.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name | QDir::Reversed))
    if (const QString path = folder.filePath(name + '/' + file); QFile::exists(path)) return path;
  qFatal("no published record %s", qPrintable(file));
}

/// Opens `paths` and waits until the library has settled.
inline void openAll(Library& library, const QStringList& paths) {
  QSignalSpy settled(&library, &Library::settled);
  library.open(paths);
  QVERIFY(settled.wait(30000));
}

}  // namespace attnscope::viz::testing
