// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "kernels/select/lsh/cpu/vectors.hpp"

// foreach_target.h compiles this file once per instruction set and comes before what it compiles.
// clang-format off
#include "kernels/core/simd_targets.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/select/lsh/cpu/hash.cpp"
#include <hwy/foreach_target.h>

#include "kernels/core/simd-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace attnscope::select {
namespace HWY_NAMESPACE {

using namespace attnscope::HWY_NAMESPACE;  // the vocabulary of this instruction set

static_assert(kStripRows <= kProjectionPadding);

// The signs of one strip of projections × one panel of vectors, put into the codes under way.
struct CodeBits {
  const Projections& projections;
  std::uint16_t* codes;
  std::int64_t stride;

  void take(const Strip& strip, std::int64_t first_row, std::int64_t vectors, std::uint32_t* partial) const {
    const F32 d;
    const hn::RebindToUnsigned<F32> du;
    const std::int64_t bits = projections.bits;
    const std::int64_t rows = std::min(kStripRows, projections.end * bits - first_row);
    auto low = hn::Load(du, partial), high = hn::Load(du, partial + kLanes);
    std::int64_t table = first_row / bits, bit = first_row % bits;
    for (std::int64_t r = 0; r < rows; ++r) {
      if (bit == 0) low = high = hn::Zero(du);
      const VecF threshold = hn::Set(d, projections.threshold[first_row + r]);
      const auto value = hn::Set(du, 1u << bit);
      const auto sign = [&](VecF product) HWY_ATTR {
        return hn::IfThenElseZero(hn::RebindMask(du, hn::Gt(product, threshold)), value);
      };
      low = hn::Or(low, sign(strip.acc[r][0]));
      high = hn::Or(high, sign(strip.acc[r][1]));
      if (++bit < bits) continue;
      hn::Store(low, du, partial);
      hn::Store(high, du, partial + kLanes);
      std::copy_n(partial, vectors, codes + table * stride);
      ++table;
      bit = 0;
    }
    hn::Store(low, du, partial);
    hn::Store(high, du, partial + kLanes);
  }
};

void hash_vectors(const VectorRows& vectors, std::int64_t first, std::int64_t count, const Projections& projections,
                  std::uint16_t* codes, std::int64_t stride) {
  const std::int64_t dim = vectors.head_dim;
  HWY_ALIGN float packed[kHashRows * kProjectionStride];
  with_element(vectors.dtype, [&](auto type) HWY_ATTR {
    using T = std::remove_cvref_t<decltype(*type)>;
    HWY_ALIGN T gathered[kHashRows * kProjectionStride];
    for (std::int64_t j = 0; j < count; ++j)
      std::memcpy(gathered + j * dim, static_cast<const T*>(vectors.data) + vectors.rows.row(first + j) * dim,
                  dim * sizeof(T));
    pack_transposed(gathered, count, dim, packed);
  });
  HWY_ALIGN std::uint32_t partial[kHashRows] = {};
  for (std::int64_t row = projections.begin * projections.bits; row < projections.end * projections.bits;
       row += kStripRows)
    for (std::int64_t j = 0; j < count; j += kPanel) {
      Strip strip;
      multiply<kProjectionStride>(projections.data + row * kProjectionStride, packed + j * dim, dim, strip);
      CodeBits{projections, codes + j, stride}.take(strip, row, std::min(kPanel, count - j), partial + j);
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace attnscope::select
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attnscope::select {

HWY_EXPORT(hash_vectors);

void hash_vectors(const VectorRows& vectors, std::int64_t first, std::int64_t count, const Projections& projections,
                  std::uint16_t* codes, std::int64_t stride) {
  HWY_DYNAMIC_DISPATCH(hash_vectors)(vectors, first, count, projections, codes, stride);
}

}  // namespace attnscope::select
#endif  // HWY_ONCE
