// SPDX-License-Identifier: Apache-2.0
// The whole window with a published record: every page, one choice seen everywhere, themes, filter, a real run.
#include <QDockWidget>
#include <QSettings>
#include <QTemporaryDir>

#include "viz/tests/testing.hpp"
#include "viz/views/accuracy_page.hpp"
#include "viz/views/attention_page.hpp"
#include "viz/views/compare_page.hpp"
#include "viz/views/environment_page.hpp"
#include "viz/views/run_page.hpp"
#include "viz/views/scaling_page.hpp"
#include "viz/views/table_page.hpp"
#include "viz/window/main_window.hpp"
#include "viz/window/pages.hpp"

namespace attnscope::viz {

class WindowTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() { QSettings().clear(); }
  void everyPageShowsAPublishedRecord();
  void oneChoiceIsSeenInEveryPage();
  void theBudgetNamesTheBestMethod();
  void aBaselineIsCompared();
  void theLayoutIsRemembered();
  void aShortRunArrivesInThePages();
  void theAttentionMapIsComputed();
  void theProgramExportsWithoutADisplay();
  void reportsTakeTheirPicturesFromTheDashboard();
};

void WindowTest::everyPageShowsAPublishedRecord() {
  Library library;
  Session session(library);
  MainWindow window(session);
  window.show();
  testing::openAll(library, {testing::published("decode_context.json")});
  for (const char* theme : {"light", "dark"}) {
    window.setTheme(theme);
    for (const PageEntry& entry : pages()) {
      window.showPage(entry.name);
      Page* page = window.page(entry.name);
      QTRY_VERIFY2(page->isVisible(), entry.name);
      page->refreshNow();
      for (FigureView* view : page->figures()) QVERIFY2(!view->painter().marks().empty(), entry.name);
      QVERIFY2(!page->grab().toImage().isNull(), entry.name);
    }
  }
  for (const char* name : {"accuracy", "scaling", "map", "stages", "roofline", "timeline"})
    QVERIFY2(!window.page(name)->figures().empty(), name);
  const auto* environment = static_cast<EnvironmentPage*>(window.page("environment"));
  QVERIFY(environment->rows().rows().rowCount() > 20);
}

void WindowTest::oneChoiceIsSeenInEveryPage() {
  Library library;
  Session session(library);
  MainWindow window(session);
  window.show();
  testing::openAll(library, {testing::published("decode_context.json")});
  window.showPage("accuracy");
  Page* accuracy = window.page("accuracy");
  QTRY_VERIFY(!accuracy->figures().empty());
  FigureView* view = accuracy->figures().front();
  const Mark mark = view->painter().marks().front();
  view->toPixmap(view->width(), view->height());
  QTest::mouseClick(view, Qt::LeftButton, {},
                    QPoint(qRound(view->xAxis->coordToPixel(mark.x)), qRound(view->yAxis->coordToPixel(mark.y))));
  QCOMPARE(session.point(), mark.source);

  for (const char* name : {"accuracy", "scaling", "stages", "roofline"}) {
    window.showPage(name);
    window.page(name)->refreshNow();
    int marked = 0;
    for (const FigureView* figure : window.page(name)->figures())
      for (const Mark& one : figure->painter().marks()) marked += one.source == mark.source;
    QVERIFY2(marked > 0, name);
  }
  window.showPage("table");
  const auto* table = static_cast<TablePage*>(window.page("table"));
  QTRY_VERIFY(table->table()->currentIndex().isValid());
  QCOMPARE(table->table()->currentIndex().siblingAtColumn(0).data().toString().toStdString(),
           session.dataset()->point(*mark.source).method);
}

void WindowTest::theBudgetNamesTheBestMethod() {
  Library library;
  Session session(library);
  MainWindow window(session);
  window.show();
  testing::openAll(library, {testing::published("decode_budget.json")});
  window.showPage("accuracy");
  auto* page = static_cast<AccuracyPage*>(window.page("accuracy"));
  page->refreshNow();
  page->setBudget(1e30);
  QVERIFY(page->bestWithinBudget());
  const double best = *session.dataset()->point(*page->bestWithinBudget()).accuracy.rel_l2;
  for (const std::size_t i : session.facet().points)
    if (const auto error = session.dataset()->point(i).accuracy.rel_l2) QVERIFY(best <= *error);
  page->setBudget(1);
  QVERIFY(!page->bestWithinBudget());
}

void WindowTest::aBaselineIsCompared() {
  Library library;
  Session session(library);
  MainWindow window(session);
  window.show();
  testing::openAll(library, {testing::published("decode_context.json")});
  session.setBaseline(session.dataset());  // against itself
  window.showPage("compare");
  const auto* page = static_cast<ComparePage*>(window.page("compare"));
  QTRY_COMPARE(page->rows().rows().rowCount(), static_cast<int>(session.dataset()->record->points.size()));
  for (int row = 0; row < page->rows().rows().rowCount(); ++row)
    QCOMPARE(page->rows().rows().index(row, 0).data().toString(), QStringLiteral("SAME"));
}

