// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reports/figure/rows.hpp"
#include "reports/figure/text.hpp"

namespace attnscope::reports {
namespace {

using record::Kernel;
using record::Point;
using record::Stage;

constexpr double kNsPerUs = 1e3;
// Within a row of height 1: kernels below, the stage they belong to as a strip above.
constexpr double kKernelLow = -0.4;
constexpr double kKernelHigh = 0.2;
constexpr double kStageLow = 0.24;
constexpr double kStageHigh = 0.42;

class Tracks {
 public:
  Tracks(Figure& figure, std::size_t point) : figure_(figure), point_(point) {}

  void add_stage_with_kernels(const Stage& stage) {
    struct Extent {
      double begin;
      double end;
    };
    std::map<double, Extent> rows;  // of the streams that the stage runs on
    for (const Kernel& kernel : stage.kernels) {
      const double y = row(fmt::format("{}stream {}", stage.kind == "build" ? "build, " : "", kernel.stream));
      const double begin = kernel.start_ns;
      const double end = kernel.start_ns + kernel.duration_ns;
      add(stage, y + kKernelLow, y + kKernelHigh, begin, end, short_kernel_name(kernel.name),
          fmt::format("{}\n{}: {}, grid {}×{}×{}, block {}×{}×{}, {} registers, {} B shared", kernel.name, stage.name,
                      duration(kernel.duration_ns), kernel.grid[0], kernel.grid[1], kernel.grid[2], kernel.block[0],
                      kernel.block[1], kernel.block[2], kernel.registers,
                      kernel.static_shared_bytes + kernel.dynamic_shared_bytes),
          1);
      auto& extent = rows.try_emplace(y, Extent{begin, end}).first->second;
      extent = {std::min(extent.begin, begin), std::max(extent.end, end)};
    }
    for (const auto& [y, extent] : rows)
      add(stage, y + kStageLow, y + kStageHigh, extent.begin, extent.end, stage.name,
          fmt::format("stage {}: {} from the first to the last kernel", stage.name,
                      duration(extent.end - extent.begin)),
          0.5);
  }

  void add_stage(const Stage& stage, double begin) {
    const double y = row("stages (median)");
    add(stage, y + kKernelLow, y + kKernelHigh, begin, begin + *stage.median_ns, stage.name,
        fmt::format("stage {}: {}", stage.name, duration(*stage.median_ns)), 1);
  }

 private:
  double row(const std::string& name) {
    auto& names = figure_.y.categories;
    const auto found = std::ranges::find(names, name);
    const auto index = found - names.begin();
    if (found == names.end()) names.push_back(name);
    return static_cast<double>(index);
  }

  void add(const Stage& stage, double low, double high, double begin_ns, double end_ns, std::string text,
           std::string label, double strength) {
    auto series = std::ranges::find(figure_.series, stage.kind, &Series::name);
    if (series == figure_.series.end())
      series = figure_.series.insert(
          series,
          {.name = stage.kind, .role = Role::patches, .style = stage_style(stage.kind), .points = {}, .patches = {}});
    series->patches.push_back({.x_low = begin_ns / kNsPerUs,
                               .x_high = end_ns / kNsPerUs,
                               .y_low = low,
                               .y_high = high,
                               .text = std::move(text),
                               .label = std::move(label),
                               .source = point_,
                               .strength = strength});
  }

  Figure& figure_;
  std::size_t point_;
};

}  // namespace

std::string short_kernel_name(std::string name) {
  constexpr std::string_view kAnonymous = "(anonymous namespace)::";
  for (std::size_t at; (at = name.find(kAnonymous)) != std::string::npos;) name.erase(at, kAnonymous.size());
  name = name.substr(0, name.find_first_of("<("));
  const std::size_t last = name.find_last_of(": ");
  return last == std::string::npos ? name : name.substr(last + 1);
}

Figure timeline_figure(const Wording& wording, std::size_t index) {
  const Point& point = wording.record().points[index];
  const bool traced = std::ranges::any_of(point.stages, [](const Stage& stage) { return !stage.kernels.empty(); });
  Figure figure{.name = "timeline-" + slug(wording.label(point)),
                .title = "Timeline of one call",
                .subtitle = wording.label(point),
                .caption = traced ? "Kernels as they ran in one traced call, in the stage they belong to; build has a "
                                    "clock of its own."
                                  : "No kernel activity was traced: the stages one after the other, each as long as "
                                    "its median.",
                .x = {"time (µs)", Scale::linear},
                .y = {},
                .series = {}};
  Tracks tracks(figure, index);
  double at = 0;
  for (const Stage& stage : point.stages) {
    if (traced)
      tracks.add_stage_with_kernels(stage);
    else if (stage.median_ns && stage.kind != "build") {
      tracks.add_stage(stage, at);
      at += *stage.median_ns;
    }
  }
  if (!finish(figure)) figure.series.clear();
  return figure;
}

}  // namespace attnscope::reports
