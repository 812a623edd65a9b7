// SPDX-License-Identifier: Apache-2.0
// Stages: the named parts of a method's call, each with its own time, FLOPs and bytes.
#pragma once

#include <string>
#include <string_view>

namespace attnscope {

/// `build` makes an amortised structure (page bounds, a quantised cache) and is not part of a call's time.
enum class StageKind { build, select, attend, correct, merge };

std::string_view to_string(StageKind kind);
StageKind parse_stage_kind(std::string_view text);

/// What one stage of one call must compute and move, as the method derives it from its selection.
/// A multiply-add counts 2 FLOPs; comparisons, exponentials and integer work of a selection count 1 per element.
/// `bytes` counts every input read once and every output written once, at the widths in memory.
struct StageCost {
  std::string name;
  StageKind kind = StageKind::attend;
  double flops = 0;
  double bytes = 0;
};

/// Told where stages begin and end while a method runs. The harness has one per question: total time (nothing to do),
/// time per stage (a clock or a CUDA event at each boundary), counters (a profiler range and an NVTX range).
class StageObserver {
 public:
  virtual ~StageObserver() = default;
  virtual void begin(std::string_view name, StageKind kind) = 0;
  virtual void end() = 0;
};

/// Observes nothing: what a call is timed with.
class SilentObserver final : public StageObserver {
 public:
  void begin(std::string_view, StageKind) override {}
  void end() override {}
};

/// One stage, from construction to destruction. Stages do not nest; the same stage may recur in one call (chunked
/// work), its times then add up.
class StageScope {
 public:
  StageScope(StageObserver& observer, std::string_view name, StageKind kind) : observer_(observer) {
    observer_.begin(name, kind);
  }
  ~StageScope() { observer_.end(); }
  StageScope(const StageScope&) = delete;
  StageScope& operator=(const StageScope&) = delete;

 private:
  StageObserver& observer_;
};

}  // namespace attnscope
