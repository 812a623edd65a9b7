// SPDX-License-Identifier: Apache-2.0
// Points and records for the tests of everything that reads records. All numbers are invented.
#pragma once

#include <cmath>

#include "harness/record/result.hpp"

namespace attnscope::record::testing {

/// The environment keys that every record has.
inline nlohmann::json context() {
  return {
      {"date", "2026-01-01T00:00:00+00:00"},
      {"host_name", "testhost"},
      {"executable", "attnscope"},
      {"num_cpus", 2},
      {"mhz_per_cpu", 2000},
      {"cpu_scaling_enabled", false},
      {"caches", nlohmann::json::array()},
      {"load_avg", nlohmann::json::array()},
      {"library_build_type", "release"},
      {"json_schema_version", 1},
      {"machine", {{"cpu_model", "Test CPU"}}},
      {"ceilings", {{"cpu", {{"fma_f32_flops_per_s", {{"median", 1e11}}}, {"read_bytes_per_s", {{"median", 2e10}}}}}}}};
}

/// A timed decode point of `method` whose samples lie evenly within ±1 % of `median_ns`.
inline Point point(const std::string& method, std::int64_t kv_len, double density, double median_ns) {
  Point point;
  point.method = method;
  point.phase = Phase::decode;
  point.workload = {.name = "llm", .params = nlohmann::json::object(), .seed = 1, .hash = "abc"};
  point.shape = {.batch = 1, .q_heads = 8, .kv_heads = 2, .head_dim = 128, .q_len = 1, .kv_len = kv_len};
  point.contract = "warm";
  if (method != "dense") point.params["budget"] = std::llround(density * static_cast<double>(kv_len));
  point.density = density;
  point.attended_pairs = static_cast<std::uint64_t>(density * 8.0 * static_cast<double>(kv_len));
  point.flops.dense = 4.0 * 128 * 8 * static_cast<double>(kv_len);
  point.flops.useful = point.flops.dense * density;
  point.flops.select = method == "dense" ? 0 : point.flops.dense / 32;
  point.bytes.model = density * 4.0 * 128 * 2 * static_cast<double>(kv_len);
  point.accuracy.rel_l2 = method == "dense" ? 0.001 : 0.1 * std::sqrt(1 / density) / 4;
  point.accuracy.mass_recall = method == "dense" ? 1.0 : 0.9;
  point.accuracy.rows_sampled = 8;
  point.verified = Verified{.reference_rel_l2 = 0.001,
                            .tolerance = 0.004,
                            .rows = 8,
                            .revalidated_after_timing = true,
                            .guards_intact = true};
  Time time{.median_ns = median_ns,
            .ci_low_ns = 0.99 * median_ns,
            .ci_high_ns = 1.01 * median_ns,
            .samples_ns = {},
            .process_samples = {21},
            .process_others = {},
            .stopped_because = "ci_width"};
  for (int i = 0; i < 21; ++i)  // steps of 8 visit every offset once, in an order without drift
    time.samples_ns.push_back(median_ns * (0.99 + 0.001 * static_cast<double>(i * 8 % 21)));
  point.time = time;
  return point;
}

/// dense, quest and streaming at four context lengths, and one point that ran out of memory.
inline Record record() {
  Record record{.context = context(), .points = {}};
  for (const std::int64_t n : {65536, 131072, 262144, 524288}) {
    const auto scale = static_cast<double>(n) / 65536;
    record.points.push_back(point("dense", n, 1.0, 4e6 * scale));
    record.points.push_back(point("quest", n, 0.0625, 4e5 * scale + 1e5));
    record.points.push_back(point("streaming", n, 0.03125, 2e5 * scale));
  }
  Point failed = point("oracle_topk", 524288, 0.0625, 1);
  failed.time.reset();
  failed.verified.reset();
  failed.status = Status::oom;
  failed.reason = "scores: 4.0 GiB asked for, 2.0 GiB free";
  record.points.push_back(failed);
  return record;
}

}  // namespace attnscope::record::testing
