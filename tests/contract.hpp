// SPDX-License-Identifier: Apache-2.0
// What every method owes the harness, checked for one method, phase and backend on awkward shapes.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "harness/measure/method_call.hpp"
#include "harness/method/registry.hpp"
#include "harness/verify/compare.hpp"
#include "harness/verify/sample_rows.hpp"
#include "harness/workload/workload.hpp"

namespace attnscope::test {

struct Combination {
  const Method* method;
  Phase phase;
  Backend backend;
};

/// Every registered method × phase × backend on (or not on) a GPU.
inline std::vector<Combination> combinations(bool device) {
  std::vector<Combination> all;
  for (const Method* method : methods())
    for (const Phase phase : method->info().phases)
      for (const Backend backend : method->info().backends)
        if (backend != Backend::reference && on_device(backend) == device) all.push_back({method, phase, backend});
  return all;
}

inline std::string name_of(const testing::TestParamInfo<Combination>& info) {
  const auto& [method, phase, backend] = info.param;
  return method->info().name + "_" + std::string(to_string(phase)) + "_" + std::string(to_string(backend));
}

/// Length 1, odd lengths, one head, groups of several sizes, lengths beside a multiple of every tile; paged caches with
/// a short last page, a page longer than the sequence, and pages of one key.
inline std::vector<Shape> awkward_shapes(Phase phase) {
  const std::vector<Shape> decode{{1, 1, 1, 64, 1, 1},
                                  {1, 2, 1, 64, 1, 17},
                                  {2, 8, 2, 128, 1, 1037},
                                  {1, 4, 4, 32, 1, 300},
                                  {3, 3, 1, 64, 1, 63},
                                  {1, 8, 1, 128, 1, 4097},
                                  {1, 1, 1, 128, 1, 2049},
                                  {2, 8, 2, 128, 1, 1037, true, Dtype::bf16, 16, 64},
                                  {2, 2, 1, 64, 1, 17, true, Dtype::bf16, 64},
                                  {1, 6, 2, 64, 1, 130, true, Dtype::bf16, 1, 129}};
  const std::vector<Shape> prefill{{1, 1, 1, 64, 1, 1},          {1, 2, 2, 64, 5, 5},     {1, 4, 1, 128, 67, 67},
                                   {2, 4, 2, 32, 33, 129},       {1, 1, 1, 64, 128, 128}, {1, 6, 2, 64, 1, 77},
                                   {1, 2, 1, 64, 19, 70, false}, {1, 2, 1, 128, 200, 333}};
  return phase == Phase::decode ? decode : prefill;
}

/// Remembers which stages a call went through, and that they do not nest.
class StageRecorder final : public StageObserver {
 public:
  void begin(std::string_view name, StageKind) override {
    EXPECT_FALSE(open_) << "stages must not nest";
    open_ = true;
    names_.insert(std::string(name));
  }
  void end() override { open_ = false; }
  const std::set<std::string>& names() const { return names_; }

 private:
  bool open_ = false;
  std::set<std::string> names_;
};

inline void check_costs(MethodCall& call) {
  StageRecorder recorder;
  call.execution().build(recorder);
  call.execution().run(recorder);
  if (call.stream()) synchronize_gpu();
  std::set<std::string> costed;
  double flops = 0, bytes = 0;
  for (const StageCost& cost : call.execution().costs()) {
    EXPECT_TRUE(costed.insert(cost.name).second) << "stage " << cost.name << " is costed twice";
    EXPECT_GE(cost.flops, 0) << cost.name;
    EXPECT_GT(cost.bytes, 0) << cost.name;
    flops += cost.flops;
    bytes += cost.bytes;
  }
  EXPECT_GT(flops, 0);
  EXPECT_GT(bytes, 0);
  EXPECT_EQ(recorder.names(), costed) << "stages that run and stages that are costed must be the same";
}

/// Kernel against reference on all rows, exact counts, guard bands, costs; twice, since a call must be repeatable.
inline void check_call(const Combination& combination, const Shape& shape, const Params& params) {
  const auto& [method, phase, backend] = combination;
  constexpr int kThreads = 2;
  const Workload& workload = find_workload("gaussian");
  const Params knobs = Params::resolve(workload.info().parameters, nlohmann::json::object(), "gaussian");
  const Problem problem = workload.make(shape, phase, knobs, 11, kThreads);
  const AttentionRows exact = exact_attention(problem.inputs(), sample_rows(shape, shape.rows(), 1), kThreads);

  MethodCall call(*method, backend, phase, params, problem.inputs());
  call.build();
  for (int repeat = 0; repeat < 2; ++repeat) {
    call.run_poisoned();
    const Comparison comparison = compare_with_reference(call.completed(), exact, kThreads);
    EXPECT_EQ(comparison.fault.value_or(""), "");
    EXPECT_TRUE(call.guards_intact());
  }
  check_costs(call);
}

inline void check_contract(const Combination& combination) {
  const auto& [method, phase, backend] = combination;
  const Params params = Params::resolve(method->info().parameters, nlohmann::json::object(), method->info().name);
  int supported = 0;
  for (Shape shape : awkward_shapes(phase))
    for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16}) {
      shape.dtype = dtype;
      if (method->unsupported(shape, phase, backend, params)) continue;
      ++supported;
      SCOPED_TRACE(testing::Message() << "B" << shape.batch << " Hq" << shape.q_heads << " Hkv" << shape.kv_heads
                                      << " D" << shape.head_dim << " Nq" << shape.q_len << " N" << shape.kv_len
                                      << " page " << shape.cache_page << " history " << shape.history << " "
                                      << to_string(dtype) << (shape.causal ? " causal" : ""));
      check_call(combination, shape, params);
    }
  EXPECT_GT(supported, 0) << "no shape is supported";
}

}  // namespace attnscope::test
