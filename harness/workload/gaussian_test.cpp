// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/gaussian.hpp"

#include <gtest/gtest.h>

#include "harness/base/error.hpp"
#include "harness/workload/portable_math.hpp"
#include "harness/workload/statistics.hpp"
#include "harness/workload/workload_testing.hpp"

namespace attnscope {
namespace {

using testing_::make;

constexpr Shape kShape{.batch = 2, .q_heads = 4, .kv_heads = 2, .head_dim = 20, .q_len = 77, .kv_len = 203};

TEST(Gaussian, SameBytesForAnyNumberOfThreads) {
  const std::string one = make("gaussian", kShape, Phase::prefill, nlohmann::json::object(), 7, 1).hash();
  for (const int threads : {2, 3})
    EXPECT_EQ(make("gaussian", kShape, Phase::prefill, nlohmann::json::object(), 7, threads).hash(), one);
  EXPECT_NE(make("gaussian", kShape, Phase::prefill, nlohmann::json::object(), 8, 1).hash(), one);
}

// These bytes are a promise to every published record; they may change only with a note in the changelog.
TEST(Gaussian, BytesAreWhatTheyWere) { EXPECT_EQ(make("gaussian", kShape, Phase::prefill).hash(), "726d1ba918f4c695"); }

TEST(Gaussian, DecodeIsTheEndOfPrefill) {
  Shape decode = kShape;
  decode.q_len = 3;
  const Problem whole = make("gaussian", kShape, Phase::prefill), part = make("gaussian", decode, Phase::decode);
  EXPECT_TRUE(testing_::queries_end_with(whole, part));
  EXPECT_EQ(std::memcmp(whole.k.data(), part.k.data(), part.k.bytes()), 0);
}

TEST(Gaussian, HandlesASingleTokenAndEveryType) {
  for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
    const Shape shape{.head_dim = 1, .dtype = dtype};
    EXPECT_EQ(make("gaussian", shape, Phase::decode).q.bytes(), static_cast<std::size_t>(size_of(dtype)));
  }
}

// For Gaussian logits the share of keys that holds mass p is Φ(Φ⁻¹(p) − σ): .74 at p = .95, σ = 1. The logits of one
// row have the deviation |q|/√d, whose own deviation is 1/√(2d) = .06, worth ±.02 in the share per row.
TEST(Gaussian, ConcentrationIsThatOfGaussianLogits) {
  const Shape shape{.q_heads = 8, .kv_heads = 8, .head_dim = 128, .q_len = 16, .kv_len = 4096, .dtype = Dtype::f32};
  for (const double sigma : {1.0, 2.0}) {
    const Problem problem = make("gaussian", shape, Phase::decode, {{"sigma", sigma}});
    const auto rows = measure_rows(problem.inputs(), rows_to_measure(shape, 8), {.columns = {}, .threads = 2});
    const double expected = portable::normal_cdf(portable::normal_quantile(.95) - sigma);
    EXPECT_NEAR(summarise(rows).share_95, expected, .02) << sigma;
  }
}

TEST(Workloads, AnUnknownNameIsAnsweredWithTheNearest) {
  try {
    find_workload("gausian");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string{error.what()}.find("did you mean 'gaussian'"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace attnscope
