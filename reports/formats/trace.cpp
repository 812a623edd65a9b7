// SPDX-License-Identifier: Apache-2.0
// Perfetto drops slices that overlap without nesting, so nesting is made by construction: on each track kernels follow
// one another, and a stage is the run of consecutive kernels that belong to it.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "reports/figure/wording.hpp"
#include "reports/formats/formats.hpp"

namespace attnscope::reports {
namespace {

using nlohmann::json;
using record::Kernel;
using record::Point;
using record::Stage;

constexpr double kNsPerUs = 1e3;

struct Launch {
  const Stage* stage;
  const Kernel* kernel;
};

class Process {
 public:
  Process(json& events, const std::string& name, const Point& point, int pid) : events_(events), pid_(pid) {
    metadata("process_name", 0, {{"name", name}});
    metadata("process_sort_index", 0, {{"sort_index", pid}});
    for (const auto& [metric, value] : point.counters) counter(metric, 0, value);
    // Building the amortised structures is not part of the call: other tracks, other clock.
    add_tracks(point, true, "build, stream ");
    add_tracks(point, false, "stream ");
    if (next_track_ == 1) add_without_kernels(point);
  }

 private:
  void event(json fields) {
    fields["pid"] = pid_;
    events_.push_back(std::move(fields));
  }
  void metadata(const char* what, int track, json args) {
    event({{"ph", "M"}, {"name", what}, {"tid", track}, {"args", std::move(args)}});
  }
  void counter(const std::string& name, double at_ns, double value) {
    event({{"ph", "C"}, {"name", name}, {"tid", 0}, {"ts", at_ns / kNsPerUs}, {"args", {{"value", value}}}});
  }
  void slice(const std::string& name, const char* category, int track, double begin_ns, double end_ns, json args) {
    event({{"ph", "X"},
           {"name", name},
           {"cat", category},
           {"tid", track},
           {"ts", begin_ns / kNsPerUs},
           {"dur", (end_ns - begin_ns) / kNsPerUs},
           {"args", std::move(args)}});
  }
  int new_track(const std::string& name) {
    metadata("thread_name", next_track_, {{"name", name}});
    return next_track_++;
  }

  void add_tracks(const Point& point, bool build, const std::string& prefix) {
    std::map<std::int64_t, std::vector<Launch>> streams;
    for (const Stage& stage : point.stages)
      if ((stage.kind == "build") == build)
        for (const Kernel& kernel : stage.kernels) streams[kernel.stream].push_back({&stage, &kernel});
    for (auto& [stream, launches] : streams) {
      std::ranges::stable_sort(launches, {}, [](const Launch& launch) { return launch.kernel->start_ns; });
      add_stream(launches, new_track(prefix + std::to_string(stream)));
    }
  }

  void add_stream(const std::vector<Launch>& launches, int track) {
    double free_from = launches.front().kernel->start_ns;
    for (std::size_t first = 0; first < launches.size();) {
      const Stage& stage = *launches[first].stage;
      std::size_t last = first;
      while (last < launches.size() && launches[last].stage == &stage) ++last;
      const double begin = std::max(free_from, launches[first].kernel->start_ns);
      for (std::size_t i = first; i < last; ++i) free_from = add_kernel(*launches[i].kernel, track, free_from);
      slice(stage.name, stage.kind.c_str(), track, begin, free_from, {{"flops", stage.flops}, {"bytes", stage.bytes}});
      for (const auto& [name, value] : stage.counters) {
        counter(name + " by stage", begin, value);
        counter(name + " by stage", free_from, 0);
      }
      first = last;
    }
  }

  // A kernel may start before its predecessor has drained (programmatic dependent launch); its slice starts after it,
  // and the true start is in the arguments. Returns where the slice ends.
  double add_kernel(const Kernel& kernel, int track, double free_from) {
    const double begin = std::max(free_from, kernel.start_ns);
    const double end = std::max(begin, kernel.start_ns + kernel.duration_ns);
    slice(kernel.name, "kernel", track, begin, end,
          {{"start_ns", kernel.start_ns},
           {"duration_ns", kernel.duration_ns},
           {"grid", kernel.grid},
           {"block", kernel.block},
           {"registers", kernel.registers},
           {"static_shared_bytes", kernel.static_shared_bytes},
           {"dynamic_shared_bytes", kernel.dynamic_shared_bytes}});
    return end;
  }

  // No kernel activity (CPU, or tier T0): the stages one after the other, as long as their medians.
  void add_without_kernels(const Point& point) {
    const int track = new_track("stages, median times");
    double at = 0;
    for (const Stage& stage : point.stages) {
      if (!stage.median_ns) continue;
      slice(stage.name, stage.kind.c_str(), track, at, at + *stage.median_ns,
            {{"flops", stage.flops}, {"bytes", stage.bytes}});
      at += *stage.median_ns;
    }
    if (at == 0 && point.time) slice("call", "call", track, 0, point.time->median_ns, json::object());
  }

  json& events_;
  int pid_;
  int next_track_ = 1;
};

}  // namespace

std::string chrome_trace(const record::Record& record) {
  const Wording wording(record);
  json events = json::array();
  int pid = 0;
  for (const Point& point : record.points) {
    ++pid;  // the place of the point in the record, counted from 1
    if (point.status == record::Status::ok) Process(events, wording.label(point), point, pid);
  }
  std::string text = "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [";
  const char* separator = "\n";
  for (const json& event : events) {
    text += separator + event.dump();
    separator = ",\n";
  }
  return text + "\n]}\n";
}

}  // namespace attnscope::reports
