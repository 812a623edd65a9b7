// SPDX-License-Identifier: Apache-2.0
#include "viz/views/attention_page.hpp"

#include <QDir>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QMessageBox>
#include <QSplitter>
#include <QVBoxLayout>
#include <QtConcurrent>
#include <algorithm>

#include "harness/base/strict_json.hpp"
#include "harness/base/text_file.hpp"
#include "harness/record/file.hpp"
#include "reports/figure/text.hpp"
#include "viz/data/words.hpp"
#include "viz/views/attention_plots.hpp"
#include "viz/views/export.hpp"

namespace attnscope::viz {
namespace {

std::pair<AttentionMap, QString> readSafely(const QString& path, const Shape& shape, std::int64_t head) {
  try {
    return {readAttentionMap(path, shape, head), {}};
  } catch (const std::exception& failure) {
    return {{}, words(failure.what())};
  }
}

}  // namespace

AttentionPage::AttentionPage(Session& session, QWidget* parent)
    : Page(session, parent),
      m_length(new QComboBox),
      m_params(new QLineEdit),
      m_head(new QSpinBox),
      m_start(new QPushButton(tr("&Compute"))),
      m_status(new QLabel),
      m_truth(new QCustomPlot),
      m_selection(new QCustomPlot),
      m_kept(new QCustomPlot) {
  for (const std::int64_t length : {256, 512, 1024, 2048, 4096})
    m_length->addItem("N " + words(reports::binary(static_cast<double>(length))),
                      QVariant::fromValue<qlonglong>(length));
  m_length->setCurrentIndex(2);
  m_length->setToolTip(tr("Keys; the mask is written out up to 4096 queries by 4096 keys"));
  m_params->setToolTip(tr("Parameters of the method, as JSON; from the chosen point"));
  m_head->setPrefix(tr("head "));
  m_status->setWordWrap(true);
  auto* top = new QHBoxLayout;
  for (QWidget* widget : std::initializer_list<QWidget*>{m_length, m_params, m_head, m_start}) top->addWidget(widget);
  auto* maps = new QSplitter;
  const auto add = [&](QCustomPlot* plot, const QString& title, int stretch) {
    auto* box = new QWidget;
    auto* column = new QVBoxLayout(box);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(new QLabel(title));
    column->addWidget(plot, 1);
    maps->addWidget(box);
    maps->setStretchFactor(maps->count() - 1, stretch);
    plot->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
    plot->setMinimumSize(120, 160);
    plot->setAccessibleName(title);
    plot->setContextMenuPolicy(Qt::ActionsContextMenu);
    auto* exportAction = new QAction(tr("Export…"), plot);
    plot->addAction(exportAction);
    connect(exportAction, &QAction::triggered, this, [this, plot, title] { exportPlot(*plot, title); });
  };
  add(m_truth, tr("True attention (softmax weight, logarithmic)"), 3);
  add(m_selection, tr("What the method attended"), 3);
  add(m_kept, tr("Mass kept per query"), 1);
  maps->setSizes({500, 500, 160});
  auto* layout = new QVBoxLayout(this);
  layout->addLayout(top);
  layout->addWidget(m_status);
  layout->addWidget(maps, 1);

  // The three plots show the same queries, both maps the same keys.
  const auto follow = [](QCPAxis* leader, QCPAxis* follower, QCustomPlot* plot) {
    connect(leader, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), follower, [=](const QCPRange& range) {
      if (follower->range() == range) return;
      follower->setRange(range);
      plot->replot(QCustomPlot::rpQueuedReplot);
    });
  };
  follow(m_truth->xAxis, m_selection->xAxis, m_selection);
  follow(m_selection->xAxis, m_truth->xAxis, m_truth);
  for (QCustomPlot* a : {m_truth, m_selection, m_kept})
    for (QCustomPlot* b : {m_truth, m_selection, m_kept})
      if (a != b) follow(a->yAxis, b->yAxis, b);

  paintMaps();

  connect(m_start, &QPushButton::clicked, this, &AttentionPage::start);
  connect(m_head, &QSpinBox::valueChanged, this, &AttentionPage::readHead);
  connect(&session, &Session::pointChanged, this, [this] { invalidate(); });
  connect(&m_run, &RunProcess::said, this, [this](const QString& text) { m_log += text; });
  connect(&m_run, &RunProcess::ended, this, [this](const QString& problem) {
    m_start->setEnabled(true);
    const QStringList dumps = QDir(m_folder.path()).entryList({QStringLiteral("*.safetensors")});
    if (dumps.isEmpty())
      return m_status->setText(tr("Nothing was written: the run %1. %2").arg(problem, m_log.trimmed()));
    m_dump = m_folder.filePath(dumps.front());
    readHead();
  });
  connect(&m_reading, &QFutureWatcher<std::pair<AttentionMap, QString>>::finished, this, [this] {
    const QString problem = m_reading.result().second;
    if (!problem.isEmpty()) return m_status->setText(problem);
    m_map = m_reading.result().first;
    paintMaps();
  });
}