void WindowTest::theLayoutIsRemembered() {
  Library library;
  Session session(library);
  {
    MainWindow window(session);
    window.show();
    window.findChild<QDockWidget*>("roofline")->hide();
    window.close();
  }
  MainWindow window(session);
  window.show();
  QVERIFY(window.findChild<QDockWidget*>("roofline")->isHidden());
  QVERIFY(!window.findChild<QDockWidget*>("table")->isHidden());
  QSettings().clear();
}

void WindowTest::aShortRunArrivesInThePages() {
  qputenv("PATH", QByteArray(ATTNSCOPE_PROGRAM_DIR ":") + qgetenv("PATH"));
  if (attnscopeProgram().isEmpty()) QSKIP("the attnscope program has not been built");
  const QTemporaryDir folder;
  Library library;
  Session session(library);
  RunPage page(session);
  page.setConfig(QStringLiteral(ATTNSCOPE_SOURCE_DIR "/configs/smoke.json"));
  page.setOutput(folder.filePath("run.json"));
  QSignalSpy shown(&session, &Session::datasetChanged);
  page.start();
  QVERIFY(page.isRunning());
  QTRY_VERIFY_WITH_TIMEOUT(!page.isRunning(), 120000);
  QTRY_VERIFY_WITH_TIMEOUT(session.dataset() && session.dataset()->paths == QStringList{folder.filePath("run.json")},
                           10000);
  QVERIFY(!session.dataset()->record->points.empty());
  QVERIFY2(page.status().startsWith("Done"), qPrintable(page.status()));

  page.setConfig(QStringLiteral("/no/such/config.json"));
  page.start();
  QTRY_VERIFY_WITH_TIMEOUT(!page.isRunning(), 30000);
  QVERIFY2(page.status().contains("exit code 2"), qPrintable(page.status()));
}

void WindowTest::theAttentionMapIsComputed() {
  qputenv("PATH", QByteArray(ATTNSCOPE_PROGRAM_DIR ":") + qgetenv("PATH"));
  if (attnscopeProgram().isEmpty()) QSKIP("the attnscope program has not been built");
  Library library;
  Session session(library);
  session.setDataset(load(testing::published("quickstart.json")).dataset);
  for (std::size_t i = 0; i < session.dataset()->record->points.size(); ++i)
    if (session.dataset()->point(i).method == "streaming") session.setPoint(i);
  AttentionPage page(session);
  page.refreshNow();
  page.setLength(256);
  page.start();
  QTRY_VERIFY2_WITH_TIMEOUT(page.status().contains("kept"), qPrintable(page.status()), 60000);
}

void WindowTest::theProgramExportsWithoutADisplay() {
  const QTemporaryDir folder;
  const auto run = [&](const QStringList& arguments) {
    QProcess program;
    program.start(QStringLiteral(ATTNSCOPE_PROGRAM_DIR "/attnscope-viz"), arguments);
    program.waitForFinished(60000);
    return std::pair(program.exitCode(),
                     QString::fromUtf8(program.readAllStandardOutput() + program.readAllStandardError()));
  };
  const QString record = testing::published("decode_budget.json");
  const auto [code, text] = run({record, "--export", folder.path(), "--format", "pdf"});
  QCOMPARE(code, 0);
  QVERIFY2(text.contains("accuracy_flops-"), qPrintable(text));
  QVERIFY(!QDir(folder.path()).entryList({"*.pdf"}).isEmpty());
  QCOMPARE(run({record, "--export", folder.path(), "--format", "gif"}).first, 2);
  QCOMPARE(run({"/no/such/record.json", "--export", folder.path()}).first, 2);
  QCOMPARE(run({"--export", folder.path()}).first, 2);
  QVERIFY(run({"--help"}).second.contains("--baseline"));
}

void WindowTest::reportsTakeTheirPicturesFromTheDashboard() {
  const QString program = QStringLiteral(ATTNSCOPE_PROGRAM_DIR "/attnscope");
  if (!QFile::exists(program)) QSKIP("the attnscope program has not been built");
  const QTemporaryDir folder;
  QProcess report;
  report.start(program, {"report", testing::published("decode_budget.json"), "-o", folder.path()});
  QVERIFY(report.waitForFinished(60000));
  QCOMPARE(report.exitCode(), 0);
  QFile page(folder.filePath("report.html"));
  QVERIFY(page.open(QIODevice::ReadOnly));
  const QByteArray html = page.readAll();
  QVERIFY(html.count("<svg") >= 3);
  QCOMPARE(html.count("Generated with Qt"), html.count("<svg"));  // what Qt writes into every picture
}

}  // namespace attnscope::viz

QTEST_MAIN(attnscope::viz::WindowTest)
#include "window_test.moc"
