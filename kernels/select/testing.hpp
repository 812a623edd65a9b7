// SPDX-License-Identifier: Apache-2.0
// What the tests of the engines share: data in the memory of each backend of this machine, and back.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "harness/base/attention.hpp"
#include "harness/base/half.hpp"
#include "harness/device/buffer.hpp"
#include "harness/workload/paged_cache.hpp"
#include "kernels/core/every_target.hpp"
#include "kernels/core/queue.hpp"
#include "kernels/core/selection.hpp"
#include "kernels/select/select.hpp"
#if ATTNSCOPE_CUDA
#include <cuda_runtime_api.h>
#endif

namespace attnscope::select {

/// Calls f(queue) for every instruction set of the CPU, and for the GPU where this build and this machine have one.
template <typename F>
void on_every_backend(F f) {
  on_every_target([&] { f(Queue{.backend = Backend::cpu}); });
#if ATTNSCOPE_CUDA
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) return;
  SCOPED_TRACE("cuda");
  f(Queue{.backend = Backend::cuda});
#endif
}

/// Poisoned memory for `count` elements.
template <typename T>
Buffer room_for(const Queue& on, std::int64_t count) {
  Buffer buffer(on.space(), static_cast<std::size_t>(std::max<std::int64_t>(count, 1)) * sizeof(T));
  buffer.poison();
  return buffer;
}

template <typename T>
Buffer upload(const Queue& on, const std::vector<T>& host) {
  Buffer buffer = room_for<T>(on, static_cast<std::int64_t>(host.size()));
  if (!host.empty()) buffer.copy_from_host(host.data(), host.size() * sizeof(T));
  return buffer;
}

template <typename T>
std::vector<T> download(const Buffer& buffer) {
  EXPECT_TRUE(buffer.guards_intact());
  std::vector<T> host(buffer.bytes() / sizeof(T));
  buffer.copy_to_host(host.data(), host.size() * sizeof(T));
  return host;
}

/// Lists on the host, one per row, and the same as a TokenList in the memory of a backend.
using HostLists = std::vector<std::vector<std::int32_t>>;

class UploadedLists {
 public:
  UploadedLists(const Queue& on, const HostLists& lists, std::int64_t heads, std::int64_t page)
      : heads_(heads), page_(page), rows_(lists.size()) {
    std::vector<std::int64_t> begin;
    std::vector<std::int32_t> count, indices;
    for (const auto& list : lists) {
      begin.push_back(static_cast<std::int64_t>(indices.size()));
      count.push_back(static_cast<std::int32_t>(list.size()));
      indices.insert(indices.end(), list.begin(), list.end());
    }
    total_ = indices.size();
    begin_ = upload(on, begin);
    count_ = upload(on, count);
    indices_ = upload(on, indices);
  }
  TokenList view() const {
    return {.heads = heads_,
            .page = page_,
            .begin = {begin_.as<std::int64_t>(), rows_},
            .count = {count_.as<std::int32_t>(), rows_},
            .indices = {indices_.as<std::int32_t>(), total_}};
  }

 private:
  std::int64_t heads_, page_;
  std::size_t rows_, total_ = 0;
  Buffer begin_, count_, indices_;
};

/// Poisoned lists to be written, and what was written.
class OutputLists {
 public:
  OutputLists(const Queue& on, std::int64_t rows, std::int64_t capacity)
      : capacity_(capacity),
        indices_(room_for<std::int32_t>(on, rows * capacity)),
        count_(room_for<std::int32_t>(on, rows)) {}
  Lists view() const { return {indices_.as<std::int32_t>(), count_.as<std::int32_t>(), capacity_}; }

  HostLists read() const {
    const auto indices = download<std::int32_t>(indices_), count = download<std::int32_t>(count_);
    HostLists lists;
    for (std::size_t r = 0; r < count.size(); ++r) {
      const auto first = indices.begin() + static_cast<std::ptrdiff_t>(r) * capacity_;
      EXPECT_GE(count[r], 0);
      EXPECT_LE(count[r], capacity_);
      lists.emplace_back(first, first + count[r]);
      EXPECT_TRUE(std::all_of(first + count[r], first + capacity_, [](auto i) { return i == -1; }))
          << "something was written behind list " << r;
    }
    return lists;
  }

