// SPDX-License-Identifier: Apache-2.0
// attnscope-viz: looks at records in a window, or draws their figures without one.
#include <fmt/format.h>

#include <QApplication>
#include <QCommandLineParser>
#include <algorithm>

#include "harness/base/error.hpp"
#include "viz/data/session.hpp"
#include "viz/views/export.hpp"
#include "viz/window/main_window.hpp"

namespace {

using namespace attnscope;

constexpr int kBadInput = 2;
constexpr int kFailed = 4;

const QStringList kFormats{QStringLiteral("svg"), QStringLiteral("pdf"), QStringLiteral("png")};

int exportFigures(const QStringList& files, const QString& folder, const QString& format) {
  if (files.isEmpty()) throw InputError("--export: expected records to draw");
  if (!kFormats.contains(format))
    throw InputError(fmt::format("--format: expected svg, pdf or png, found '{}'", format.toStdString()));
  for (const QString& path : viz::exportRecords(files, folder, format)) fmt::print("{}\n", path.toStdString());
  return 0;
}

int showWindow(const QStringList& files, const QString& baseline) {
  viz::Library library;
  viz::Session session(library);
  viz::MainWindow window(session);
  window.show();
  QStringList paths = files;
  if (!baseline.isEmpty()) {
    const QString path = viz::recordFiles({baseline}).value(0);
    session.setBaselinePath(path);
    paths.append(path);
  }
  library.open(paths);
  return QApplication::exec();
}

// Exporting and answering need no display.
bool opensAWindow(int argc, char** argv) {
  const QStringList words(argv + 1, argv + argc);
  return std::ranges::none_of(words, [](const QString& word) {
    static const QStringList answers{QStringLiteral("-h"), QStringLiteral("--help"), QStringLiteral("-v"),
                                     QStringLiteral("--version")};
    return word.startsWith(QStringLiteral("--export")) || answers.contains(word);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (!opensAWindow(argc, argv)) qputenv("QT_QPA_PLATFORM", "offscreen");
  QApplication app(argc, argv);
  QApplication::setOrganizationName(QStringLiteral("attnscope"));
  QApplication::setApplicationName(QStringLiteral("attnscope-viz"));
  QApplication::setApplicationVersion(QStringLiteral(ATTNSCOPE_VERSION));

  QCommandLineParser parser;
  parser.setApplicationDescription(QStringLiteral("Looks at what attnscope measured."));
  parser.addHelpOption();
  parser.addVersionOption();
  parser.addPositionalArgument(QStringLiteral("files"), QStringLiteral("Records, or folders of them."),
                               QStringLiteral("[FILES...]"));
  parser.addOptions({{QStringLiteral("baseline"), QStringLiteral("Record to compare with."), QStringLiteral("FILE")},
                     {QStringLiteral("export"),
                      QStringLiteral("Write every figure into DIR and exit; needs no display."), QStringLiteral("DIR")},
                     {QStringLiteral("format"), QStringLiteral("svg, pdf or png [svg]."), QStringLiteral("FORMAT"),
                      QStringLiteral("svg")}});
  parser.process(app);
  try {
    if (parser.isSet(QStringLiteral("export")))
      return exportFigures(parser.positionalArguments(), parser.value(QStringLiteral("export")),
                           parser.value(QStringLiteral("format")));
    return showWindow(parser.positionalArguments(), parser.value(QStringLiteral("baseline")));
  } catch (const InputError& error) {
    fmt::print(stderr, "attnscope-viz: {}\n", error.what());
    return kBadInput;
  } catch (const std::exception& error) {
    fmt::print(stderr, "attnscope-viz: {}\n", error.what());
    return kFailed;
  }
}
