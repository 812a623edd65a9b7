// SPDX-License-Identifier: Apache-2.0
// The item models and what they say: without a screen.
#include <QAbstractItemModelTester>

#include "viz/data/attention_dump.hpp"
#include "viz/models/point_columns.hpp"
#include "viz/models/point_model.hpp"
#include "viz/models/table_text.hpp"
#include "viz/models/tables.hpp"
#include "viz/tests/testing.hpp"

namespace attnscope::viz {

class ModelsTest : public QObject {
  Q_OBJECT

 private slots:
  void pointsFollowTheFilter();
  void rowsWithoutAValueComeLastEitherWay();
  void everyHeaderHasATooltipAndAUnitWhereItNeedsOne();
  void tablesAreCopiedAsTheyAreShown();
  void aRowsModelIsAModel();
  void breakEvenRowsSayFromWhereOn();
  void comparisonRowsHaveBothTimes();
  void environmentRowsMarkWhatDiffers();
  void factsNameThePoint();
};

namespace {

int column(const QString& title) {
  for (std::size_t i = 0; i < pointColumns().size(); ++i)
    if (title == QString::fromUtf8(pointColumns()[i].title)) return static_cast<int>(i);
  return -1;
}

}  // namespace

void ModelsTest::pointsFollowTheFilter() {
  Library library;
  Session session(library);
  AcceptedPoints points(session);
  const QAbstractItemModelTester tester(&points, QAbstractItemModelTester::FailureReportingMode::QtTest);
  QCOMPARE(points.rowCount(), 0);
  session.setDataset(testing::dataset());
  QCOMPARE(points.rowCount(), 13);
  session.setFilter({.text = "quest"});
  QCOMPARE(points.rowCount(), 4);
  QCOMPARE(points.index(0, column("Method")).data().toString(), QStringLiteral("quest"));
  QCOMPARE(points.pointAt(points.index(1, 0)), std::size_t{4});
  QVERIFY(!points.indexOf(0).isValid());
  session.undoStack().undo();
  QCOMPARE(points.rowCount(), 13);
}

void ModelsTest::rowsWithoutAValueComeLastEitherWay() {
  Library library;
  Session session(library);
  session.setDataset(testing::dataset());
  AcceptedPoints points(session);
  const int time = column("Time (ms)");
  for (const Qt::SortOrder order : {Qt::AscendingOrder, Qt::DescendingOrder}) {
    points.sort(time, order);
    QCOMPARE(points.index(12, column("Status")).data().toString(), QStringLiteral("oom"));
    const double first = points.index(0, time).data(PointModel::kSortRole).toDouble();
    const double last = points.index(11, time).data(PointModel::kSortRole).toDouble();
    QVERIFY(order == Qt::AscendingOrder ? first < last : first > last);
  }
}

void ModelsTest::everyHeaderHasATooltipAndAUnitWhereItNeedsOne() {
  const PointModel model;
  for (int i = 0; i < model.columnCount(); ++i) {
    QVERIFY(!model.headerData(i, Qt::Horizontal).toString().isEmpty());
    QVERIFY(model.headerData(i, Qt::Horizontal, Qt::ToolTipRole).toString().endsWith('.'));
  }
  for (const char* title : {"Time (ms)", "Density (%)", "Context (keys)", "Workspace (MiB)"})
    QVERIFY(column(title) >= 0);
}

void ModelsTest::tablesAreCopiedAsTheyAreShown() {
  RowsModel model({{"a, b", "t."}, {"n|m", "t.", true}});
  model.setRows({{{{"x"}, {"1", 1.0}}}});
  QCOMPARE(tableText(model, TableFormat::csv), QStringLiteral("\"a, b\",n|m\nx,1\n"));
  QCOMPARE(tableText(model, TableFormat::markdown), QStringLiteral("| a, b | n\\|m |\n| --- | --- |\n| x | 1 |\n"));
}

void ModelsTest::aRowsModelIsAModel() {
  RowsModel model(breakEvenColumns());
  const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
  const DatasetPtr dataset = testing::dataset();
  model.setRows(breakEvenRows(*dataset, dataset->families.front()));
  QCOMPARE(model.rowCount(), 2);
  model.setRows({});
  QCOMPARE(model.rowCount(), 0);
}

void ModelsTest::breakEvenRowsSayFromWhereOn() {
  record::Record record = record::testing::record();
  for (record::Point& point : record.points)
    if (point.method == "quest" && point.shape.kv_len <= 131072) point.time->median_ns = 1e9;
  const DatasetPtr dataset = makeDataset("x", {}, std::make_shared<const record::Record>(record));
  const auto rows = breakEvenRows(*dataset, dataset->families.front());
  QCOMPARE(rows[0].cells[0].text, QStringLiteral("quest"));
  QVERIFY(rows[0].cells[1].sortKey.toDouble() > 131072 && rows[0].cells[1].sortKey.toDouble() < 262144);
  QCOMPARE(rows[0].point, std::optional<std::size_t>(7));
  QCOMPARE(rows[1].cells[1].text, QStringLiteral("every length measured"));
}

void ModelsTest::comparisonRowsHaveBothTimes() {
  const DatasetPtr base = testing::dataset();
  record::Record slower = *base->record;
  slower.points[1].time->median_ns *= 2;
  for (double& sample : slower.points[1].time->samples_ns) sample *= 2;
  const DatasetPtr current = makeDataset("new", {}, std::make_shared<const record::Record>(slower));
  const auto rows = comparisonRows(reports::compare(*base->record, *current->record), *base, *current);
  QCOMPARE(rows.size(), std::size_t{12});
  QCOMPARE(rows[1].cells[0].text, QStringLiteral("SLOWER"));
  QVERIFY(rows[1].cells[0].emphasised && !rows[0].cells[0].emphasised);
  QCOMPARE(rows[1].cells[5].sortKey.toDouble(), 2 * rows[1].cells[4].sortKey.toDouble());
  QCOMPARE(rows[1].point, std::optional<std::size_t>(1));
}

void ModelsTest::environmentRowsMarkWhatDiffers() {
  const DatasetPtr base = testing::dataset();
  record::Record other = *base->record;
  other.context["machine"]["cpu_model"] = "Another CPU";
  const DatasetPtr current = makeDataset("new", {}, std::make_shared<const record::Record>(other));
  int marked = 0;
  for (const TableRow& row : environmentRows(*current, base.get())) {
    if (!row.cells[2].emphasised) continue;
    ++marked;
    QCOMPARE(row.cells[0].text, QStringLiteral("machine.cpu_model"));
    QCOMPARE(row.cells[1].text, QStringLiteral("Another CPU"));
    QCOMPARE(row.cells[2].text, QStringLiteral("Test CPU"));
  }
  QCOMPARE(marked, 1);
}

void ModelsTest::factsNameThePoint() {
  const DatasetPtr dataset = testing::dataset();
  const QString facts = pointFacts(*dataset, 1);
  QVERIFY(facts.contains(dataset->labels[1]));
  QVERIFY(facts.contains("Speed-up"));
  QVERIFY(!facts.contains("Task score"));  // it has none
  QVERIFY(!facts.contains("Batch"));       // its name says that
}

}  // namespace attnscope::viz

QTEST_GUILESS_MAIN(attnscope::viz::ModelsTest)
#include "models_test.moc"
