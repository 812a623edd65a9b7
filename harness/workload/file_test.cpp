// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "harness/base/half.hpp"
#include "harness/workload/file_test_support.hpp"
#include "harness/workload/finite.hpp"
#include "harness/workload/npy.hpp"
#include "harness/workload/safetensors.hpp"

namespace attnscope {
namespace {

using test::input_error;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using FileWorkload = test::FileTest;

/// The tensors of a file that a test bends: float data 0, 1, 2, ... in q, k and v.
struct Draft {
  struct Tensor {
    std::string dtype;
    std::vector<std::int64_t> dims;
    std::vector<float> data;
  };
  Tensor q = tensor({1, 4, 3, 8});
  Tensor k = tensor({1, 2, 5, 8});
  Tensor v = tensor({1, 2, 5, 8});
  std::map<std::string, std::string> metadata{{"causal", "true"}};
  std::vector<TensorToWrite> more;

  static Tensor tensor(std::vector<std::int64_t> dims) {
    std::int64_t size = 1;
    for (const auto dim : dims) size *= dim;
    std::vector<float> data(static_cast<std::size_t>(size));
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(i);
    return {"F32", std::move(dims), std::move(data)};
  }

  void write(const std::string& path) const {
    std::vector<TensorToWrite> tensors;
    for (const auto& [name, tensor] : {std::pair{"q", &q}, {"k", &k}, {"v", &v}})
      tensors.push_back({name, tensor->dtype, tensor->dims, tensor->data.data()});
    tensors.insert(tensors.end(), more.begin(), more.end());
    write_safetensors(path, tensors, metadata);
  }
};

TEST_F(FileWorkload, MapsShapeTensorsAndMask) {
  const Draft draft;
  draft.write(path("a"));
  const MappedProblem problem = map_problem(path("a"));
  const Shape expected{.batch = 1,
                       .q_heads = 4,
                       .kv_heads = 2,
                       .head_dim = 8,
                       .q_len = 3,
                       .kv_len = 5,
                       .causal = true,
                       .dtype = Dtype::f32};
  EXPECT_EQ(problem.shape, expected);
  EXPECT_EQ(problem.phase, Phase::prefill);
  EXPECT_EQ(std::memcmp(problem.q, draft.q.data.data(), draft.q.data.size() * 4), 0);
  EXPECT_EQ(std::memcmp(problem.v, draft.v.data.data(), draft.v.data.size() * 4), 0);
  EXPECT_FALSE(problem.task);
  EXPECT_TRUE(problem.copies.empty()) << "aligned tensors are not copied";
  EXPECT_FALSE(map_problem(path("a"), {.causal = false}).shape.causal) << "the caller's mask wins";
}

TEST_F(FileWorkload, TensorsStayInPlaceWhenTheProblemMoves) {
  Draft{}.write(path("a"));
  MappedProblem problem = map_problem(path("a"));
  const std::string hash = problem.hash();
  const MappedProblem moved = std::move(problem);
  EXPECT_EQ(moved.hash(), hash);
}

TEST_F(FileWorkload, OneQueryRowIsDecode) {
  Draft draft;
  draft.q = Draft::tensor({1, 4, 1, 8});
  draft.write(path("a"));
  EXPECT_EQ(map_problem(path("a")).phase, Phase::decode);
  draft.metadata["phase"] = "prefill";
  draft.write(path("a"));
  EXPECT_EQ(map_problem(path("a")).phase, Phase::prefill);
}

TEST_F(FileWorkload, MisalignedTensorsAreCopiedToAlignedMemory) {
  Draft draft;
  draft.q = Draft::tensor({1, 2, 1, 1});  // 8 bytes: k and v begin off the grid of 64
  draft.k = draft.v = Draft::tensor({1, 2, 3, 1});
  draft.write(path("a"));
  const MappedProblem problem = map_problem(path("a"));
  EXPECT_EQ(problem.copies.size(), 2u);
  for (const void* tensor : {problem.q, problem.k, problem.v})
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor) % 64, 0u);
  EXPECT_EQ(static_cast<const float*>(problem.v)[5], 5.0f);
}

TEST_F(FileWorkload, SavedProblemsReturnEqual) {
  Draft{}.write(path("a"));
  Problem problem = load_problem(path("a"), {.causal = false});
  problem.phase = Phase::decode;
  problem.provenance = {{"seed", 7}, {"kinds", {"sink", "local"}}};
  problem.task =
      RetrievalTask{.rows = {{0, 3, 2}, {0, 0, 1}}, .answers = {1, 0}, .candidates = std::vector<float>(16, 0.5f)};
  save_problem(path("b"), problem);

  const MappedProblem back = map_problem(path("b"));
  EXPECT_EQ(back.shape, problem.shape);
  EXPECT_EQ(back.phase, problem.phase);
  EXPECT_EQ(back.provenance, problem.provenance);
  EXPECT_EQ(back.hash(), problem.hash());
  ASSERT_TRUE(back.task);
  EXPECT_EQ(back.task->rows, problem.task->rows);
  EXPECT_EQ(back.task->answers, problem.task->answers);
  EXPECT_EQ(back.task->candidates, problem.task->candidates);
  EXPECT_EQ(back.past_q, nullptr);
}

