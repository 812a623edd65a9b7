// SPDX-License-Identifier: Apache-2.0
#include "viz/window/main_window.hpp"

#include <QActionGroup>
#include <QApplication>
#include <QCloseEvent>
#include <QFileDialog>
#include <QMenuBar>
#include <QMessageBox>
#include <QMimeData>
#include <QSettings>
#include <QStatusBar>
#include <QStyleFactory>

#include "viz/window/pages.hpp"

namespace attnscope::viz {
namespace {

constexpr int kLayoutVersion = 1;  // of the set of docks; a saved layout of another version is not restored
constexpr qsizetype kRecentFiles = 12;

const QString kGeometry = QStringLiteral("window/geometry");
const QString kLayout = QStringLiteral("window/layout");
const QString kTheme = QStringLiteral("window/theme");
const QString kRecent = QStringLiteral("recent");

}  // namespace

MainWindow::MainWindow(Session& session) : m_session(session), m_bar(new SessionBar(session, this)) {
  setWindowTitle(QStringLiteral("attnscope"));
  setAcceptDrops(true);
  setDockNestingEnabled(true);
  setTabPosition(Qt::AllDockWidgetAreas, QTabWidget::North);
  setCentralWidget(new QWidget);  // docks alone fill the window
  centralWidget()->hide();
  addToolBar(m_bar);
  addPages();
  addFileMenu();
  addEditMenu();
  addViewMenu();
  addStatusBar();
  arrange();

  const QSettings settings;
  resize(1280, 720);
  restoreGeometry(settings.value(kGeometry).toByteArray());
  restoreState(settings.value(kLayout).toByteArray(), kLayoutVersion);
  setTheme(settings.value(kTheme, QStringLiteral("system")).toString());
}

void MainWindow::addPages() {
  for (const PageEntry& entry : pages()) {
    auto* page = entry.make(m_session);
    auto* dock = new QDockWidget(tr(entry.title), this);
    dock->setObjectName(QString::fromUtf8(entry.name));
    dock->setWidget(page);
    dock->toggleViewAction()->setStatusTip(tr(entry.hint));
    addDockWidget(Qt::TopDockWidgetArea, dock);
    m_docks.push_back(dock);
    m_pages[dock->objectName()] = page;
  }
}

void MainWindow::arrange() {
  for (QDockWidget* dock : m_docks) {
    dock->setFloating(false);
    dock->show();
    addDockWidget(Qt::TopDockWidgetArea, dock);
    if (dock != m_docks.front()) tabifyDockWidget(m_docks.front(), dock);
  }
  m_docks.front()->raise();
}

void MainWindow::showPage(const QString& name) {
  for (QDockWidget* dock : m_docks)
    if (dock->objectName() == name) {
      dock->show();
      dock->raise();
      dock->widget()->setFocus();
    }
}

void MainWindow::addFileMenu() {
  QMenu* menu = menuBar()->addMenu(tr("&File"));
  const auto add = [&](const QString& text, const QKeySequence& keys, auto action) {
    menu->addAction(text, keys, this, action);
  };
  add(tr("&Open records…"), QKeySequence::Open, [this] {
    open(QFileDialog::getOpenFileNames(this, tr("Open records"), {}, tr("Records (*.json *.journal);;All files (*)")));
  });
  add(tr("Open &folder…"), Qt::CTRL | Qt::SHIFT | Qt::Key_O, [this] {
    if (const QString folder = QFileDialog::getExistingDirectory(this, tr("Open folder")); !folder.isEmpty())
      open({folder});
  });
  m_recent = menu->addMenu(tr("Open &recent"));
  connect(m_recent, &QMenu::aboutToShow, this, &MainWindow::fillRecentMenu);
  add(tr("&Choose baseline…"), Qt::CTRL | Qt::Key_B, [this] {
    const QString path = QFileDialog::getOpenFileName(this, tr("Choose baseline"), {}, tr("Records (*.json)"));
    if (path.isEmpty()) return;
    m_session.setBaselinePath(path);
    open({path});
  });
  menu->addSeparator();
  add(tr("&Reload"), QKeySequence::Refresh, [this] {
    QStringList paths;
    for (const Loaded& file : m_session.library().files()) paths.append(file.path);
    m_session.library().open(paths);
  });
  add(tr("&Stop loading"), Qt::Key_Escape, [this] { m_session.library().cancel(); });
  menu->addSeparator();
  add(tr("&Export figures of this page…"), Qt::CTRL | Qt::Key_E, [this] { exportPage(); });
  menu->addSeparator();
  add(tr("&Quit"), QKeySequence::Quit, [this] { close(); });
}

void MainWindow::addEditMenu() {
  QMenu* menu = menuBar()->addMenu(tr("&Edit"));
  QAction* undo = m_session.undoStack().createUndoAction(this);
  QAction* redo = m_session.undoStack().createRedoAction(this);
  undo->setShortcut(QKeySequence::Undo);
  redo->setShortcut(QKeySequence::Redo);
  menu->addActions({undo, redo});
  menu->addAction(tr("&Filter"), QKeySequence::Find, this, [this] {
    m_bar->filterEdit()->setFocus();
    m_bar->filterEdit()->selectAll();
  });
  menu->addAction(tr("&Clear the choice of a point"), Qt::CTRL | Qt::Key_D, this,
                  [this] { m_session.setPoint(std::nullopt); });
}

void MainWindow::addViewMenu() {
  QMenu* menu = menuBar()->addMenu(tr("&View"));
  static const QString keys = QStringLiteral("1234567890-");
  qsizetype number = 0;
  for (QDockWidget* dock : m_docks) {
    QAction* go = menu->addAction(dock->windowTitle(), this, [this, dock] { showPage(dock->objectName()); });
    go->setStatusTip(dock->toggleViewAction()->statusTip());
    if (number < keys.size()) go->setShortcut(QKeySequence("Ctrl+" + keys.mid(number++, 1)));
  }
  menu->addSeparator();
  QMenu* shown = menu->addMenu(tr("&Pages shown"));
  for (QDockWidget* dock : m_docks) shown->addAction(dock->toggleViewAction());
  menu->addAction(tr("&Reset layout"), this, &MainWindow::arrange);
  QMenu* themes = menu->addMenu(tr("&Theme"));
  for (const auto& [title, theme] :
       {std::pair{tr("As the &desktop"), "system"}, {tr("&Light"), "light"}, {tr("&Dark"), "dark"}})
    themes->addAction(title, this, [this, theme = QString::fromLatin1(theme)] {
      QSettings().setValue(kTheme, theme);
      setTheme(theme);
    });
}

void MainWindow::addStatusBar() {
  m_status = new QLabel;
  m_problems = new QLabel;
  m_problems->setTextFormat(Qt::RichText);
  m_progress = new QProgressBar;
  m_progress->setMaximumWidth(160);
  m_progress->hide();
  statusBar()->addWidget(m_status, 1);
  statusBar()->addPermanentWidget(m_progress);
  statusBar()->addPermanentWidget(m_problems);
  connect(m_problems, &QLabel::linkActivated, this, &MainWindow::showProblems);

  const Library& library = m_session.library();
  connect(&library, &Library::progressed, this, [this](int done, int total) {
    m_progress->setRange(0, total);
    m_progress->setValue(done);
    m_progress->setVisible(done < total);
  });
  const auto tell = [this] {
    const auto& files = m_session.library().files();
    const auto failed = std::ranges::count_if(files, [](const Loaded& file) { return !file.error.isEmpty(); });
    const QString count = failed == 1 ? tr("1 file could not be read") : tr("%1 files could not be read").arg(failed);
    m_problems->setText(failed > 0 ? QStringLiteral("<a href=\"#\">%1</a>").arg(count) : QString());
    const DatasetPtr& dataset = m_session.dataset();
    if (!dataset) {
      m_status->setText(tr("Open a record: Ctrl+O, or drop files or folders here."));
      return;
    }
    QString text = tr("%1: %2 points").arg(dataset->name).arg(dataset->record->points.size());
    if (m_session.point()) text += QStringLiteral("  ·  ") + dataset->labels[*m_session.point()];
    m_status->setText(text);
  };
  connect(&library, &Library::filesChanged, this, tell);
  connect(&m_session, &Session::datasetChanged, this, tell);
  connect(&m_session, &Session::pointChanged, this, tell);
  tell();
}

void MainWindow::open(const QStringList& paths) {
  if (paths.isEmpty()) return;
  QSettings settings;
  QStringList recent = settings.value(kRecent).toStringList();
  for (const QString& path : paths) {
    recent.removeAll(path);
    recent.prepend(path);
  }
  settings.setValue(kRecent, recent.mid(0, kRecentFiles));
  m_session.library().open(paths);
}

void MainWindow::fillRecentMenu() {
  m_recent->clear();
  for (const QString& path : QSettings().value(kRecent).toStringList())
    m_recent->addAction(path, this, [this, path] { open({path}); });
  m_recent->setToolTipsVisible(true);
}

void MainWindow::exportPage() {
  std::vector<FigureView*> figures;
  for (QDockWidget* dock : m_docks)
    if (auto* page = static_cast<Page*>(dock->widget()); page->isVisible() && !dock->visibleRegion().isEmpty())
      for (FigureView* view : page->figures()) figures.push_back(view);
  if (figures.empty()) {
    QMessageBox::information(this, tr("Export"), tr("No figure is in sight."));
    return;
  }
  for (FigureView* view : figures) view->exportInteractively();
}

void MainWindow::showProblems() {
  QStringList lines;
  for (const Loaded& file : m_session.library().files())
    if (!file.error.isEmpty()) lines.append(file.error);
  auto* box = new QMessageBox(QMessageBox::Warning, tr("Files that could not be read"),
                              lines.join(QStringLiteral("\n\n")), QMessageBox::Close, this);
  box->setAttribute(Qt::WA_DeleteOnClose);
  box->open();
}

void MainWindow::setTheme(const QString& theme) {
  if (theme == QStringLiteral("system")) {
    QApplication::setPalette(QApplication::style()->standardPalette());
    return;
  }
  QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));  // follows the palette in every part
  QApplication::setPalette(theme == QStringLiteral("dark") ? darkPalette() : lightPalette());
}

void MainWindow::closeEvent(QCloseEvent* event) {
  QSettings settings;
  settings.setValue(kGeometry, saveGeometry());
  settings.setValue(kLayout, saveState(kLayoutVersion));
  QMainWindow::closeEvent(event);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasUrls()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  QStringList paths;
  for (const QUrl& url : event->mimeData()->urls())
    if (url.isLocalFile()) paths.append(url.toLocalFile());
  open(paths);
}

}  // namespace attnscope::viz
