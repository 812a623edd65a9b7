// SPDX-License-Identifier: Apache-2.0
// The points of a k-means as kernels read them: rows of a contiguous or paged cache, cut into parts.
#pragma once

#include <string>

#include "harness/base/error.hpp"
#include "harness/base/kv_cache.hpp"
#include "kernels/attend/cuda/mma.cuh"
#include "kernels/select/clusters/k_means.hpp"

namespace attnscope::select::cuda {

struct DevicePoints {
  const void* data = nullptr;
  const std::int32_t* page_table = nullptr;  // null: contiguous
  std::int64_t pages = 0;                    // of one sequence
  std::int64_t page = 0;
  int page_log2 = 0;
  int kv_heads = 1;
  int parts = 1;
  std::int64_t kv_len = 0;
  std::int64_t first = 0;

  explicit DevicePoints(const Points& points)
      : data(points.in.k),
        page_table(points.in.page_table),
        kv_heads(static_cast<int>(points.in.shape.kv_heads)),
        parts(static_cast<int>(points.parts)),
        kv_len(points.in.shape.kv_len),
        first(points.first) {
    if (page_table == nullptr) return;
    pages = points.in.shape.cache_pages();
    page = points.in.shape.cache_page;
    page_log2 = KvRows::paged(page_table, page, kv_heads, 0).page_log2;
  }

  /// Where the keys of a (batch, KV head) lie, in rows of the whole head dimension.
  __device__ KvRows rows(std::int64_t head) const {
    if (page_table == nullptr) return {.first = head * kv_len};
    return {.first = head % kv_heads * page,
            .table = page_table + head / kv_heads * pages,
            .page_rows = kv_heads * page,
            .page_log2 = page_log2};
  }
};

/// The points of one group: `kDim` channels of every key of a (batch, KV head).
template <typename T, int kDim>
struct GroupPoints {
  KvRows rows;
  const T* data;
  std::int64_t row_elements;
  std::int64_t first;

  __device__ GroupPoints(const DevicePoints& points, std::int64_t group)
      : rows(points.rows(group / points.parts)),
        data(static_cast<const T*>(points.data) + group % points.parts * kDim),
        row_elements(std::int64_t{points.parts} * kDim),
        first(points.first) {}
  const __device__ T* operator[](std::int64_t point) const { return data + rows.row(first + point) * row_elements; }
};

/// kCount consecutive elements, widened; `source` is aligned to them.
template <int kCount, typename T>
__device__ void load_floats(const T* source, float (&out)[kCount]) {
  struct alignas(kCount * sizeof(T)) Pack {
    T values[kCount];
  };
  const Pack pack = *reinterpret_cast<const Pack*>(source);
#pragma unroll
  for (int e = 0; e < kCount; ++e) out[e] = static_cast<float>(pack.values[e]);
}

/// Calls launch<T, dim>() for the element type and dimension of the points.
template <typename Launch>
void with_points(const Points& points, Launch launch) {
  const auto with_dim = [&]<typename T>() {
    switch (points.dim()) {
      case 32:
        return launch.template operator()<T, 32>();
      case 64:
        return launch.template operator()<T, 64>();
      case 128:
        return launch.template operator()<T, 128>();
      default:
        throw InputError("select::cuda k-means: expected 32, 64 or 128 channels, found " +
                         std::to_string(points.dim()));
    }
  };
  switch (points.in.shape.dtype) {
    case Dtype::f32:
      return with_dim.template operator()<float>();
    case Dtype::f16:
      return with_dim.template operator()<device::f16>();
    case Dtype::bf16:
      return with_dim.template operator()<device::bf16>();
  }
}

}  // namespace attnscope::select::cuda
