// SPDX-License-Identifier: Apache-2.0
// What the tests of the CPU engine share: a problem on which it is held against the reference, and random lists.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <vector>

#include "harness/base/half.hpp"
#include "harness/device/buffer.hpp"
#include "harness/workload/paged_cache.hpp"
#include "kernels/attend/attend.hpp"
#include "kernels/core/every_target.hpp"

namespace attnscope::attend {

/// Normal q, k, v for one shape, and outputs of both engines. A shape with pages gives the CPU engine a paged cache and
/// the reference the same keys in order.
class Problem {
 public:
  explicit Problem(const Shape& shape, unsigned seed = 1) : shape_(shape), random_(seed) {
    fill(q_, shape.q_elements());
    fill(k_, shape.kv_elements());
    fill(v_, shape.kv_elements());
    for (Buffer* o : {&expected_o_, &o_}) *o = Buffer(Space::host, bytes(shape.q_elements()));
    for (Buffer* lse : {&expected_lse_, &lse_}) *lse = Buffer(Space::host, static_cast<std::size_t>(shape.rows()) * 4);
    if (shape.cache_page > 0) paged_.emplace(inputs(), Space::host, seed, 1);
  }

  AttentionInputs inputs() const { return {shape_, q_.data(), k_.data(), v_.data(), default_scale(shape_)}; }
  AttentionInputs cpu_inputs() const {
    AttentionInputs in = inputs();
    if (paged_) paged_->replace_in(in);
    return in;
  }

  void run(const Selection& selection) {
    Buffer workspace(Space::host, cpu_workspace(shape_, selection));
    for (Buffer* buffer : {&o_, &lse_, &workspace}) buffer->poison();
    cpu(cpu_inputs(), selection, {o_.data(), lse_.as<float>()}, workspace.data());
    EXPECT_TRUE(o_.guards_intact() && lse_.guards_intact() && workspace.guards_intact());
  }

  /// Partial results of the CPU engine over each selection, merged.
  void run_merged(const std::vector<Selection>& selections) {
    std::vector<std::vector<float>> o(selections.size(),
                                      std::vector<float>(static_cast<std::size_t>(shape_.q_elements()), NAN));
    std::vector<std::vector<float>> lse(selections.size(),
                                        std::vector<float>(static_cast<std::size_t>(shape_.rows()), NAN));
    std::vector<AttentionOutputs> parts;
    for (std::size_t n = 0; n < selections.size(); ++n) {
      const Buffer workspace(Space::host, cpu_workspace(shape_, selections[n]));
      parts.push_back({o[n].data(), lse[n].data(), true});
      cpu(cpu_inputs(), selections[n], parts.back(), workspace.data());
    }
    o_.poison();
    cpu_merge(shape_, parts, {o_.data(), lse_.as<float>()});
    EXPECT_TRUE(o_.guards_intact() && lse_.guards_intact());
  }

  /// That the last run gave what the reference gives for `selection`.
  void expect_matches(const Selection& selection) {
    reference(inputs(), selection, {expected_o_.data(), expected_lse_.as<float>()});
    compare();
  }

  void expect_matches_reference(const Selection& selection) {
    reference(inputs(), selection, {expected_o_.data(), expected_lse_.as<float>()});
    on_every_target([&] {
      run(selection);
      compare();
    });
  }

  std::vector<std::byte> output() const {
    const auto* at = o_.as<std::byte>();
    return {at, at + o_.bytes()};
  }

 private:
  std::size_t bytes(std::int64_t elements) const { return static_cast<std::size_t>(elements * size_of(shape_.dtype)); }

  void fill(Buffer& tensor, std::int64_t elements) {
    tensor = Buffer(Space::host, bytes(elements));
    std::normal_distribution<float> normal;
    for (std::int64_t i = 0; i < elements; ++i) store_element(tensor.data(), shape_.dtype, i, normal(random_));
  }

  double largest(const Buffer& tensor, std::int64_t elements) const {
    double out = 0;
    for (std::int64_t i = 0; i < elements; ++i)
      out = std::max(out, std::abs(static_cast<double>(load_element(tensor.data(), shape_.dtype, i))));
    return out;
  }

  // Σ|q_c k_c| bounds the rounding error of a dot product: u (d + 3) Σ|q_c k_c|, u = 2^-24, the 3 for scaling q and
  // adding accumulators. So a logit is off by δ = u (d + 3) scale d max|q| max|k|, a weight by a factor 1 ± (δ +
  // 2^-22), sums over n keys by another u · n, and o, a ratio of two such sums, by twice that times max|v|; then o is
  // rounded.
  void compare() const {
    const double u = 0x1p-24, d = static_cast<double>(shape_.head_dim), n = static_cast<double>(shape_.kv_len);
    const double logit =
        u * (d + 3) * default_scale(shape_) * d * largest(q_, shape_.q_elements()) * largest(k_, shape_.kv_elements());
    const double weight = logit + 0x1p-22 + u * n;
    const double rounding = shape_.dtype == Dtype::f32 ? 0x1p-23 : shape_.dtype == Dtype::f16 ? 0x1p-10 : 0x1p-7;
    const double biggest = largest(v_, shape_.kv_elements());
    for (std::int64_t i = 0; i < shape_.q_elements(); ++i) {
      const double expected = load_element(expected_o_.data(), shape_.dtype, i);
      ASSERT_NEAR(load_element(o_.data(), shape_.dtype, i), expected,
                  2 * weight * biggest + rounding * std::abs(expected) + 0x1p-24)
          << "o element " << i;
    }
    for (std::int64_t row = 0; row < shape_.rows(); ++row) {
      const float expected = expected_lse_.as<float>()[row];
      if (std::isinf(expected))
        ASSERT_EQ(lse_.as<float>()[row], expected) << "lse of row " << row;
      else
        ASSERT_NEAR(lse_.as<float>()[row], expected, weight + 4 * u * std::abs(expected) + 4 * u)
            << "lse of row " << row;
    }
  }

  Shape shape_;
  std::mt19937 random_;
  Buffer q_, k_, v_, o_, lse_, expected_o_, expected_lse_;
  std::optional<PagedCache> paged_;
};

/// Random ascending lists, some empty and some full, in CSR form.
struct Csr {
  std::vector<std::int64_t> begin{0};
  std::vector<std::int32_t> count, indices;
  Csr(std::int64_t lists, std::int64_t end, unsigned seed) {
    std::mt19937 random(seed);
    for (std::int64_t list = 0; list < lists; ++list) {
      const std::size_t before = indices.size();
      for (std::int32_t i = 0; i < end; ++i)
        if (list % 5 == 1 || (list % 5 != 2 && random() % 3 == 0)) indices.push_back(i);
      count.push_back(static_cast<std::int32_t>(indices.size() - before));
      begin.push_back(static_cast<std::int64_t>(indices.size()));
    }
  }
};

}  // namespace attnscope::attend
