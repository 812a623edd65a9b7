// SPDX-License-Identifier: Apache-2.0
// Colours of plots, from the palette of the application.
#pragma once

#include <QColor>
#include <QPalette>

#include "reports/figure/figure.hpp"

namespace attnscope::viz {

struct Theme {
  bool dark = false;
  QColor background;
  QColor text;
  QColor muted;  // subtitles, ticks, guides
  QColor grid;
  QColor highlight;  // what is chosen

  /// The colour that tells a series apart: on light backgrounds that of the reports, on dark ones its lighter sibling.
  QColor colour(const reports::Style& style) const;
};

Theme themeOf(const QPalette& palette);

/// For pictures that leave the dashboard: the same on every desktop.
Theme printTheme();

/// Palettes for the whole application.
QPalette lightPalette();
QPalette darkPalette();

}  // namespace attnscope::viz
