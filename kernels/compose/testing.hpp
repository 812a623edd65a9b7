// SPDX-License-Identifier: Apache-2.0
// What the rooms' tests share: random problems, and completed calls on every backend of this machine, judged by the
// harness.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "harness/base/half.hpp"
#include "harness/method/registry.hpp"
#include "harness/verify/compare.hpp"
#include "harness/verify/sample_rows.hpp"
#include "harness/workload/paged_cache.hpp"
#if ATTNSCOPE_CUDA
#include <cuda_runtime_api.h>
#endif

namespace attnscope::testing {

inline Phase phase_of(const Shape& shape) { return shape.q_len == 1 ? Phase::decode : Phase::prefill; }

/// Host tensors with elements drawn from N(0, 1), for tests to overwrite.
struct TestProblem {
  Shape shape;
  Buffer q, k, v, past_q;

  explicit TestProblem(const Shape& s, unsigned seed = 1)
      : shape(s),
        q(Space::host, s.q_elements() * size_of(s.dtype)),
        k(Space::host, s.kv_elements() * size_of(s.dtype)),
        v(Space::host, s.kv_elements() * size_of(s.dtype)),
        past_q(Space::host, s.history_elements() * size_of(s.dtype)) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    for (const Buffer* tensor : {&q, &k, &v, &past_q})
      for (std::int64_t i = 0; i < static_cast<std::int64_t>(tensor->bytes()) / size_of(s.dtype); ++i)
        store_element(tensor->data(), s.dtype, i, normal(generator));
  }
  AttentionInputs inputs() const {
    return {.shape = shape,
            .q = q.data(),
            .k = k.data(),
            .v = v.data(),
            .scale = default_scale(shape),
            .past_q = shape.history > 0 ? past_q.data() : nullptr};
  }
};

inline Params resolve(const Method& method, const nlohmann::json& given = nlohmann::json::object()) {
  return Params::resolve(method.info().parameters, given, "test");
}

inline RowSelection select_row(const std::string& method, const TestProblem& problem, const nlohmann::json& params,
                               const Row& row) {
  const Method& room = find_method(method);
  return room.define(problem.inputs(), phase_of(problem.shape), resolve(room, params), {})->select_row(row);
}

/// cpu, and cuda where this build and this machine have it.
inline std::vector<Backend> backends_here() {
  std::vector<Backend> backends{Backend::cpu};
#if ATTNSCOPE_CUDA
  int devices = 0;
  if (cudaGetDeviceCount(&devices) == cudaSuccess && devices > 0) backends.push_back(Backend::cuda);
#endif
  return backends;
}

/// Remembers the stages in the order in which they ran.
struct RecordingObserver final : StageObserver {
  std::vector<std::string> stages;
  void begin(std::string_view name, StageKind) override { stages.emplace_back(name); }
  void end() override {}
};

/// One prepared, built and completed call. Its outputs were poisoned before and are on the host.
class MethodRun {
 public:
  MethodRun(const std::string& method, Backend backend, const TestProblem& problem,
            const nlohmann::json& params = nlohmann::json::object())
      : problem_(problem),
        method_(find_method(method)),
        params_(resolve(method_, params)),
        space_(on_device(backend) ? Space::device : Space::host),
        q_(copy(problem.q)),
        k_(copy(problem.k)),
        v_(copy(problem.v)),
        past_q_(copy(problem.past_q)),
        o_(space_, problem.q.bytes()),
        lse_(space_, problem.shape.rows() * sizeof(float)),
        host_o_(Space::host, o_.bytes()),
        host_lse_(Space::host, lse_.bytes()) {
    AttentionInputs inputs = problem.inputs();
    inputs.q = q_.data();
    inputs.k = k_.data();
    inputs.v = v_.data();
    if (inputs.past_q) inputs.past_q = past_q_.data();
    if (problem.shape.cache_page > 0) paged_.emplace(problem.inputs(), space_, 1, 1).replace_in(inputs);
    execution_ = method_.prepare(
        backend,
        {.phase = phase_of(problem.shape), .inputs = inputs, .outputs = {.o = o_.data(), .lse = lse_.as<float>()}},
        params_);
    execution_->build(observed);
    run();
  }