TEST_F(FileWorkload, EarlierQueriesComeAndGoWithTheProblem) {
  Draft draft;
  draft.q = Draft::tensor({1, 4, 1, 8});
  const Draft::Tensor past_q = Draft::tensor({1, 4, 3, 8});
  draft.more = {{"past_q", "F32", past_q.dims, past_q.data.data()}};
  draft.write(path("a"));
  const Problem problem = load_problem(path("a"));
  EXPECT_EQ(problem.shape.history, 3);
  save_problem(path("b"), problem);
  const MappedProblem back = map_problem(path("b"));
  EXPECT_EQ(back.shape, problem.shape);
  EXPECT_EQ(back.hash(), problem.hash());
  ASSERT_NE(back.inputs().past_q, nullptr);
  EXPECT_EQ(std::memcmp(back.inputs().past_q, past_q.data.data(), past_q.data.size() * sizeof(float)), 0);
}

TEST_F(FileWorkload, ReadsThreeNpyFiles) {
  const Draft draft;
  for (const auto& [name, tensor] : {std::pair{"q.npy", &draft.q}, {"k.npy", &draft.k}, {"v.npy", &draft.v}})
    write_npy(path(name), {.dtype = Dtype::f32, .dims = tensor->dims, .data = std::as_bytes(std::span{tensor->data})});
  draft.write(path("a"));
  const std::string source = path("q.npy") + "," + path("k.npy") + "," + path("v.npy");
  EXPECT_EQ(map_problem(source, {.causal = true}).hash(), map_problem(path("a")).hash());
  EXPECT_THAT(input_error([&] { map_problem(source); }), HasSubstr("expected the mask to be given"));
  EXPECT_THAT(input_error([&] { map_problem(path("q.npy")); }),
              HasSubstr("expected three npy files, \"q.npy,k.npy,v.npy\", found 1"));
  EXPECT_THAT(
      input_error([&] { map_problem(path("k.npy") + "," + path("q.npy") + "," + path("v.npy"), {.causal = true}); }),
      AllOf(StartsWith(path("v.npy")), HasSubstr("expected [1, 4, 3, 8] as in k, found [1, 2, 5, 8]")));
}