void AttentionPage::setLength(std::int64_t kvLen) {
  m_length->setCurrentIndex(m_length->findData(QVariant::fromValue<qlonglong>(kvLen)));
}

std::optional<std::size_t> AttentionPage::subject() const {
  if (session().point()) return session().point();
  const reports::Facet facet = session().facet();
  for (const std::size_t i : facet.points)
    if (session().dataset()->point(i).method != "dense") return i;
  return std::nullopt;
}

void AttentionPage::refresh() {
  const auto i = subject();
  m_start->setEnabled(i && !isBusy() && !attnscopeProgram().isEmpty());
  if (!i) return m_status->setText(tr("Choose a point of a sparse method in any page."));
  const record::Point& point = session().dataset()->point(*i);
  m_params->setText(words(point.params.dump()));
  m_head->setRange(0, static_cast<int>(point.shape.q_heads) - 1);
  m_status->setText(attnscopeProgram().isEmpty() ? tr("attnscope is neither beside this program nor on the PATH.")
                                                 : tr("Compute runs %1 on a small problem with the workload of: %2")
                                                       .arg(words(point.method), session().dataset()->labels[*i]));
}

void AttentionPage::start() {
  const auto i = subject();
  if (!i || isBusy()) return;
  const record::Point& point = session().dataset()->point(*i);
  const std::int64_t kvLen = m_length->currentData().toLongLong();
  try {
    const auto params = parse_json(m_params->text().toStdString(), "parameters");
    m_shape = point.shape;
    m_shape.batch = 1;
    m_shape.kv_len = kvLen;
    m_shape.q_len = point.phase == Phase::prefill ? kvLen : 1;
    for (const QString& old : QDir(m_folder.path()).entryList({QStringLiteral("*.safetensors")}))
      QFile::remove(m_folder.filePath(old));
    write_text(m_folder.filePath(QStringLiteral("config.json")).toStdString(),
               attentionConfig(point, kvLen, params).dump(1));
  } catch (const std::exception& failure) {
    return m_status->setText(words(failure.what()));
  }
  m_log.clear();
  m_status->setText(tr("Running…"));
  m_start->setEnabled(false);
  m_run.start(attnscopeProgram(), {QStringLiteral("run"), m_folder.filePath(QStringLiteral("config.json")),
                                   QStringLiteral("-o"), m_folder.filePath(QStringLiteral("map.json")),
                                   QStringLiteral("--dump-outputs"), m_folder.path(), QStringLiteral("--quiet")});
}

void AttentionPage::readHead() {
  if (m_dump.isEmpty() || m_run.isRunning()) return;
  m_reading.setFuture(QtConcurrent::run(readSafely, m_dump, m_shape, static_cast<std::int64_t>(m_head->value())));
}

void AttentionPage::changeEvent(QEvent* event) {
  Page::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) paintMaps();
}

void AttentionPage::exportPlot(QCustomPlot& plot, const QString& title) {
  const QString path = QFileDialog::getSaveFileName(this, tr("Export"), QStringLiteral("attention.svg"),
                                                    tr("Picture (*.svg *.pdf *.png)"));
  if (path.isEmpty()) return;
  try {
    writePlot(plot, title, path, plot.size());
  } catch (const std::exception& failure) {
    QMessageBox::warning(this, tr("Export"), words(failure.what()));
  }
}

void AttentionPage::paintMaps() {
  const Theme theme = themeOf(palette());
  const AttentionMap& map = m_map;
  if (map.queries == 0) {  // nothing was computed yet
    for (QCustomPlot* plot : {m_truth, m_selection, m_kept}) {
      plot->setBackground(theme.background);
      plot->axisRect()->setVisible(false);
      plot->replot(QCustomPlot::rpQueuedReplot);
    }
    return;
  }
  for (QCustomPlot* plot : {m_truth, m_selection, m_kept}) plot->axisRect()->setVisible(true);
  paintWeights(*m_truth, map, theme);
  paintAttended(*m_selection, map, theme);
  paintKept(*m_kept, map, theme);
  const auto attended = std::ranges::count(map.attended, std::uint8_t{1});
  m_status->setText(
      tr("Head %1: the method kept %2 of the attention mass (mean over queries) with %3 attended pairs.")
          .arg(m_head->value())
          .arg(words(reports::percent(m_map.meanKept())), words(reports::si(static_cast<double>(attended)))));
}

}  // namespace attnscope::viz