  void run() {
    o_.poison();
    lse_.poison();
    execution_->run(observed);
    o_.copy_to_host(host_o_.data(), o_.bytes());
    lse_.copy_to_host(host_lse_.data(), lse_.bytes());
  }

  /// What is wrong with the call on (up to 128 of) its rows, or "".
  std::string fault() const {
    const CompletedCall call{.method = method_,
                             .params = params_,
                             .phase = phase_of(problem_.shape),
                             .inputs = problem_.inputs(),
                             .outputs = {.o = host_o_.data(), .lse = host_lse_.as<float>()},
                             .execution = *execution_};
    const std::vector<Row> rows = sample_rows(problem_.shape, 128, 1);
    return compare_with_reference(call, exact_attention(problem_.inputs(), rows, 1), 1).fault.value_or("");
  }

  const Execution& execution() const { return *execution_; }
  std::vector<float> o() const {
    std::vector<float> values(problem_.shape.q_elements());
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = load_element(host_o_.data(), problem_.shape.dtype, static_cast<std::int64_t>(i));
    return values;
  }
  std::vector<std::int32_t> keys(const Row& row) const {
    std::vector<std::int32_t> keys;
    execution_->attended_keys(row, keys);
    return keys;
  }
  StageCost cost(const std::string& stage) const {
    for (const StageCost& cost : execution_->costs())
      if (cost.name == stage) return cost;
    ADD_FAILURE() << "no cost of a stage " << stage;
    return {};
  }

  RecordingObserver observed;

 private:
  Buffer copy(const Buffer& host) const {
    Buffer mine(space_, host.bytes());
    mine.copy_from_host(host.data(), host.bytes());
    return mine;
  }

  const TestProblem& problem_;
  const Method& method_;
  const Params params_;
  const Space space_;
  Buffer q_, k_, v_, past_q_, o_, lse_, host_o_, host_lse_;
  std::optional<PagedCache> paged_;
  std::unique_ptr<Execution> execution_;
};

/// Shapes that break kernels: one key, scattered pages, one head, groups, two batches, lengths that are no multiple of
/// anything, few queries over many keys, no causality. Every backend takes their head_dim.
inline std::vector<Shape> awkward_shapes(Phase phase, Dtype dtype) {
  if (phase == Phase::decode)
    return {{.head_dim = 64, .q_len = 1, .kv_len = 1, .dtype = dtype},
            {.batch = 2, .q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 97, .dtype = dtype},
            {.q_heads = 3, .kv_heads = 1, .head_dim = 128, .q_len = 1, .kv_len = 333, .dtype = dtype},
            {.batch = 3,
             .q_heads = 4,
             .kv_heads = 2,
             .head_dim = 64,
             .q_len = 1,
             .kv_len = 205,
             .dtype = dtype,
             .cache_page = 16}};
  return {{.head_dim = 64, .q_len = 2, .kv_len = 2, .dtype = dtype},
          {.batch = 2, .q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 70, .kv_len = 70, .dtype = dtype},
          {.q_heads = 2, .kv_heads = 2, .head_dim = 128, .q_len = 5, .kv_len = 131, .dtype = dtype},
          {.q_heads = 2, .kv_heads = 1, .head_dim = 64, .q_len = 37, .kv_len = 50, .causal = false, .dtype = dtype}};
}

/// Runs the method on awkward shapes of a phase, in f32 and bf16, on every backend here, with each of `params`.
inline void expect_correct(const std::string& method, Phase phase, const std::vector<nlohmann::json>& params) {
  for (const Backend backend : backends_here())
    for (const Dtype dtype : {Dtype::f32, Dtype::bf16})
      for (const Shape& shape : awkward_shapes(phase, dtype))
        for (const nlohmann::json& given : params) {
          const TestProblem problem(shape);
          EXPECT_EQ(MethodRun(method, backend, problem, given).fault(), "")
              << method << " " << given << " on " << to_string(backend) << " in " << to_string(dtype) << ", q_len "
              << shape.q_len << ", kv_len " << shape.kv_len;
        }
}

}  // namespace attnscope::testing
