// SPDX-License-Identifier: Apache-2.0
// A figure as SVG, so that a report has pictures wherever it is made: no plotting program, no fonts, no script.
#include <fmt/format.h>

#include <algorithm>

#include "reports/formats/escape.hpp"
#include "reports/formats/formats.hpp"
#include "reports/formats/svg_layout.hpp"

namespace attnscope::reports {
namespace {

constexpr double kMarkerRadius = 3.6;
constexpr const char* kGuideColour = "#8a8a8a";

std::string hex(const Rgb& rgb) { return fmt::format("#{:02x}{:02x}{:02x}", rgb.red, rgb.green, rgb.blue); }

std::string polygon(std::initializer_list<std::pair<double, double>> corners, double x, double y) {
  std::string text = "<polygon points=\"";
  for (const auto& [dx, dy] : corners)
    text += fmt::format("{:.1f},{:.1f} ", x + kMarkerRadius * dx, y + kMarkerRadius * dy);
  text.back() = '"';
  return text;
}

std::string marker(const Style& style, double x, double y) {
  const std::string colour = hex(colour_of(style));
  const auto filled = [&](const std::string& element) { return fmt::format("{} fill=\"{}\"/>", element, colour); };
  const auto strokes = [&](double ax, double ay, double bx, double by) {
    const double r = kMarkerRadius;
    return fmt::format(
        "<path d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}M{:.1f} {:.1f}L{:.1f} {:.1f}\" stroke=\"{}\" stroke-width=\"2\"/>",
        x + r * ax, y + r * ay, x - r * ax, y - r * ay, x + r * bx, y + r * by, x - r * bx, y - r * by, colour);
  };
  switch (marker_of(style)) {
    case Marker::circle:
      return filled(fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"", x, y, kMarkerRadius));
    case Marker::square:
      return filled(polygon({{-.9, -.9}, {.9, -.9}, {.9, .9}, {-.9, .9}}, x, y));
    case Marker::triangle:
      return filled(polygon({{0, -1.3}, {1.15, .8}, {-1.15, .8}}, x, y));
    case Marker::diamond:
      return filled(polygon({{0, -1.35}, {1.1, 0}, {0, 1.35}, {-1.1, 0}}, x, y));
    case Marker::triangle_down:
      return filled(polygon({{0, 1.3}, {1.15, -.8}, {-1.15, -.8}}, x, y));
    case Marker::cross:
      return strokes(1, 1, 1, -1);
    case Marker::plus:
      return strokes(1.2, 0, 0, 1.2);
  }
  return "";
}

std::string line(double x1, double y1, double x2, double y2, const char* colour) {
  return fmt::format("<path d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\" stroke=\"{}\"/>\n", x1, y1, x2, y2, colour);
}

std::string text(double x, double y, const std::string& attributes, const std::string& words) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\"{}>{}</text>\n", x, y, attributes, escape_xml(words));
}

std::string axes(const Figure& figure, const SvgLayout& layout) {
  const Box& plot = layout.plot();
  std::string out;
  for (const Tick& tick : ticks(figure.x, layout.x_range())) {
    const double x = layout.x(tick.value);
    if (!tick.label.empty()) out += line(x, plot.top, x, plot.bottom, "#e6e6e6");
    out += line(x, plot.bottom, x, plot.bottom + (tick.label.empty() ? 3 : 5), "#333");
    if (!tick.label.empty()) out += text(x, plot.bottom + 18, " text-anchor=\"middle\"", tick.label);
  }
  for (const Tick& tick : ticks(figure.y, layout.y_range())) {
    const double y = layout.y(tick.value);
    if (!tick.label.empty()) out += line(plot.left, y, plot.right, y, "#e6e6e6");
    out += line(plot.left - (tick.label.empty() ? 3 : 5), y, plot.left, y, "#333");
    if (!tick.label.empty()) out += text(plot.left - 8, y + 4, " text-anchor=\"end\"", tick.label);
  }
  out += fmt::format("<path d=\"M{0:.1f} {1:.1f}V{2:.1f}H{3:.1f}\" fill=\"none\" stroke=\"#333\"/>\n", plot.left,
                     plot.top, plot.bottom, plot.right);
  out += text((plot.left + plot.right) / 2, plot.bottom + 40, " text-anchor=\"middle\"", figure.x.title);
  const double middle = (plot.top + plot.bottom) / 2;
  return out + text(20, middle, fmt::format(" text-anchor=\"middle\" transform=\"rotate(-90 20 {:.1f})\"", middle),
                    figure.y.title);
}

