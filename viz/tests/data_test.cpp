// SPDX-License-Identifier: Apache-2.0
// Loading, filtering, the shared selection, and the command lines of runs: without a screen.
#include <QFile>
#include <QTemporaryDir>
#include <cmath>
#include <ctime>

#include "harness/base/error.hpp"
#include "harness/record/file.hpp"
#include "harness/workload/safetensors.hpp"
#include "viz/data/attention_dump.hpp"
#include "viz/data/run_process.hpp"
#include "viz/tests/testing.hpp"

namespace attnscope::viz {
namespace {

void writeFile(const QString& path, const QByteArray& text) {
  QFile file(path);
  QVERIFY(file.open(QIODevice::WriteOnly));
  file.write(text);
}

record::Record manyPoints(int count) {
  record::Record record{.context = record::testing::context(), .points = {}};
  for (int i = 0; i < count; ++i) {
    record.points.push_back(record::testing::point(i % 5 == 0 ? "dense" : "quest", 1024 + 64 * (i / 50), 0.5, 1000));
    record.points.back().params["budget"] = i % 50;
  }
  return record;
}

}  // namespace

class DataTest : public QObject {
  Q_OBJECT

 private slots:
  void aDamagedFileSaysWhatIsWrongAndLeavesTheRest();
  void aFileThatChangesIsReadAgainAndAStaleOneStays();
  void recordsOfOneMachineAreJoined();
  void cancellingKeepsWhatHasArrived();
  void tenThousandPointsLoadInAMoment();
  void theFilterTakesWordsAndIsUndoable();
  void aChosenPointBringsItsFamilyAndContext();
  void aReloadKeepsTheChosenPoint();
  void aFolderIsItsRecords();
  void commandLinesAreQuoted();
  void aRunThatCannotStartSaysSo();
  void aDumpBecomesTheAttentionOfOneHead();
};

void DataTest::aDamagedFileSaysWhatIsWrongAndLeavesTheRest() {
  const QTemporaryDir folder;
  const QString good = folder.filePath("good.json");
  record::write_record(good.toStdString(), record::testing::record());
  writeFile(folder.filePath("damaged.json"), "{\"context\": {");
  writeFile(folder.filePath("foreign.json"), "{\"name\": \"something else\"}");
  writeFile(folder.filePath("future.json"), "{\"attnscope\": {\"schema_version\": 999, \"points\": []}}");
  Library library;
  testing::openAll(library, {folder.path(), folder.filePath("missing.json")});
  QCOMPARE(library.datasets().size(), std::size_t{1});
  for (const Loaded& file : library.files()) {
    if (file.path == good) {
      QCOMPARE(file.error, QString());
      continue;
    }
    QVERIFY2(file.error.contains(QFileInfo(file.path).fileName()), qPrintable(file.error));
    if (file.path.endsWith("future.json")) QVERIFY(file.error.contains("newer"));
  }
  QCOMPARE(library.files().size(), std::size_t{5});
}

void DataTest::aFileThatChangesIsReadAgainAndAStaleOneStays() {
  const QTemporaryDir folder;
  const QString path = folder.filePath("one.json");
  record::Record record = record::testing::record();
  record::write_record(path.toStdString(), record);
  Library library;
  testing::openAll(library, {path});
  QSignalSpy settled(&library, &Library::settled);
  record.points.pop_back();
  record::write_record(path.toStdString(), record);
  QVERIFY(settled.wait(10000));
  QCOMPARE(library.datasets().front()->record->points.size(), record.points.size());

  writeFile(path, "half a rec");
  QVERIFY(settled.wait(10000));
  QVERIFY(!library.files().front().error.isEmpty());
  QCOMPARE(library.datasets().front()->record->points.size(), record.points.size());
}

void DataTest::recordsOfOneMachineAreJoined() {
  const QTemporaryDir folder;
  record::Record first = record::testing::record();
  record::Record second = first;
  second.context["date"] = "2026-02-01T00:00:00+00:00";
  second.points.resize(2);
  second.points[0].time->median_ns = 42;  // measured again
  second.points[1].params["budget"] = 7;  // new
  record::Record elsewhere = first;
  elsewhere.context["machine"]["cpu_model"] = "Another CPU";
  record::write_record(folder.filePath("a.json").toStdString(), first);
  record::write_record(folder.filePath("b.json").toStdString(), second);
  record::write_record(folder.filePath("c.json").toStdString(), elsewhere);
  Library library;
  testing::openAll(library, {folder.path()});
  const auto all = library.datasets();
  QCOMPARE(all.size(), std::size_t{4});
  QCOMPARE(all[0]->name, QStringLiteral("Test CPU · 2 records"));
  QCOMPARE(all[0]->record->points.size(), first.points.size() + 1);
  QCOMPARE(all[0]->point(0).time->median_ns, 42.0);  // the later one stays
}

void DataTest::cancellingKeepsWhatHasArrived() {
  const QTemporaryDir folder;
  for (int i = 0; i < 30; ++i)
    record::write_record(folder.filePath(QStringLiteral("%1.json").arg(i)).toStdString(), manyPoints(100));
  Library library;
  connect(&library, &Library::filesChanged, &library, [&] { library.cancel(); });
  QSignalSpy settled(&library, &Library::settled);
  library.open({folder.path()});
  QVERIFY(settled.wait(30000));
  QCOMPARE(library.files().size(), std::size_t{1});
}

void DataTest::tenThousandPointsLoadInAMoment() {
  if (!testing::kOptimised) QSKIP("an unoptimised build");
  const QTemporaryDir folder;
  const QString path = folder.filePath("many.json");
  record::write_record(path.toStdString(), manyPoints(10000));
  const Loaded once = load(path);  // the file is in the cache of the machine from now on
  QVERIFY2(once.dataset, qPrintable(once.error));
  // Processor time, since other work on the machine is not ours; twice what it takes, since machines differ.
  const std::clock_t begin = std::clock();
  QCOMPARE(load(path).dataset->labels.size(), std::size_t{10000});
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  QVERIFY2(seconds < 2, qPrintable(QStringLiteral("%1 s").arg(seconds)));
}

void DataTest::theFilterTakesWordsAndIsUndoable() {
  Library library;
  Session session(library);
  session.setDataset(testing::dataset());
  session.setFilter({.text = "QUEST -128k"});
  QCOMPARE(session.families().front().points.size(), std::size_t{3});
  session.setFilter({.text = "QUEST -128k 64k"});
  QCOMPARE(session.families().front().points.size(), std::size_t{1});
  session.setFilter({.text = "QUEST -128k 64k", .hiddenMethods = {"quest"}});
  QVERIFY(session.families().empty());
  QVERIFY(!session.family() && !session.context() && session.facet().points.empty());
  session.undoStack().undo();
  QCOMPARE(session.families().front().points.size(), std::size_t{1});
  session.undoStack().undo();  // all of the typing at once
  QCOMPARE(session.filter(), Filter());
  QCOMPARE(session.families().front().points.size(), std::size_t{12});
  session.undoStack().redo();
  QCOMPARE(session.families().front().points.size(), std::size_t{1});
}

void DataTest::aChosenPointBringsItsFamilyAndContext() {
  Library library;
  Session session(library);
  session.setDataset(testing::dataset());
  QCOMPARE(session.context(), std::optional<std::int64_t>(524288));  // the longest to begin with
  QSignalSpy chosen(&session, &Session::pointChanged);
  session.setPoint(1);
  QCOMPARE(chosen.count(), 1);
  QCOMPARE(session.context(), std::optional<std::int64_t>(65536));
  QCOMPARE(session.facet().points, (std::vector<std::size_t>{0, 1, 2}));
  session.setContext(131072);
  session.setContext(3);  // there is none of that length
  QCOMPARE(session.context(), std::optional<std::int64_t>(131072));
}

void DataTest::aReloadKeepsTheChosenPoint() {
  Library library;
  Session session(library);
  session.setDataset(testing::dataset());
  session.setPoint(4);
  record::Record shorter = record::testing::record();
  shorter.points.erase(shorter.points.begin());
  session.setDataset(makeDataset("again", {}, std::make_shared<const record::Record>(shorter)));
  QCOMPARE(session.point(), std::optional<std::size_t>(3));
  session.setDataset(nullptr);
  QCOMPARE(session.point(), std::nullopt);
}

void DataTest::aFolderIsItsRecords() {
  const QStringList files = recordFiles({QStringLiteral(ATTNSCOPE_SOURCE_DIR "/reports/published")});
  QVERIFY(files.contains(testing::published("decode_context.json")));
  QVERIFY(files.contains(testing::published("decode_budget.json")));
}

void DataTest::commandLinesAreQuoted() {
  const QStringList words = runArguments({.config = "my configs/a.json",
                                          .methods = {"quest", "dense"},
                                          .contexts = {4096, 65536},
                                          .device = "cpu",
                                          .output = "out.json"});
  QCOMPARE(commandLine("attnscope", words), QStringLiteral("attnscope run 'my configs/a.json' -o out.json --filter "
                                                           "'^(quest|dense)/.*/N(4096|65536)/' --device cpu"));
  QCOMPARE(runArguments({.config = "c", .methods = {}, .contexts = {64}, .device = {}, .output = "o"}).value(5),
           QStringLiteral("/N(64)/"));
}

void DataTest::aRunThatCannotStartSaysSo() {
  RunProcess run;
  QSignalSpy ended(&run, &RunProcess::ended);
  run.start(QStringLiteral("/no/such/program"), {});
  QVERIFY(ended.count() == 1 || ended.wait(5000));
  QVERIFY(!ended.front().front().toString().isEmpty());
}

// Two query heads share one KV head of two keys; head 1 prefers key 0 by a logit difference of ln 3.
void DataTest::aDumpBecomesTheAttentionOfOneHead() {
  const QTemporaryDir folder;
  const QString path = folder.filePath("dump.safetensors");
  const Shape shape{.batch = 1,
                    .q_heads = 2,
                    .kv_heads = 1,
                    .head_dim = 4,
                    .q_len = 2,
                    .kv_len = 2,
                    .causal = true,
                    .dtype = Dtype::f32};
  const float unit = 2 * std::log(3.0f);  // the scale is 1/√4
  const std::vector<float> q{0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0};
  const std::vector<float> k{unit, 0, 0, 0, 0, 0, 0, 0};
  const std::vector<std::uint8_t> mask{1, 0, 1, 1, 1, 0, 1, 0};
  write_safetensors(path.toStdString(), std::vector<TensorToWrite>{{"q", "F32", {1, 2, 2, 4}, q.data()},
                                                                   {"k", "F32", {1, 1, 2, 4}, k.data()},
                                                                   {"mask", "U8", {1, 2, 2, 2}, mask.data()}});
  const AttentionMap map = readAttentionMap(path, shape, 1);
  QCOMPARE(map.weight[0], 1.0f);  // query 0 sees key 0 alone
  QCOMPARE(map.weight[1], 0.0f);
  QVERIFY(std::abs(map.weight[2] - 0.75f) < 1e-6f);
  QVERIFY(std::abs(map.weight[3] - 0.25f) < 1e-6f);
  QCOMPARE(map.attended, (std::vector<std::uint8_t>{1, 0, 1, 0}));
  QVERIFY(std::abs(map.kept[1] - 0.75f) < 1e-6f);
  Shape other = shape;
  other.kv_len = 3;
  QVERIFY_EXCEPTION_THROWN(readAttentionMap(path, other, 0), InputError);
}

}  // namespace attnscope::viz

QTEST_GUILESS_MAIN(attnscope::viz::DataTest)
#include "data_test.moc"