TEST_F(FileWorkload, EveryFaultIsOneLineNamingFileAndTensor) {
  struct Case {
    std::function<void(Draft&)> bend;
    std::string message;
  };
  static const std::array<std::int64_t, 3> rows{0, 4, 0};
  static const std::array<std::int64_t, 1> answers{1};
  static const std::array<float, 8> candidates{};
  static const std::array<float, 5 * 4 * 8> earlier{0, INFINITY};
  const std::vector<Case> cases{
      {[](Draft& d) { d.q.dtype = "I32"; }, "tensor \"q\": expected dtype F32, F16 or BF16, found I32"},
      {[](Draft& d) { d.v.dtype = "F16", d.v.dims[3] = 16; }, "tensor \"v\": expected dtype f32 as in q, found f16"},
      {[](Draft& d) {
         d.k.dims = {2, 5, 8};
       },
       "tensor \"k\": expected [batch, kv_heads, kv_len, head_dim], found [2, 5, 8]"},
      {[](Draft& d) {
         d.q = Draft::tensor({2, 4, 3, 8});
       },
       "tensor \"k\": expected batch 2 as in q, found [1, 2, 5, 8]"},
      {[](Draft& d) {
         d.q = Draft::tensor({1, 4, 3, 4});
       },
       "tensor \"k\": expected head_dim 4 as in q"},
      {[](Draft& d) {
         d.v = Draft::tensor({1, 2, 4, 8});
       },
       "tensor \"v\": expected [1, 2, 5, 8] as in k, found [1, 2, 4, 8]"},
      {[](Draft& d) {
         d.q = Draft::tensor({1, 3, 3, 8});
       },
       "q_heads must be a multiple of kv_heads, found 3 and 2"},
      {[](Draft& d) {
         d.q = Draft::tensor({1, 4, 6, 8});
       },
       "kv_len must be at least q_len when causal, found 5 and 6"},
      {[](Draft& d) {
         d.k = d.v = Draft::tensor({1, 2, 0, 8});
       },
       "kv_len must be at least 1, found 0"},
      {[](Draft& d) { d.k.data[53] = std::nanf(""); },
       "tensor \"k\": expected finite values, found NaN or infinity at [0, 1, 1, 5]"},
      {[](Draft& d) { d.v.data[79] = -std::numeric_limits<float>::infinity(); },
       "tensor \"v\": expected finite values, found NaN or infinity at [0, 1, 4, 7]"},
      {[](Draft& d) {
         d.more = {{"past_q", "F32", {1, 4, 0, 8}, earlier.data()}};
       },
       "tensor \"past_q\": expected [1, 4, 1, 8] as in q, found [1, 4, 0, 8]"},
      {[](Draft& d) {
         d.more = {{"past_q", "F32", {1, 2, 2, 8}, earlier.data()}};
       },
       "tensor \"past_q\": expected [1, 4, 2, 8] as in q, found [1, 2, 2, 8]"},
      {[](Draft& d) {
         d.more = {{"past_q", "F32", {4, 2, 8}, earlier.data()}};
       },
       "tensor \"past_q\": expected [batch, q_heads, history, head_dim], found [4, 2, 8]"},
      {[](Draft& d) {
         d.more = {{"past_q", "F32", {1, 4, 3, 8}, earlier.data()}};
       },
       "history must be between 0 and kv_len − q_len = 2, found 3"},
      {[](Draft& d) {
         d.more = {{"past_q", "F32", {1, 4, 2, 8}, earlier.data()}};
       },
       "tensor \"past_q\": expected finite values, found NaN or infinity at [0, 0, 0, 1]"},
      {[](Draft& d) { d.metadata.clear(); }, "expected metadata \"causal\": \"true\" or \"false\", found none"},
      {[](Draft& d) { d.metadata["causal"] = "yes"; }, "found \"yes\""},
      {[](Draft& d) { d.metadata["phase"] = "train"; },
       "expected metadata \"phase\": \"prefill\" or \"decode\", found \"train\""},
      {[](Draft& d) { d.metadata["provenance"] = "{"; }, "metadata \"provenance\": parse error"},
      {[](Draft& d) { d.metadata["provenance"] = "3"; }, "expected metadata \"provenance\": a JSON object, found 3"},
      {[](Draft& d) {
         d.more = {{"task.rows", "I64", {1, 3}, rows.data()}};
       },
       "tensor \"task.answers\": expected it beside the other task tensors"},
      {[](Draft& d) {
         d.more = {{"task.rows", "I64", {3}, rows.data()}};
       },
       "tensor \"task.rows\": expected I64 [-1, 3], -1 for any, found I64 [3]"},
      {[](Draft& d) {
         d.more = {{"task.rows", "I64", {1, 3}, rows.data()},
                   {"task.answers", "I64", {1}, answers.data()},
                   {"task.candidates", "F32", {1, 8}, candidates.data()}};
       },
       "tensor \"task.rows\": expected rows below [1, 4, 3], found [0, 4, 0]"},
      {[](Draft& d) {
         d.q = Draft::tensor({1, 6, 3, 8});
         d.more = {{"task.rows", "I64", {1, 3}, rows.data()},
                   {"task.answers", "I64", {1}, answers.data()},
                   {"task.candidates", "F32", {1, 8}, candidates.data()}};
       },
       "tensor \"task.answers\": expected candidates below 1, found 1"},
  };
  for (const auto& [bend, message] : cases) {
    Draft draft;
    bend(draft);
    draft.write(path("bad.safetensors"));
    EXPECT_THAT(input_error([&] { map_problem(path("bad.safetensors")); }),
                AllOf(StartsWith(path("bad.safetensors")), HasSubstr(message)));
  }
}

TEST_F(FileWorkload, MissingTensorIsNamedWithThoseThatAreThere) {
  const float value = 1;
  const std::array<TensorToWrite, 2> tensors{{{"q", "F32", {1, 1, 1, 1}, &value}, {"K", "F32", {1, 1, 1, 1}, &value}}};
  write_safetensors(path("a"), tensors);
  EXPECT_THAT(input_error([&] { map_problem(path("a")); }),
              HasSubstr("tensor \"k\": expected it in the file, found [\"q\",\"K\"]"));
}

TEST(Finite, FindsTheFirstBadElementOfEveryTypeWhereverItStands) {
  constexpr std::size_t kCount = 10'000;  // more than two blocks of the scan
  for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
    std::vector<float> storage(kCount);
    for (std::size_t i = 0; i < kCount; ++i)
      store_element(storage.data(), dtype, static_cast<std::int64_t>(i), -60000.0f);
    EXPECT_EQ(first_not_finite(storage.data(), dtype, kCount), std::nullopt) << to_string(dtype);
    for (const std::int64_t at : {9999, 5000, 4096, 4095, 0}) {
      store_element(storage.data(), dtype, at, at % 2 == 0 ? INFINITY : NAN);
      EXPECT_EQ(first_not_finite(storage.data(), dtype, kCount), at) << to_string(dtype);
    }
  }
}

}  // namespace
}  // namespace attnscope
