// SPDX-License-Identifier: Apache-2.0
// Figures and pages painted offscreen, checked by properties.
#include <QFile>
#include <QTemporaryDir>
#include <ctime>

#include "harness/base/error.hpp"
#include "reports/figures/plots.hpp"
#include "viz/tests/testing.hpp"
#include "viz/views/export.hpp"
#include "viz/views/figure_view.hpp"

namespace attnscope::viz {
namespace {

reports::Figure cloudOf(int points) {
  reports::Figure figure{
      .name = "cloud", .title = "Cloud", .subtitle = "s", .caption = "c", .x = {"x"}, .y = {"y"}, .series = {}};
  for (int k = 0; k < 5; ++k) {
    reports::Series series{.name = "s" + std::to_string(k),
                           .role = reports::Role::cloud,
                           .style = {.colour = static_cast<std::size_t>(k)},
                           .points = {}};
    for (int i = 0; i < points / 5; ++i)
      series.points.push_back(
          {.x = 1.0 * i, .y = 1.0 * ((i * 7919 + k) % 1000), .source = static_cast<std::size_t>(i)});
    figure.series.push_back(series);
  }
  return figure;
}

// The share of pixels that differ from the background.
double inked(const QImage& image, const QColor& background) {
  int count = 0;
  for (int y = 0; y < image.height(); ++y)
    for (int x = 0; x < image.width(); ++x) count += image.pixelColor(x, y).rgb() != background.rgb();
  return static_cast<double>(count) / (image.width() * image.height());
}

}  // namespace

class ViewsTest : public QObject {
  Q_OBJECT

 private slots:
  void everyPlotIsPaintedWithItsPointsInsideTheAxes();
  void everyPaletteColourIsReadableInBothThemes();
  void aFigureCanBeZoomedAndShownWholeByKeys();
  void clickingAPointChoosesIt();
  void theBudgetLineIsDragged();
  void aFigureIsWrittenInEveryFormat();
  void exportWritesTheFiguresOfTheReport();
  void tenThousandPointsAreFluid();
};

void ViewsTest::everyPlotIsPaintedWithItsPointsInsideTheAxes() {
  const Loaded loaded = load(testing::published("decode_context.json"));
  QVERIFY2(loaded.dataset, qPrintable(loaded.error));
  Library library;
  Session session(library);
  session.setDataset(loaded.dataset);
  int drawn = 0;
  for (const reports::Plot& plot : reports::plots()) {
    const auto facet = plot.across == reports::Across::kv_len ? *session.family() : session.facet();
    const reports::Figure figure = reports::draw(plot, loaded.dataset->wording, facet);
    if (figure.series.empty()) continue;
    ++drawn;
    for (const QPalette& palette : {lightPalette(), darkPalette()}) {
      FigureView view(session);
      view.setPalette(palette);
      view.resize(900, 560);
      view.setFigure(figure);
      const QImage image = view.toPixmap(900, 560).toImage();
      QVERIFY2(inked(image, palette.color(QPalette::Base)) > 0.01, plot.name.data());
      QVERIFY2(!view.painter().marks().empty(), plot.name.data());
      for (const Mark& mark : view.painter().marks()) {
        const QPoint at(qRound(view.xAxis->coordToPixel(mark.x)), qRound(view.yAxis->coordToPixel(mark.y)));
        QVERIFY2(view.axisRect()->rect().adjusted(-1, -1, 1, 1).contains(at), plot.name.data());
      }
      QCOMPARE(view.xAxis->label(), QString::fromStdString(figure.x.title));
      QVERIFY(view.legend->itemCount() > 0);
    }
  }
  QVERIFY(drawn >= 10);
}

// Contrast as WCAG defines it; 3 is what it asks for of graphical objects.
void ViewsTest::everyPaletteColourIsReadableInBothThemes() {
  const auto luminance = [](const QColor& colour) {
    const auto linear = [](double c) { return c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); };
    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF());
  };
  const auto contrast = [&](const QColor& a, const QColor& b) {
    const double high = std::max(luminance(a), luminance(b));
    const double low = std::min(luminance(a), luminance(b));
    return (high + 0.05) / (low + 0.05);
  };
  for (const QPalette& palette : {lightPalette(), darkPalette()}) {
    const Theme theme = themeOf(palette);
    QVERIFY(contrast(theme.text, theme.background) >= 7);
    QVERIFY(contrast(theme.muted, theme.background) >= 4.5);
    QVERIFY(contrast(palette.color(QPalette::WindowText), palette.color(QPalette::Window)) >= 7);
    for (std::size_t i = 0; i < reports::kPalette.size(); ++i)
      QVERIFY2(contrast(theme.colour({.colour = i}), theme.background) >= (theme.dark ? 4.5 : 2.0),
               std::to_string(i).c_str());
  }
}

