// SPDX-License-Identifier: Apache-2.0
#include "viz/views/theme.hpp"

#include <array>

namespace attnscope::viz {
namespace {

// The siblings of reports::kPalette for dark backgrounds: the same hues, light enough for a contrast of 4.5 to #1e2024.
constexpr std::array<reports::Rgb, reports::kPalette.size()> kDarkPalette{{{235, 235, 235},
                                                                           {72, 159, 226},
                                                                           {245, 128, 52},
                                                                           {38, 196, 150},
                                                                           {222, 146, 188},
                                                                           {240, 182, 50},
                                                                           {150, 214, 250},
                                                                           {150, 150, 150}}};

QPalette paletteOf(const QColor& window, const QColor& base, const QColor& button, const QColor& text,
                   const QColor& disabled, const QColor& highlight) {
  QPalette palette(button, window);
  palette.setColor(QPalette::Base, base);
  palette.setColor(QPalette::AlternateBase, window);
  palette.setColor(QPalette::ToolTipBase, base);
  palette.setColor(QPalette::Highlight, highlight);
  palette.setColor(QPalette::HighlightedText, Qt::white);
  palette.setColor(QPalette::Link, highlight);
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText, QPalette::ToolTipText}) {
    palette.setColor(role, text);
    palette.setColor(QPalette::Disabled, role, disabled);
  }
  palette.setColor(QPalette::PlaceholderText, disabled);
  return palette;
}

}  // namespace

QColor Theme::colour(const reports::Style& style) const {
  const auto& palette = dark ? kDarkPalette : reports::kPalette;
  const reports::Rgb rgb = palette[style.colour % palette.size()];
  return {rgb.red, rgb.green, rgb.blue};
}

Theme themeOf(const QPalette& palette) {
  const QColor base = palette.color(QPalette::Base);
  const bool dark = base.lightness() < 128;
  return {.dark = dark,
          .background = base,
          .text = palette.color(QPalette::Text),
          .muted = dark ? QColor(160, 164, 172) : QColor(95, 98, 104),
          .grid = dark ? QColor(58, 62, 70) : QColor(230, 230, 230),
          .highlight = dark ? QColor(255, 214, 10) : QColor(200, 0, 90)};
}

Theme printTheme() { return themeOf(lightPalette()); }

QPalette lightPalette() {
  return paletteOf({244, 244, 246}, {255, 255, 255}, {236, 236, 239}, {26, 26, 28}, {130, 132, 138}, {0, 114, 178});
}

QPalette darkPalette() {
  return paletteOf({38, 41, 47}, {30, 32, 36}, {52, 56, 63}, {228, 230, 234}, {140, 144, 152}, {45, 125, 190});
}

}  // namespace attnscope::viz
