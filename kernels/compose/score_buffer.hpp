// SPDX-License-Identifier: Apache-2.0
// Rows of scores with their memory: what scoring engines write and choosing engines read.
#pragma once

#include <cstdint>

#include "harness/device/buffer.hpp"
#include "kernels/select/select.hpp"

namespace attnscope::compose {

/// The room that a row of `length` scores, or a list as long, takes: rows begin on 256-byte boundaries.
constexpr std::int64_t row_stride(std::int64_t length) { return (length + 63) / 64 * 64; }

class ScoreBuffer {
 public:
  /// `rows` rows of up to `longest` scores.
  ScoreBuffer(Space space, std::int64_t rows, std::int64_t longest)
      : rows_(rows),
        stride_(row_stride(longest)),
        data_(space, rows * stride_ * sizeof(float)),
        length_(space, rows * sizeof(std::int32_t)) {}

  /// The first `rows` of them.
  select::Scores view(std::int64_t rows) const {
    return {.data = data_.as<float>(), .rows = rows, .stride = stride_, .length = length()};
  }
  select::Scores view() const { return view(rows_); }
  std::int32_t* length() const { return length_.as<std::int32_t>(); }
  std::int64_t stride() const { return stride_; }
  void copy_from_host(const float* scores, const std::int32_t* lengths) {
    data_.copy_from_host(scores, data_.bytes());
    length_.copy_from_host(lengths, length_.bytes());
  }

 private:
  std::int64_t rows_;
  std::int64_t stride_;
  Buffer data_;    // float [rows, stride]
  Buffer length_;  // int32 [rows]
};

}  // namespace attnscope::compose
