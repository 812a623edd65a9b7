// SPDX-License-Identifier: Apache-2.0
// The captured sample against the attention that PyTorch computed from it in double.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "harness/base/half.hpp"
#include "harness/workload/file.hpp"
#include "harness/workload/safetensors.hpp"

namespace attnscope {
namespace {

const std::string kSample = ATTNSCOPE_SOURCE_DIR "/tests/data/minilm_l6_layer2.safetensors";

TEST(CapturedSample, HasTheDocumentedShapeMaskAndProvenance) {
  const MappedProblem problem = map_problem(kSample);
  const Shape expected{.batch = 1,
                       .q_heads = 12,
                       .kv_heads = 12,
                       .head_dim = 32,
                       .q_len = 512,
                       .kv_len = 512,
                       .causal = false,
                       .dtype = Dtype::bf16};
  EXPECT_EQ(problem.shape, expected);
  EXPECT_EQ(problem.phase, Phase::prefill);
  EXPECT_THAT(problem.provenance.at("model").get<std::string>(), testing::HasSubstr("all-MiniLM-L6-v2"));
  EXPECT_EQ(problem.provenance.at("layer"), 2);
  EXPECT_EQ(problem.provenance.at("text_sha256").get<std::string>().size(), 64u);
}

TEST(CapturedSample, AttendsAsPyTorchSays) {
  const MappedProblem problem = map_problem(kSample);
  const auto file = SafetensorsFile::open(kSample);
  const void* o = file.bytes(*file.find("o")).data();
  const void* lse = file.bytes(*file.find("lse")).data();
  const Shape& shape = problem.shape;
  const double scale = 1 / std::sqrt(static_cast<double>(shape.head_dim));
  const auto at = [&](const void* tensor, std::int64_t row, std::int64_t channel) {
    return static_cast<double>(load_element(tensor, shape.dtype, row * shape.head_dim + channel));
  };

  for (std::int64_t row = 0; row < shape.rows(); row += 37) {  // coprime to 512: every head, scattered positions
    const std::int64_t first_key = row / shape.q_len * shape.kv_len;
    double sum = 0;
    std::vector<double> output(static_cast<std::size_t>(shape.head_dim));
    for (std::int64_t key = first_key; key < first_key + shape.kv_len; ++key) {
      double logit = 0;
      for (std::int64_t c = 0; c < shape.head_dim; ++c) logit += at(problem.q, row, c) * at(problem.k, key, c);
      const double weight = std::exp(logit * scale - load_element(lse, Dtype::f32, row));
      sum += weight;
      for (std::int64_t c = 0; c < shape.head_dim; ++c)
        output[static_cast<std::size_t>(c)] += weight * at(problem.v, key, c);
    }
    // lse is rounded to float: an error of |lse| 2^-24, and |lse| < 64 here.
    EXPECT_NEAR(sum, 1, 64 * 0x1p-24) << row;
    // o is rounded to bf16, 8 significant bits: by at most 2^-8 of its value, besides the error of the weights.
    for (std::int64_t c = 0; c < shape.head_dim; ++c) {
      const double expected = output[static_cast<std::size_t>(c)];
      EXPECT_NEAR(at(o, row, c), expected, std::abs(expected) * 0x1p-8 + 1e-5) << row << ' ' << c;
    }
  }
}

}  // namespace
}  // namespace attnscope