 private:
  std::int64_t capacity_;
  Buffer indices_, count_;
};

/// Score rows of different lengths, NaN behind them.
class UploadedScores {
 public:
  UploadedScores(const Queue& on, const std::vector<std::vector<float>>& rows) : rows_(rows.size()) {
    for (const auto& row : rows) stride_ = std::max(stride_, static_cast<std::int64_t>(row.size()) + 3);
    std::vector<float> data(rows.size() * static_cast<std::size_t>(stride_), NAN);
    std::vector<std::int32_t> length;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      std::copy(rows[r].begin(), rows[r].end(), data.begin() + static_cast<std::ptrdiff_t>(r) * stride_);
      length.push_back(static_cast<std::int32_t>(rows[r].size()));
    }
    data_ = upload(on, data);
    length_ = upload(on, length);
  }
  Scores view() const {
    return {data_.as<float>(), static_cast<std::int64_t>(rows_), stride_, length_.as<std::int32_t>()};
  }

 private:
  std::size_t rows_;
  std::int64_t stride_ = 1;
  Buffer data_, length_;
};

/// q and k from N(0, 1) on the host, and inputs of the same in the memory of a backend; k in scattered pages where the
/// shape says so.
class Problem {
 public:
  explicit Problem(const Shape& shape, unsigned seed = 1) : shape_(shape), random_(seed) {
    fill(q_, shape.q_elements());
    fill(k_, shape.kv_elements());
  }
  AttentionInputs host() const {
    return {.shape = shape_, .q = q_.data(), .k = k_.data(), .v = k_.data(), .scale = default_scale(shape_)};
  }
  void set_k(std::int64_t element, float value) { store_element(k_.data(), shape_.dtype, element, value); }
  float q(std::int64_t row, std::int64_t c) const {
    return load_element(q_.data(), shape_.dtype, row * shape_.head_dim + c);
  }
  /// Channel c of key j of (batch, KV head) number `sequence`.
  float k(std::int64_t sequence, std::int64_t j, std::int64_t c) const {
    return load_element(k_.data(), shape_.dtype, (sequence * shape_.kv_len + j) * shape_.head_dim + c);
  }

 private:
  void fill(std::vector<std::byte>& tensor, std::int64_t elements) {
    tensor.resize(static_cast<std::size_t>(elements * size_of(shape_.dtype)));
    std::normal_distribution<float> normal;
    for (std::int64_t i = 0; i < elements; ++i) store_element(tensor.data(), shape_.dtype, i, normal(random_));
  }
  Shape shape_;
  std::mt19937 random_;
  std::vector<std::byte> q_, k_;
};

class UploadedProblem {
 public:
  UploadedProblem(const Queue& on, const Problem& problem) : inputs_(problem.host()) {
    const Shape& shape = inputs_.shape;
    q_ = Buffer(on.space(), static_cast<std::size_t>(shape.q_elements() * size_of(shape.dtype)));
    q_.copy_from_host(inputs_.q, q_.bytes());
    if (shape.cache_page > 0) {
      paged_.emplace(inputs_, on.space(), 5, 1);
      paged_->replace_in(inputs_);
    } else {
      k_ = Buffer(on.space(), static_cast<std::size_t>(shape.kv_elements() * size_of(shape.dtype)));
      k_.copy_from_host(inputs_.k, k_.bytes());
      inputs_.k = k_.data();
      inputs_.v = nullptr;
    }
    inputs_.q = q_.data();
  }
  const AttentionInputs& inputs() const { return inputs_; }

 private:
  AttentionInputs inputs_;
  Buffer q_, k_;
  std::optional<PagedCache> paged_;
};

}  // namespace attnscope::select