void ViewsTest::aFigureCanBeZoomedAndShownWholeByKeys() {
  Library library;
  Session session(library);
  session.setDataset(testing::dataset());
  FigureView view(session);
  view.setFigure(reports::draw(reports::plot("scaling_time"), session.dataset()->wording, *session.family()));
  const QCPRange whole = view.xAxis->range();
  QTest::keyClick(&view, Qt::Key_Plus);
  QVERIFY(view.xAxis->range().upper < whole.upper && view.xAxis->range().lower > whole.lower);
  const QCPRange zoomed = view.xAxis->range();
  view.setFigure(reports::Figure(view.figure()));  // drawn again: what is in sight stays
  QCOMPARE(view.xAxis->range(), zoomed);
  QTest::keyClick(&view, Qt::Key_0);
  QCOMPARE(view.xAxis->range(), whole);
  QTest::keyClick(&view, Qt::Key_Right);
  QVERIFY(session.point());
}

void ViewsTest::clickingAPointChoosesIt() {
  Library library;
  Session session(library);
  session.setDataset(testing::dataset());
  FigureView view(session);
  view.resize(900, 560);
  view.setFigure(reports::draw(reports::plot("scaling_time"), session.dataset()->wording, *session.family()));
  view.toPixmap(900, 560);  // lays the axes out
  for (const Mark& mark : view.painter().marks()) {
    const QPoint at(qRound(view.xAxis->coordToPixel(mark.x)), qRound(view.yAxis->coordToPixel(mark.y)));
    QTest::mouseClick(&view, Qt::LeftButton, {}, at);
    QCOMPARE(session.point(), mark.source);
  }
}

void ViewsTest::theBudgetLineIsDragged() {
  Library library;
  Session session(library);
  session.setDataset(testing::dataset());
  FigureView view(session);
  view.resize(900, 560);
  view.setFigure(reports::draw(reports::plot("scaling_time"), session.dataset()->wording, *session.family()));
  view.toPixmap(900, 560);
  double told = 0;
  view.setCursorLine(131072, [&](double x) { told = x; });
  const QCPRange before = view.xAxis->range();
  const QPoint from(qRound(view.xAxis->coordToPixel(131072)), view.axisRect()->rect().center().y());
  const QPoint to(qRound(view.xAxis->coordToPixel(262144)), from.y());
  QTest::mousePress(&view, Qt::LeftButton, {}, from);
  QTest::mouseMove(&view, to);
  QTest::mouseRelease(&view, Qt::LeftButton, {}, to);
  QVERIFY(std::abs(told / 262144 - 1) < 0.02);
  QCOMPARE(view.cursorLine(), std::optional<double>(told));
  QCOMPARE(view.xAxis->range(), before);  // the line moved, not the plot
}

void ViewsTest::aFigureIsWrittenInEveryFormat() {
  const QTemporaryDir folder;
  const reports::Figure figure = cloudOf(50);
  const std::pair<const char*, const char*> beginnings[] = {
      {"svg", "<?xml"}, {"pdf", "%PDF"}, {"png", "\x89PNG"}, {"csv", "series,"}};
  for (const auto& [format, beginning] : beginnings) {
    const QString path = folder.filePath(QStringLiteral("f.%1").arg(format));
    writeFigure(figure, path);
    QFile file(path);
    QVERIFY(file.open(QIODevice::ReadOnly));
    QVERIFY2(file.readAll().startsWith(beginning), format);
  }
  QVERIFY_EXCEPTION_THROWN(writeFigure(figure, folder.filePath("f.bmp")), InputError);
  QVERIFY_EXCEPTION_THROWN(writeFigure(figure, "/no/such/folder/f.svg"), InputError);
}

void ViewsTest::exportWritesTheFiguresOfTheReport() {
  const QTemporaryDir folder;
  const QString path = testing::published("decode_budget.json");
  const QStringList written = exportRecords({path}, folder.path(), "svg");
  QStringList expected;
  const Loaded loaded = load(path);
  for (const reports::Figure& figure : reports::draw_all(*loaded.dataset->record))
    expected.append(folder.filePath(QString::fromStdString(figure.name) + ".svg"));
  QVERIFY(expected.size() >= 3);
  QCOMPARE(written, expected);
  for (const QString& file : written) QVERIFY(QFileInfo(file).size() > 1000);
}

// 30 frames a second while panning is what we want; the limit is half of it, in processor time, since machines differ.
void ViewsTest::tenThousandPointsAreFluid() {
  if (!testing::kOptimised) QSKIP("an unoptimised build");
  Library library;
  Session session(library);
  FigureView view(session);
  view.resize(1280, 720);
  view.setFigure(cloudOf(10000));
  view.show();
  QVERIFY(QTest::qWaitForWindowExposed(&view));
  view.replot();
  constexpr int kFrames = 10;
  const std::clock_t begin = std::clock();
  for (int i = 0; i < kFrames; ++i) {
    view.xAxis->moveRange(1);
    view.replot();
  }
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC / kFrames;
  QVERIFY2(seconds < 1.0 / 15, qPrintable(QStringLiteral("%1 s a frame").arg(seconds)));
}

}  // namespace attnscope::viz

QTEST_MAIN(attnscope::viz::ViewsTest)
#include "views_test.moc"
