// SPDX-License-Identifier: Apache-2.0
// What all pages have in common: they follow the session, and draw only while somebody looks.
#pragma once

#include <QWidget>
#include <vector>

#include "viz/data/session.hpp"
#include "viz/views/figure_view.hpp"

namespace attnscope::viz {

class Page : public QWidget {
 public:
  explicit Page(Session& session, QWidget* parent = nullptr);

  /// The figures of the page that have something to show, for export.
  std::vector<FigureView*> figures() const;

  /// Draws what is due now instead of when the page is next seen.
  void refreshNow();

 protected:
  /// Draws the page from the session.
  virtual void refresh() = 0;

  /// Something that refresh() depends on has changed. Several changes in a row are drawn once.
  void invalidate();
  Session& session() const { return m_session; }
  /// A figure view of this page.
  FigureView* addFigure();

  void showEvent(QShowEvent* event) override;

 private:
  Session& m_session;
  std::vector<FigureView*> m_figures;
  bool m_stale = true;
};

}  // namespace attnscope::viz
