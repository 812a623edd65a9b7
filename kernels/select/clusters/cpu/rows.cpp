// SPDX-License-Identifier: Apache-2.0
#include "kernels/select/clusters/cpu/rows.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

// foreach_target.h compiles this file once per instruction set and comes before what it compiles.
// clang-format off
#include "kernels/core/simd_targets.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/select/clusters/cpu/rows.cpp"
#include <hwy/foreach_target.h>

#include "kernels/core/dot-inl.h"
#include "kernels/core/simd-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace attnscope::select {
namespace HWY_NAMESPACE {

using namespace attnscope::HWY_NAMESPACE;  // the vocabulary of this instruction set

constexpr std::int64_t kBlockPoints = 16;     // widened at once, so that centroids come from L1 or L2 for 16 points
constexpr std::int64_t kBlockClusters = 512;  // scored at once
constexpr std::int64_t kMaxDim = 128;

/// The points of one group, as rows of T.
template <typename T>
struct Group {
  const T* data;
  KvRows rows;
  std::int64_t head_dim, first;

  Group(const Points& points, std::int64_t group)
      : data(static_cast<const T*>(points.in.k) + group % points.parts * points.dim()),
        rows(points.in.kv_rows(group / points.parts / points.in.shape.kv_heads,
                               group / points.parts % points.in.shape.kv_heads)),
        head_dim(points.in.shape.head_dim),
        first(points.first) {}
  const T* operator[](std::int64_t point) const { return data + rows.row(first + point) * head_dim; }
};

template <typename T>
void assign_group(const Points& points, std::int64_t group, KeyRange range, std::int64_t first, std::int64_t count,
                  std::int64_t clusters, const KMeansState& state) {
  const std::int64_t dim = points.dim();
  const Group<T> rows(points, group);
  const T* centroids = static_cast<const T*>(state.centroids) + (group * clusters + first) * dim;
  const float* bias = state.bias + group * clusters + first;
  HWY_ALIGN float widened[kBlockPoints * kMaxDim];
  HWY_ALIGN float scores[kBlockPoints * kBlockClusters];
  for (std::int64_t begin = range.begin; begin < range.end; begin += kBlockPoints) {
    const std::int64_t block = std::min(kBlockPoints, range.end - begin);
    for (std::int64_t i = 0; i < block; ++i) widen_row(rows[begin + i], dim, 1.0f, widened + i * dim);
    to_pair_order<T>(widened, block * dim);
    float best[kBlockPoints];
    std::fill_n(best, block, -std::numeric_limits<float>::infinity());
    std::int32_t* assigned = state.assignment + group * points.keys + begin;
    for (std::int64_t c0 = 0; c0 < count; c0 += kBlockClusters) {
      const std::int64_t some = std::min(kBlockClusters, count - c0);
      dot_all(widened, block, centroids + c0 * dim, some, dim, scores, kBlockClusters);
      for (std::int64_t i = 0; i < block; ++i)
        for (std::int64_t c = 0; c < some; ++c)
          if (const float score = scores[i * kBlockClusters + c] - bias[c0 + c]; score > best[i]) {
            best[i] = score;
            assigned[i] = static_cast<std::int32_t>(first + c0 + c);
          }
    }
  }
}

void assign_rows(const Points& points, std::int64_t group, KeyRange range, std::int64_t first, std::int64_t count,
                 std::int64_t clusters, const KMeansState& state) {
  with_element(points.in.shape.dtype, [&](auto type) HWY_ATTR {
    assign_group<std::remove_cvref_t<decltype(*type)>>(points, group, range, first, count, clusters, state);
  });
}

void sum_rows(const Points& points, std::int64_t group, const std::int32_t* members, std::int64_t begin,
              std::int64_t count, float* sum) {
  with_element(points.in.shape.dtype, [&](auto type) HWY_ATTR {
    const F32 d;
    const Group<std::remove_cvref_t<decltype(*type)>> rows(points, group);
    const std::int64_t dim = points.dim();
    std::fill_n(sum, dim, 0.0f);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto* row = rows[members ? members[i] : begin + i];
      for (std::int64_t c = 0; c < dim; c += kLanes)
        hn::StoreU(hn::Add(hn::LoadU(d, sum + c), widen(row + c)), d, sum + c);
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace attnscope::select
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attnscope::select {

HWY_EXPORT(assign_rows);
HWY_EXPORT(sum_rows);

void assign_rows(const Points& points, std::int64_t group, KeyRange range, std::int64_t first, std::int64_t count,
                 std::int64_t clusters, const KMeansState& state) {
  HWY_DYNAMIC_DISPATCH(assign_rows)(points, group, range, first, count, clusters, state);
}

void sum_rows(const Points& points, std::int64_t group, const std::int32_t* members, std::int64_t begin,
              std::int64_t count, float* sum) {
  HWY_DYNAMIC_DISPATCH(sum_rows)(points, group, members, begin, count, sum);
}

}  // namespace attnscope::select
#endif  // HWY_ONCE
