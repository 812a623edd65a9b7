// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <set>

#include "reports/figure/ticks.hpp"
#include "reports/formats/escape.hpp"
#include "reports/formats/formats.hpp"

namespace attnscope::reports {
namespace {

std::string mark_name(Marker marker) {
  switch (marker) {
    case Marker::circle:
      return "*";
    case Marker::square:
      return "square*";
    case Marker::triangle:
      return "triangle*";
    case Marker::diamond:
      return "diamond*";
    case Marker::triangle_down:
      return "triangle*, mark options={rotate=180}";
    case Marker::cross:
      return "x";
    case Marker::plus:
      return "+";
  }
  return "*";
}

// Powers of two are labelled as context lengths (64k), the rest is left to pgfplots.
std::string axis_mode(const Figure& figure, const Axis& axis, char name) {
  if (!axis.categories.empty()) {
    std::string labels;
    for (const std::string& text : axis.categories)
      labels += fmt::format("{}{{{}}}", labels.empty() ? "" : ",", escape_latex(text));
    return fmt::format("  {0}tick={{0,...,{1}}}, {0}ticklabels={{{2}}}, {0}min=-0.6, {0}max={1}.6,\n", name,
                       axis.categories.size() - 1, labels);
  }
  if (axis.scale == Scale::linear) return "";
  if (axis.scale == Scale::log10) return fmt::format("  {}mode=log,\n", name);
  std::set<double> values;
  for (const Series& series : figure.series)
    for (const DataPoint& point : series.points) values.insert(name == 'x' ? point.x : point.y);
  std::string places;
  std::string labels;
  for (const Tick& tick : ticks(Scale::log2, nice_range(Scale::log2, *values.begin(), *values.rbegin()))) {
    if (tick.label.empty()) continue;
    places += fmt::format("{}{}", places.empty() ? "" : ",", tick.value);
    labels += fmt::format("{}{}", labels.empty() ? "" : ",", tick.label);
  }
  return fmt::format("  {0}mode=log, log basis {0}=2, {0}tick={{{1}}}, {0}ticklabels={{{2}}},\n", name, places, labels);
}

std::string options(const Series& series) {
  if (series.role == Role::guide) return "gray, thin, no marks, forget plot";
  const Rgb rgb = colour_of(series.style);
  std::string text = fmt::format("color={{rgb,255:red,{};green,{};blue,{}}}, mark={}, ", rgb.red, rgb.green, rgb.blue,
                                 mark_name(marker_of(series.style)));
  if (series.role == Role::cloud) return text + "only marks";
  return text + (series.style.dashed ? "thick, dashed" : "thick");
}

std::string colour_text(const Rgb& rgb) {
  return fmt::format("{{rgb,255:red,{};green,{};blue,{}}}", rgb.red, rgb.green, rgb.blue);
}

std::string patches_of(const Series& series) {
  std::string text;
  for (const Patch& patch : series.patches) {
    const Rgb colour = patch_colour(series.style, patch);
    text += fmt::format(
        "\\addplot[forget plot, draw=white, very thin, fill={}] coordinates {{({},{}) ({},{}) ({},{}) ({},{})}} "
        "-- cycle;  % {}\n",
        colour_text(colour), patch.x_low, patch.y_low, patch.x_high, patch.y_low, patch.x_high, patch.y_high,
        patch.x_low, patch.y_high, patch.label);
  }
  if (!series.name.empty())
    text += fmt::format("\\addlegendimage{{area legend, fill={}, draw=none}}\n\\addlegendentry{{{}}}\n",
                        colour_text(colour_of(series.style)), escape_latex(series.name));
  return text;
}

}  // namespace

std::string pgfplots(const Figure& figure) {
  std::string text = fmt::format("% {}. {}\n% {}\n% Needs \\usepackage{{pgfplots}} and \\pgfplotsset{{compat=1.17}}.\n",
                                 figure.title, figure.subtitle, figure.caption);
  text += fmt::format(
      "\\begin{{tikzpicture}}\n\\begin{{axis}}[\n  width=0.62\\linewidth, height=0.42\\linewidth,\n  title={{{}}},\n"
      "  title style={{align=center, font=\\small}},\n  xlabel={{{}}}, ylabel={{{}}},\n{}{}"
      "  legend pos=outer north east, legend cell align=left, legend style={{font=\\footnotesize, draw=none}},\n"
      "  grid=major, grid style={{gray!20}},\n]\n",
      escape_latex(figure.title) + "\\\\ \\footnotesize " + escape_latex(figure.subtitle), escape_latex(figure.x.title),
      escape_latex(figure.y.title), axis_mode(figure, figure.x, 'x'), axis_mode(figure, figure.y, 'y'));
  for (const Series& series : figure.series) {
    if (series.role == Role::patches) {
      text += patches_of(series);
      continue;
    }
    text += fmt::format("\\addplot[{}, error bars/.cd, y dir=both, y explicit] coordinates {{\n", options(series));
    for (const DataPoint& point : series.points) {
      text += fmt::format("  ({},{})", point.x, point.y);
      if (point.y_low && point.y_high)
        text += fmt::format(" += (0,{}) -= (0,{})", *point.y_high - point.y, point.y - *point.y_low);
      text += point.label.empty() ? "\n" : fmt::format("  % {}\n", point.label);
    }
    text += "};\n";
    if (series.role != Role::guide) text += fmt::format("\\addlegendentry{{{}}}\n", escape_latex(series.name));
  }
  return text + "\\end{axis}\n\\end{tikzpicture}\n";
}

}  // namespace attnscope::reports
