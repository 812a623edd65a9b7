// SPDX-License-Identifier: Apache-2.0
// The window: pages as docks, the menu, the bar that chooses what is shown, and what could not be read.
#pragma once

#include <QDockWidget>
#include <QLabel>
#include <QMainWindow>
#include <QMenu>
#include <QProgressBar>
#include <map>

#include "viz/views/page.hpp"
#include "viz/window/session_bar.hpp"

namespace attnscope::viz {

class MainWindow : public QMainWindow {
 public:
  explicit MainWindow(Session& session);

  /// The page of that name in the table of pages.
  Page* page(const QString& name) const { return m_pages.at(name); }
  /// Brings the page to the front.
  void showPage(const QString& name);

  /// light, dark, or system: what the desktop says.
  void setTheme(const QString& theme);

 protected:
  void closeEvent(QCloseEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  void addPages();
  void addFileMenu();
  void addEditMenu();
  void addViewMenu();
  void addStatusBar();
  void arrange();  // the layout of a first start
  void open(const QStringList& paths);
  void fillRecentMenu();
  void exportPage();
  void showProblems();

  Session& m_session;
  SessionBar* m_bar;
  std::map<QString, Page*> m_pages;
  std::vector<QDockWidget*> m_docks;
  QMenu* m_recent = nullptr;
  QLabel* m_status = nullptr;
  QLabel* m_problems = nullptr;
  QProgressBar* m_progress = nullptr;
};

}  // namespace attnscope::viz
