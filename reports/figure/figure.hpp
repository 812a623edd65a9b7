// SPDX-License-Identifier: Apache-2.0
// A figure as plain data. SVG, pgfplots and the dashboard are renderers of it; none of them knows what is plotted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace attnscope::reports {

enum class Scale { linear, log10, log2 };

struct Axis {
  std::string title;  // quantity and unit: "time (ms)"
  Scale scale = Scale::linear;
  std::vector<std::string> categories = {};  // texts at 0, 1, 2, ... of a linear axis that lists things
};

struct DataPoint {
  double x = 0;
  double y = 0;
  std::optional<double> y_low = {};  // ends of the error bar
  std::optional<double> y_high = {};
  std::string label = {};                  // what tells this point from its neighbours: "budget 1024"
  std::optional<std::size_t> source = {};  // index into Record::points; none for guides
  bool dimmed = false;                     // drawn pale: another point beats it
};

/// A filled rectangle: a part of a stacked bar, a cell of a map, a kernel on a timeline.
struct Patch {
  double x_low = 0;
  double x_high = 0;
  double y_low = 0;
  double y_high = 0;
  std::string text = {};   // drawn inside where it fits
  std::string label = {};  // what it is
  std::optional<std::size_t> source = {};
  double strength = 1;  // 0 (the background) to 1 (the full colour of the series)
};

/// How a series looks, as indexes into the tables below; a renderer translates them.
struct Style {
  std::size_t colour = 0;
  std::size_t marker = 0;
  bool dashed = false;
};

/// Curves connect their points, clouds do not. A guide is a line to read both against (a roof, a diagonal): thin, grey,
/// without markers. Patches have no points.
enum class Role { curve, cloud, guide, patches };

struct Series {
  std::string name;
  Role role = Role::curve;
  Style style;
  std::vector<DataPoint> points;  // ascending in x
  std::vector<Patch> patches = {};
};

struct Figure {
  std::string name;      // fit for a file name, unique in a report
  std::string title;     // what is shown
  std::string subtitle;  // the facet: phase, workload, shape, contract
  std::string caption;   // how to read it, what was left out
  Axis x;
  Axis y;
  std::vector<Series> series;
};

struct Rgb {
  std::uint8_t red, green, blue;
};

/// Okabe and Ito's colours for all kinds of colour vision, yellow left out (too pale for lines on white), grey last.
inline constexpr std::array<Rgb, 8> kPalette{{{0, 0, 0},
                                              {0, 114, 178},
                                              {213, 94, 0},
                                              {0, 158, 115},
                                              {204, 121, 167},
                                              {230, 159, 0},
                                              {86, 180, 233},
                                              {127, 127, 127}}};

enum class Marker { circle, square, triangle, diamond, triangle_down, cross, plus };
inline constexpr std::size_t kMarkers = 7;

/// `style` as a colour and a marker; indexes beyond the tables wrap around.
inline Rgb colour_of(const Style& style) { return kPalette[style.colour % kPalette.size()]; }
inline Marker marker_of(const Style& style) { return static_cast<Marker>(style.marker % kMarkers); }

/// The full colour mixed with white as the strength of `patch` says. Not translucent: what lies below does not show.
Rgb patch_colour(const Style& style, const Patch& patch);
/// Whether text on that colour should be white.
bool is_dark(const Rgb& colour);

/// Removes what the axes cannot show (not finite, or not positive on a logarithmic axis) and says so in the caption,
/// drops empty series and sorts the points of every series by x. False when only guides are left.
bool finish(Figure& figure);

}  // namespace attnscope::reports
