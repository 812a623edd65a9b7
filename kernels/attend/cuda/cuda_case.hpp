// SPDX-License-Identifier: Apache-2.0
// One problem on which attend::cuda is held against the reference in double.
//
// Tolerance of O. Each p = e^(s − max) is rounded to the input type (unit roundoff u), and so is o, while l sums the
// unrounded p in fp32: |δo| ≤ 2u · max|v|. A score in fp32 is off by at most d · 2^−24 · scale · Σ|q k| < 1e-4 for
// d = 128 and normal data, which moves p by as much relative to itself: 2e-4 · max|v| more, for every type. LSE moves
// by no more than its scores: 1e-4, plus rounding of its own magnitude.
#pragma once

#include <cmath>
#include <optional>
#include <vector>

#include "harness/base/half.hpp"
#include "harness/workload/paged_cache.hpp"
#include "kernels/attend/attend.hpp"
#include "kernels/attend/cuda/test_support.hpp"
#include "kernels/attend/list_testing.hpp"

namespace attnscope::attend {

/// Lists in device memory.
struct DeviceLists {
  Buffer begin, count, indices, log_weight;
  std::size_t lists, entries, weights;

  explicit DeviceLists(const HostLists& host)
      : begin(to_device(host.begin)),
        count(to_device(host.count)),
        indices(to_device(host.indices)),
        log_weight(to_device(host.log_weight)),
        lists(host.begin.size()),
        entries(host.indices.size()),
        weights(host.log_weight.size()) {}

  TokenList view(std::int64_t heads, std::int64_t page) const {
    return {heads,
            page,
            device_span<std::int64_t>(begin, lists),
            device_span<std::int32_t>(count, lists),
            device_span<std::int32_t>(indices, entries),
            device_span<float>(log_weight, weights)};
  }
};

/// What a call left, O in the type of the inputs, or float when partial.
struct CudaResult {
  std::vector<std::byte> o;
  std::vector<float> lse;
  bool operator==(const CudaResult&) const = default;
};

/// Normal q, k, v for one shape. A shape with pages gives CUDA a paged cache and the reference the same keys in order.
struct Case {
  Shape shape;
  std::vector<std::byte> q = random_tensor(shape.dtype, shape.q_elements(), 1);
  std::vector<std::byte> k = random_tensor(shape.dtype, shape.kv_elements(), 2);
  std::vector<std::byte> v = random_tensor(shape.dtype, shape.kv_elements(), 3);

  explicit Case(const Shape& s) : shape(s) {}

  AttentionInputs inputs() const { return {shape, q.data(), k.data(), v.data(), default_scale(shape)}; }

  /// f(inputs in device memory).
  template <typename F>
  void on_device(const F& f) const {
    const Buffer device_q = to_device(q);
    AttentionInputs in = inputs();
    in.q = device_q.data();
    if (shape.cache_page > 0) {
      const PagedCache cache(inputs(), Space::device, 4, 1);
      cache.replace_in(in);
      f(in);
    } else {
      const Buffer device_k = to_device(k), device_v = to_device(v);
      in.k = device_k.data();
      in.v = device_v.data();
      f(in);
    }
  }

  CudaResult run(const Selection& device) const {
    const Buffer o = device_bytes(q.size());
    const Buffer lse = device_bytes(static_cast<std::size_t>(shape.rows()) * sizeof(float));
    const Buffer workspace = device_bytes(cuda_workspace(shape, device));
    on_device([&](const AttentionInputs& in) {
      cuda(in, device, {o.data(), lse.as<float>()}, workspace.data(), nullptr);
      finish();
    });
    EXPECT_TRUE(o.guards_intact() && lse.guards_intact() && workspace.guards_intact());
    return {to_host<std::byte>(o, static_cast<std::int64_t>(o.bytes())), to_host<float>(lse, shape.rows())};
  }

  void expect_equal(const Selection& host, const CudaResult& found) const {
    std::vector<std::byte> o(q.size());
    std::vector<float> lse(static_cast<std::size_t>(shape.rows()));
    reference(inputs(), host, {o.data(), lse.data()});
    double v_max = 0;
    for (std::int64_t e = 0; e < shape.kv_elements(); ++e)
      v_max = std::max(v_max, std::abs(double{load_element(v.data(), shape.dtype, e)}));
    const double tolerance = (2 * unit_roundoff(shape.dtype) + 2e-4) * v_max;
    for (std::int64_t row = 0; row < shape.rows(); ++row) {
      const auto r = static_cast<std::size_t>(row);
      if (std::isinf(lse[r]))
        ASSERT_EQ(found.lse[r], lse[r]) << "row " << row;
      else
        ASSERT_NEAR(found.lse[r], lse[r], 1e-4 + 1e-6 * std::abs(lse[r])) << "row " << row;
      for (std::int64_t c = 0; c < shape.head_dim; ++c) {
        const std::int64_t e = row * shape.head_dim + c;
        ASSERT_NEAR(load_element(found.o.data(), shape.dtype, e), load_element(o.data(), shape.dtype, e), tolerance)
            << "row " << row << " channel " << c;
      }
    }
  }

  void expect_equal(const Selection& host, const Selection& device) const { expect_equal(host, run(device)); }
  void expect_equal(const Selection& selection) const { expect_equal(selection, selection); }

  void expect_equal_tokens(const HostLists& lists, std::int64_t heads, std::int64_t page) const {
    expect_equal(lists.view(heads, page), DeviceLists(lists).view(heads, page));
  }

  void expect_equal_blocks(const HostLists& lists, std::int64_t block_q, std::int64_t block_k) const {
    const Buffer begin = to_device(lists.begin), indices = to_device(lists.indices);
    expect_equal(BlockList{block_q, block_k, lists.begin, lists.indices},
                 BlockList{block_q, block_k, device_span<std::int64_t>(begin, lists.begin.size()),
                           device_span<std::int32_t>(indices, lists.indices.size())});
  }
};

}  // namespace attnscope::attend
