// SPDX-License-Identifier: Apache-2.0
// Metric names differ between chips. Every name and pass count below is checked against CUPTI's own database by
// metrics_test.cpp, for every chip that the installed CUPTI knows.
#include "harness/measure/cupti/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/base/error.hpp"

namespace attnscope {
namespace {

enum class Family { ampere_ada, hopper, blackwell_datacenter, blackwell_graphics };

Family family_of(std::string_view chip) {
  if (chip.starts_with("GA") || chip.starts_with("AD")) return Family::ampere_ada;
  if (chip.starts_with("GH")) return Family::hopper;
  if (chip.starts_with("GB1")) return Family::blackwell_datacenter;
  if (chip.starts_with("GB2")) return Family::blackwell_graphics;
  throw MachineError(fmt::format(
      "chip {}: no counter plan; expected Ampere, Ada, Hopper or Blackwell (GA*, AD*, GH*, GB*), sm_80 and up", chip));
}

/// Integrated GPUs share the processor's memory and count no DRAM traffic of their own.
bool has_dram_counters(std::string_view chip) { return chip != "GA10B" && chip != "GB10B" && chip != "GB20B"; }

std::vector<Counter::Term> tensor_terms(Family family, Dtype dtype) {
  const auto ops = [](std::string_view kind) { return Counter::Term{fmt::format("sm__ops_path_tensor_{}.sum", kind)}; };
  switch (dtype) {
    case Dtype::bf16:
      return {ops("src_bf16_dst_fp32")};
    case Dtype::f16:
      // Hopper's src_fp16 takes two passes; its two instruction families together take one.
      if (family == Family::hopper) return {ops("op_hgmma_src_fp16"), ops("op_hmma_src_fp16_dst_fp32")};
      return {ops("src_fp16_dst_fp32")};
    case Dtype::f32:
      // src_tf32 takes two passes here. mma.sync is all that our portable kernels issue on these chips: no tcgen05.
      if (family == Family::blackwell_datacenter) return {ops("op_hmma_src_tf32_dst_fp32")};
      return {ops("src_tf32_dst_fp32")};
  }
  return {};
}

Plan core_plan(std::string_view chip, Dtype dtype) {
  const Family family = family_of(chip);
  Plan plan{"core",
            {{"gpu_time_ns", Rollup::sum, {{"gpu__time_duration.sum"}}},
             {"sm_cycles", Rollup::sum, {{"sm__cycles_elapsed.max"}}},
             {"sm_active_cycles", Rollup::sum, {{"sm__cycles_active.avg"}}},
             {"sm_clock_hz", Rollup::time_mean, {{"gpc__cycles_elapsed.avg.per_second"}}},
             {"warps_active_pct", Rollup::time_mean, {{"sm__warps_active.avg.pct_of_peak_sustained_active"}}},
             // Requests, not sectors: sector hits and misses need two passes, and so two executions.
             {"l2_hit_requests", Rollup::sum, {{"lts__t_requests_srcunit_tex_lookup_hit.sum"}}},
             {"l2_miss_requests", Rollup::sum, {{"lts__t_requests_srcunit_tex_lookup_miss.sum"}}},
             {"l2_sectors", Rollup::sum, {{"lts__t_sectors_srcunit_tex.sum"}}},
             {"tensor_flops", Rollup::sum, tensor_terms(family, dtype)}}};
  if (has_dram_counters(chip)) {
    const std::string_view prefix = family == Family::blackwell_graphics ? "dram__bytes_op_" : "dram__bytes_";
    plan.counters.push_back({"mem_clock_hz", Rollup::time_mean, {{"dram__cycles_elapsed.avg.per_second"}}});
    plan.counters.push_back({"dram_read_bytes", Rollup::sum, {{fmt::format("{}read.sum", prefix)}}});
    plan.counters.push_back({"dram_write_bytes", Rollup::sum, {{fmt::format("{}write.sum", prefix)}}});
  }
  return plan;
}

/// Instructions executed per thread, by patched SASS: cannot share a pass with anything else. Half-precision ones work
/// on two packed values and count once (measured on GH100: half of the FLOPs of a loop of half2 multiply-adds).
Plan fp_plan() {
  struct Operation {
    std::string_view name;
    double flops;
  };
  constexpr std::array kOperations{Operation{"add", 1}, Operation{"mul", 1}, Operation{"fma", 2}};
  Counter all{"fp_flops", Rollup::sum, {}};
  Counter half{"fp16_flops", Rollup::sum, {}};
  for (const char precision : {'f', 'd', 'h'})
    for (const auto& [operation, flops] : kOperations) {
      const Counter::Term term{fmt::format("smsp__sass_thread_inst_executed_op_{}{}_pred_on.sum", precision, operation),
                               precision == 'h' ? 2 * flops : flops};
      all.terms.push_back(term);
      if (precision == 'h') half.terms.push_back(term);
    }
  return {"fp", {all, half}};
}

}  // namespace

std::vector<std::string> Plan::metrics() const {
  std::vector<std::string> names;
  for (const Counter& counter : counters)
    for (const Counter::Term& term : counter.terms)
      if (std::ranges::find(names, term.metric) == names.end()) names.push_back(term.metric);
  return names;
}

std::vector<Plan> counter_plans(std::string_view chip, Dtype dtype) {
  std::vector<Plan> plans{core_plan(chip, dtype)};
  if (dtype == Dtype::f32)
    plans.push_back({"bf16", {{"tensor_bf16_flops", Rollup::sum, tensor_terms(family_of(chip), Dtype::bf16)}}});
  plans.push_back(fp_plan());
  return plans;
}

}  // namespace attnscope
