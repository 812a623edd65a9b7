// SPDX-License-Identifier: Apache-2.0
#include "viz/views/run_page.hpp"

#include <QApplication>
#include <QClipboard>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QScrollBar>
#include <QVBoxLayout>

namespace attnscope::viz {
namespace {

constexpr int kPollMs = 500;
constexpr int kAnswerMs = 10000;  // for `attnscope list`
constexpr int kLogLines = 5000;

// The array that `attnscope list WHAT --json` prints; empty where there is no program.
QJsonArray listed(const QString& what) {
  QProcess list;
  list.start(attnscopeProgram(), {QStringLiteral("list"), what, QStringLiteral("--json")});
  if (!list.waitForFinished(kAnswerMs)) return {};
  return QJsonDocument::fromJson(list.readAllStandardOutput()).array();
}

}  // namespace

RunPage::RunPage(Session& session, QWidget* parent)
    : Page(session, parent),
      m_configs(new QComboBox),
      m_methods(new QListWidget),
      m_contexts(new QLineEdit),
      m_device(new QComboBox),
      m_output(new QLineEdit(QStringLiteral("results/dashboard.json"))),
      m_start(new QPushButton(tr("&Start"))),
      m_stop(new QPushButton(tr("S&top"))),
      m_status(new QLabel),
      m_log(new QPlainTextEdit) {
  m_configs->setToolTip(tr("What to run: a file of configs/"));
  m_methods->setToolTip(tr("Only these methods; none chosen: all that the config names"));
  m_methods->setSelectionMode(QAbstractItemView::MultiSelection);
  m_contexts->setPlaceholderText(tr("all, or for example 65536, 131072"));
  m_contexts->setToolTip(tr("Only these context lengths of the config"));
  m_device->addItem(tr("any"), QString());
  m_device->addItem(QStringLiteral("cpu"), QStringLiteral("cpu"));
  m_device->addItem(QStringLiteral("cuda:0"), QStringLiteral("cuda:0"));
  m_log->setReadOnly(true);
  m_log->setMaximumBlockCount(kLogLines);
  m_log->setFont(QFont(QStringLiteral("monospace")));
  m_status->setWordWrap(true);

  auto* browse = new QPushButton(tr("&Browse…"));
  auto* copy = new QPushButton(tr("&Copy command line"));
  auto* configRow = new QHBoxLayout;
  configRow->addWidget(m_configs, 1);
  configRow->addWidget(browse);
  auto* form = new QFormLayout;
  auto* config = new QLabel(tr("Con&fig"));
  config->setBuddy(m_configs);
  form->addRow(config, configRow);
  form->addRow(tr("&Methods"), m_methods);
  form->addRow(tr("Context &lengths"), m_contexts);
  form->addRow(tr("&Device"), m_device);
  form->addRow(tr("&Record"), m_output);
  auto* buttons = new QHBoxLayout;
  for (QPushButton* button : {m_start, m_stop, copy}) buttons->addWidget(button);
  auto* left = new QVBoxLayout;
  left->addLayout(form, 1);
  left->addLayout(buttons);
  left->addWidget(m_status);
  auto* layout = new QHBoxLayout(this);
  layout->addLayout(left, 2);
  layout->addWidget(m_log, 3);

  connect(browse, &QPushButton::clicked, this, [this] {
    const QString path = QFileDialog::getOpenFileName(this, tr("Choose config"), {}, tr("Configs (*.json)"));
    if (!path.isEmpty()) setConfig(path);
  });
  connect(copy, &QPushButton::clicked, this, [this] {
    QApplication::clipboard()->setText(commandLine(QStringLiteral("attnscope"), runArguments(request())));
  });
  connect(m_start, &QPushButton::clicked, this, &RunPage::start);
  connect(m_stop, &QPushButton::clicked, this, [this] { stop(); });
  connect(&m_run, &RunProcess::said, this, [this](const QString& text) {
    m_log->moveCursor(QTextCursor::End);
    m_log->insertPlainText(text);
    m_log->verticalScrollBar()->setValue(m_log->verticalScrollBar()->maximum());
  });
  connect(&m_run, &RunProcess::ended, this, &RunPage::end);
  m_poll.setInterval(kPollMs);
  connect(&m_poll, &QTimer::timeout, this, &RunPage::showJournal);
  connect(&session.library(), &Library::filesChanged, this, &RunPage::showProgress);
  showState();
}

// When the page is first seen: the program takes a moment to answer.
void RunPage::refresh() {
  if (!std::exchange(m_asked, true)) askRegistry();
}

void RunPage::askRegistry() {
  for (const auto& config : listed(QStringLiteral("configs"))) {
    m_configs->addItem(config[QStringLiteral("path")].toString());
    m_configs->setItemData(m_configs->count() - 1, config[QStringLiteral("description")].toString(), Qt::ToolTipRole);
  }
  for (const auto& method : listed(QStringLiteral("methods"))) {
    auto* item = new QListWidgetItem(method[QStringLiteral("name")].toString(), m_methods);  // owned by the list
    item->setToolTip(method[QStringLiteral("title")].toString());
  }
  if (attnscopeProgram().isEmpty()) m_status->setText(tr("attnscope is neither beside this program nor on the PATH."));
  showState();
}

RunRequest RunPage::request() const {
  RunRequest request{.config = m_configs->currentText(),
                     .methods = {},
                     .contexts = {},
                     .device = m_device->currentData().toString(),
                     .output = m_output->text()};
  for (const QListWidgetItem* item : m_methods->selectedItems()) request.methods.append(item->text());
  for (const QString& word : m_contexts->text().split(',', Qt::SkipEmptyParts))
    request.contexts.push_back(word.trimmed().toLongLong());
  return request;
}

void RunPage::setConfig(const QString& path) {
  if (m_configs->findText(path) < 0) m_configs->addItem(path);
  m_configs->setCurrentText(path);
}

void RunPage::start() {
  const RunRequest asked = request();
  m_record = QFileInfo(asked.output).absoluteFilePath();
  m_journalSize = 0;
  m_log->appendPlainText("$ " + commandLine(QStringLiteral("attnscope"), runArguments(asked)) + '\n');
  m_status->setText(tr("Running…"));
  session().showWhenLoaded(journal());
  m_run.start(attnscopeProgram(), runArguments(asked));
  m_poll.start();
  showState();
}

// A journal grows by a line per point; it is read again when it has.
void RunPage::showJournal() {
  const qint64 size = QFileInfo(journal()).size();
  if (size == m_journalSize || size == 0) return;
  m_journalSize = size;
  session().library().open({journal()});
}

void RunPage::showProgress() {
  if (!isRunning()) return;
  for (const Loaded& file : session().library().files())
    if (file.path == journal() && file.dataset)
      m_status->setText(tr("Running: %1 points measured").arg(file.dataset->record->points.size()));
}

void RunPage::end(const QString& problem) {
  m_poll.stop();
  session().library().close(journal());
  if (QFileInfo::exists(m_record)) {
    session().showWhenLoaded(m_record);
    session().library().open({m_record});
  }
  m_status->setText(problem.isEmpty() ? tr("Done: %1").arg(m_record) : tr("The run %1.").arg(problem));
  showState();
}

void RunPage::showState() {
  m_start->setEnabled(!isRunning() && !attnscopeProgram().isEmpty());
  m_stop->setEnabled(isRunning());
}

}  // namespace attnscope::viz