std::string path_of(const Series& series, const SvgLayout& layout) {
  std::string d;
  for (const DataPoint& point : series.points)
    d += fmt::format("{}{:.1f} {:.1f}", d.empty() ? "M" : "L", layout.x(point.x), layout.y(point.y));
  const bool guide = series.role == Role::guide;
  return fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"{}/>\n", d,
                     guide ? kGuideColour : hex(colour_of(series.style)), guide ? "1.2" : "1.8",
                     series.style.dashed ? " stroke-dasharray=\"6 4\"" : "");
}

std::string patches_of(const Series& series, const SvgLayout& layout) {
  std::string out;
  for (const Patch& patch : series.patches) {
    const double left = layout.x(patch.x_low);
    const double top = layout.y(patch.y_high);
    const double wide = layout.x(patch.x_high) - left;
    const double high = layout.y(patch.y_low) - top;
    out += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\" stroke=\"#fff\" "
        "stroke-width=\"0.5\"><title>{}</title></rect>\n",
        left, top, wide, high, hex(patch_colour(series.style, patch)), escape_xml(patch.label));
    if (!patch.text.empty() && text_width(patch.text, 11) < wide && high > 11)
      out += text(left + wide / 2, top + high / 2 + 4,
                  fmt::format(" text-anchor=\"middle\" font-size=\"11\" fill=\"{}\"",
                              is_dark(patch_colour(series.style, patch)) ? "#fff" : "#1a1a1a"),
                  patch.text);
  }
  return out;
}

std::string points_of(const Series& series, const SvgLayout& layout) {
  std::string out;
  for (const DataPoint& point : series.points) {
    const double x = layout.x(point.x);
    const double y = layout.y(point.y);
    if (point.y_low && point.y_high) {
      const double low = layout.y(*point.y_low);
      const double high = layout.y(*point.y_high);
      out += fmt::format(
          "<path d=\"M{0:.1f} {1:.1f}V{2:.1f}M{3:.1f} {1:.1f}H{4:.1f}M{3:.1f} {2:.1f}H{4:.1f}\" stroke=\"{5}\"/>\n", x,
          low, high, x - 3, x + 3, hex(colour_of(series.style)));
    }
    const std::string tooltip = fmt::format("{}{}{}: {:.6g}, {:.6g}", series.name, point.label.empty() ? "" : " ",
                                            point.label, point.x, point.y);
    out += fmt::format("<g{}><title>{}</title>{}</g>\n", point.dimmed ? " opacity=\"0.3\"" : "", escape_xml(tooltip),
                       marker(series.style, x, y));
  }
  return out;
}

std::string legend(const Figure& figure, const SvgLayout& layout) {
  std::string out;
  std::size_t entry = 0;
  for (const Series& series : figure.series) {
    if (series.name.empty()) continue;
    const double x = layout.legend_left();
    const double y = layout.legend_line(entry++);
    if (series.role == Role::patches)
      out += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"14\" height=\"10\" fill=\"{}\"/>\n", x + 5, y - 5,
                         hex(colour_of(series.style)));
    else if (series.role != Role::cloud)
      out += fmt::format("<path d=\"M{:.1f} {:.1f}h24\" stroke=\"{}\" stroke-width=\"{}\"{}/>\n", x, y,
                         series.role == Role::guide ? kGuideColour : hex(colour_of(series.style)),
                         series.role == Role::guide ? "1.2" : "1.8",
                         series.style.dashed ? " stroke-dasharray=\"6 4\"" : "");
    if (series.role == Role::curve || series.role == Role::cloud) out += marker(series.style, x + 12, y) + "\n";
    out += text(x + 31, y + 4, "", series.name);
  }
  return out;
}

}  // namespace

std::string svg(const Figure& figure) {
  const SvgLayout layout(figure);
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\" font-size=\"12\" fill=\"#1a1a1a\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
      layout.page_width(), layout.page_height());
  out += text(layout.plot().left, 22, " font-size=\"15\" font-weight=\"bold\"", figure.title);
  out += text(layout.plot().left, 41, " fill=\"#555\"", figure.subtitle);
  out += axes(figure, layout);
  for (const Series& series : figure.series) out += patches_of(series, layout);
  for (const Series& series : figure.series)  // guides lie below every curve
    if (series.role == Role::guide) out += path_of(series, layout);
  for (const Series& series : figure.series)
    if (series.role == Role::curve) out += path_of(series, layout);
  for (const Series& series : figure.series)
    if (series.role != Role::guide) out += points_of(series, layout);
  for (const PlacedLabel& label : layout.labels())
    out +=
        text(label.x, label.y,
             " font-size=\"10\" fill=\"#444\" stroke=\"#fff\" stroke-width=\"2.5\" paint-order=\"stroke\"", label.text);
  return out + legend(figure, layout) + "</svg>\n";
}

}  // namespace attnscope::reports
