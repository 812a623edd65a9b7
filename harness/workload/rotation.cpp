// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/rotation.hpp"

#include "harness/workload/portable_math.hpp"

namespace attnscope {

Rotation::Rotation(double base, std::int64_t head_dim) {
  const std::int64_t count = head_dim / 2;
  const double step = portable::log(base) / static_cast<double>(count);
  for (std::int64_t f = 0; f < count; ++f) {
    turns_.push_back(portable::exp(-step * static_cast<double>(f)) / 6.283185307179586);
    for (std::int64_t r = 0; r < kTileRows; ++r) {
      const auto angle = portable::sine_cosine(turns_.back() * static_cast<double>(r));
      cosine_.push_back(angle.cosine);
      sine_.push_back(angle.sine);
    }
  }
}

void Rotation::rotate(std::int64_t first, float* tile) const {
  for (std::int64_t f = 0; f < pairs(); ++f) {
    const auto start = portable::sine_cosine(turns(f) * static_cast<double>(first));
    const double* cosine_table = cosine(f);
    const double* sine_table = sine(f);
    float* re = tile + f * kTileRows;
    float* im = tile + (f + pairs()) * kTileRows;
    for (std::int64_t r = 0; r < kTileRows; ++r) {
      const double c = start.cosine * cosine_table[r] - start.sine * sine_table[r];
      const double s = start.sine * cosine_table[r] + start.cosine * sine_table[r];
      const double x = re[r], y = im[r];
      re[r] = static_cast<float>(x * c - y * s);
      im[r] = static_cast<float>(x * s + y * c);
    }
  }
}

}  // namespace attnscope
