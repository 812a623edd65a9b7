// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <type_traits>

#include "harness/base/half.hpp"
#include "kernels/select/lsh/cpu/vectors.hpp"

// foreach_target.h compiles this file once per instruction set and comes before what it compiles.
// clang-format off
#include "kernels/core/simd_targets.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/select/lsh/cpu/cosines.cpp"
#include <hwy/foreach_target.h>

#include "kernels/core/simd-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace attnscope::select {
namespace HWY_NAMESPACE {

using namespace attnscope::HWY_NAMESPACE;  // the vocabulary of this instruction set

void cosines(const VectorRows& vectors, const float* query, const float* centre, const std::int32_t* keys,
             std::int64_t count, float* cosine) {
  const F32 d;
  const std::int64_t dim = vectors.head_dim;
  VecF query2 = hn::Zero(d);
  for (std::int64_t c = 0; c < dim; c += kLanes) {
    const VecF q = hn::LoadU(d, query + c);
    query2 = hn::MulAdd(q, q, query2);
  }
  const float query_norm = std::sqrt(hn::GetLane(hn::SumOfLanes(d, query2)));
  with_element(vectors.dtype, [&](auto type) HWY_ATTR {
    const auto* data = static_cast<decltype(type)>(vectors.data);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto* key = data + vectors.rows.row(keys[i]) * dim;
      VecF product = hn::Zero(d), key2 = hn::Zero(d);
      for (std::int64_t c = 0; c < dim; c += kLanes) {
        const VecF k = hn::Sub(widen(key + c), hn::LoadU(d, centre + c));
        product = hn::MulAdd(k, hn::LoadU(d, query + c), product);
        key2 = hn::MulAdd(k, k, key2);
      }
      const float norms = query_norm * std::sqrt(hn::GetLane(hn::SumOfLanes(d, key2)));
      cosine[i] = norms > 0 ? hn::GetLane(hn::SumOfLanes(d, product)) / norms : 0.0f;
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace attnscope::select
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attnscope::select {

HWY_EXPORT(cosines);

void cosines(const VectorRows& vectors, const float* query, const float* centre, const std::int32_t* keys,
             std::int64_t count, float* cosine) {
  HWY_DYNAMIC_DISPATCH(cosines)(vectors, query, centre, keys, count, cosine);
}

}  // namespace attnscope::select
#endif  // HWY_ONCE
