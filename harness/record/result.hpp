// SPDX-License-Identifier: Apache-2.0
// The record: what one run measured. Facts only; rates and ratios are derived in derive.hpp. Everything that reports,
// gates and plots is made from this and nothing else. result.schema.json is its normative form on disk.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/shape.hpp"

namespace attnscope::record {

inline constexpr int kSchemaVersion = 2;

/// `ok` has every number its tier allows; any other status has a reason, and no time when `wrong`.
enum class Status { ok, skipped, wrong, oom, timeout, crashed };

/// T0 events or clock · T1 kernel activity · T2 hardware counters · T3 sampling inside kernels.
enum class Tier { t0, t1, t2, t3 };

struct WorkloadId {
  std::string name;
  nlohmann::json params = nlohmann::json::object();
  std::uint64_t seed = 0;
  std::string hash;  // of the bytes of q, k, v and past_q: equal hashes, equal inputs
  bool operator==(const WorkloadId&) const = default;
};

/// True softmax mass on a set of keys, over the sampled rows.
struct KeySetMass {
  std::optional<double> mass_mean;
  std::vector<std::optional<double>> mass_by_head;  // mean per query head, over the batch; null: no row was sampled
  bool operator==(const KeySetMass&) const = default;
};

/// Output against exact attention in double over `rows_sampled` query rows.
struct Accuracy {
  std::optional<double> rel_l2;  // ‖O − O*‖ / ‖O*‖ over the evaluated rows
  std::optional<double> cosine;  // mean over rows
  std::optional<double> max_abs;
  std::optional<double> mass_recall;  // mean true softmax mass on attended keys
  std::optional<double> mass_recall_p10;
  std::optional<double> mass_recall_min;
  std::optional<double> mass_recall_non_sink;  // (mass − w₀)/(1 − w₀), w₀ the weight of token 0; mean over rows
  std::optional<double> task_score;            // retrieved fraction, where the workload has a task
  std::int64_t rows_sampled = 0;
  std::vector<std::optional<double>> mass_by_head;  // as mass_recall, by query head; empty: not evaluated
  std::map<std::string, KeySetMass> key_sets;  // keys considered on the way to those attended, by the method's names
  bool operator==(const Accuracy&) const = default;
};

struct Flops {
  double dense = 0;                // 4 · head_dim · pairs of exact attention
  double useful = 0;               // 4 · head_dim · attended pairs, counted exactly
  double select = 0;               // what choosing cost (stages of kind select)
  std::optional<double> executed;  // what the counters saw, all types
  bool operator==(const Flops&) const = default;
};

struct Bytes {
  double model = 0;  // sum of the stages' modelled bytes, build excluded
  std::optional<double> dram_read;
  std::optional<double> dram_write;
  bool operator==(const Bytes&) const = default;
};

/// One process's samples share its memory placement and its minute of the machine: together they are one observation
/// of how fast the call is (processes.hpp).
struct Time {
  double median_ns = 0;
  double ci_low_ns = 0;  // 95 % confidence interval of the median
  double ci_high_ns = 0;
  std::vector<double> samples_ns;             // every sample, in order, process after process
  std::vector<std::int64_t> process_samples;  // how many of them each process took
  std::vector<double> process_others;  // share of the machine's CPU time that other work took beside each process
  std::string stopped_because;         // ci_width, max_samples, max_time: of the last process
  bool operator==(const Time&) const = default;
};

struct Kernel {
  std::string name;
  double start_ns = 0;  // since the start of the traced call
  double duration_ns = 0;
  std::array<std::int64_t, 3> grid{};
  std::array<std::int64_t, 3> block{};
  std::int64_t registers = 0;
  std::int64_t static_shared_bytes = 0;
  std::int64_t dynamic_shared_bytes = 0;
  std::int64_t stream = 0;
  bool operator==(const Kernel&) const = default;
};

struct Stage {
  std::string name;
  std::string kind;  // build, select, attend, correct, merge
  std::optional<double> median_ns;
  double flops = 0;
  double bytes = 0;
  std::vector<Kernel> kernels;             // tier T1 and up
  std::map<std::string, double> counters;  // tier T2 and up, by canonical name
  bool operator==(const Stage&) const = default;
};

struct Verified {
  double reference_rel_l2 = 0;  // worst row against the method's own reference
  double tolerance = 0;
  std::int64_t rows = 0;
  bool revalidated_after_timing = false;
  bool guards_intact = false;
  bool operator==(const Verified&) const = default;
};

struct Point {
  std::string method;
  Backend backend = Backend::cpu;
  Phase phase = Phase::prefill;
  WorkloadId workload;
  Shape shape;
  nlohmann::json params = nlohmann::json::object();  // resolved
  std::string contract;                              // as asked for, timed or not: cold, warm, graph
  Status status = Status::ok;
  std::string reason;  // never empty when status is not ok
  bool reconstructed = false;

  Accuracy accuracy;
  std::optional<double> density;  // attended pairs over the pairs exact attention would visit
  std::optional<std::uint64_t> attended_pairs;
  Flops flops;
  Bytes bytes;
  std::optional<Time> time;
  std::vector<Stage> stages;
  std::map<std::string, double> counters;  // of one whole call, one pass; canonical names
  Tier tier = Tier::t0;
  std::string tier_reason;  // why a demanded tier was not reached
  nlohmann::json clocks =
      nlohmann::json::object();  // sm_mhz, mem_mhz, power_w, temperature_c, throttle: before and after
  std::optional<Verified> verified;
  std::int64_t workspace_bytes = 0;  // what `prepare` allocated
  std::int64_t peak_host_bytes = 0;  // peak resident set of the point's process
  std::optional<std::string> dump;   // file name below --dump-outputs
  bool operator==(const Point&) const = default;
};

struct Record {
  nlohmann::json context =
      nlohmann::json::object();  // Google Benchmark's keys plus environment, config, ceilings, calibration
  std::vector<Point> points;
  bool operator==(const Record&) const = default;
};

std::string_view to_string(Status status);
std::string_view to_string(Tier tier);  // "T0" .. "T3"
Status parse_status(std::string_view text);
Tier parse_tier(std::string_view text);

/// Identity of a point across runs: everything that was asked for, nothing that was measured,
/// e.g. "quest/cuda/decode/llm/seed:1/B1/Hq8/Hkv2/D128/Nq1/N65536/bf16/causal/budget:1024/page:16/cold". A paged cache
/// and earlier queries come after N, as "/cache_page:16/history:64"; without them the key has no such part.
std::string key(const Point& point);

}  // namespace attnscope::record
