// SPDX-License-Identifier: Apache-2.0
// Written with GCC/Clang vector extensions, 8 doubles wide, so that one source becomes SSE2, AVX2, AVX-512 or NEON
// code: plain loops over doubles are not vectorised where they are sums, since that would change the order of
// additions.
#include "harness/verify/row_kernel.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "harness/base/half.hpp"

#define ATTNSCOPE_INLINE [[gnu::always_inline]] inline

namespace attnscope {
namespace {

typedef double Lanes __attribute__((vector_size(64)));
// In memory, where only the elements are aligned. Reached by pointers: clang takes references to be 64-byte aligned.
typedef double StoredLanes __attribute__((vector_size(64), aligned(8), may_alias));
typedef float Floats __attribute__((vector_size(32), aligned(4), may_alias));
typedef std::uint32_t Words __attribute__((vector_size(32), aligned(4), may_alias));
typedef std::uint16_t Halves __attribute__((vector_size(16), aligned(2), may_alias));

constexpr std::int64_t kWidth = 8;
constexpr std::int64_t kTile = 16;  // keys widened at a time: K and V of 128 channels stay in a 48 KiB L1

ATTNSCOPE_INLINE const StoredLanes* lanes(const double* p) { return reinterpret_cast<const StoredLanes*>(p); }
ATTNSCOPE_INLINE StoredLanes* lanes(double* p) { return reinterpret_cast<StoredLanes*>(p); }

ATTNSCOPE_INLINE double total(const Lanes& x) {
  return ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
}

/// Eight finite elements to double, exactly.
ATTNSCOPE_INLINE void widen8(const void* source, Dtype dtype, double* target) {
  if (dtype == Dtype::f32) {
    *lanes(target) = __builtin_convertvector(*static_cast<const Floats*>(source), Lanes);
    return;
  }
  const Words bits = __builtin_convertvector(*static_cast<const Halves*>(source), Words);
  if (dtype == Dtype::bf16) {
    const Words word = bits << 16;
    *lanes(target) = __builtin_convertvector(reinterpret_cast<const Floats&>(word), Lanes);
    return;
  }
  // f16: moving exponent and mantissa into place leaves the exponent 112 too low, for subnormals too.
  const Words magnitude = (bits & 0x7fffu) << 13;
  const Words sign = (bits & 0x8000u) << 16;
  const Floats scaled = reinterpret_cast<const Floats&>(magnitude) * 0x1p112f;
  const Words word = reinterpret_cast<const Words&>(scaled) | sign;
  *lanes(target) = __builtin_convertvector(reinterpret_cast<const Floats&>(word), Lanes);
}

/// One key's K or V row to double; the padding of `target` is zero already.
ATTNSCOPE_INLINE void widen(const void* tensor, Dtype dtype, std::int64_t head_dim, std::int64_t key, double* target) {
  const auto* row = static_cast<const std::byte*>(tensor) + key * head_dim * size_of(dtype);
  std::int64_t c = 0;
  for (; c + kWidth <= head_dim; c += kWidth) widen8(row + c * size_of(dtype), dtype, target + c);
  for (; c < head_dim; ++c) target[c] = load_element(row, dtype, c);
}

/// out[0..4) = x · y_i for four consecutive rows y_i: four independent sums hide the latency of the additions.
ATTNSCOPE_INLINE void dot4(const double* x, const double* y, std::int64_t stride, double* out) {
  Lanes a{}, b{}, c{}, d{};
  for (std::int64_t i = 0; i < stride; i += kWidth) {
    const Lanes xi = *lanes(x + i);
    a += xi * *lanes(y + i);
    b += xi * *lanes(y + stride + i);
    c += xi * *lanes(y + 2 * stride + i);
    d += xi * *lanes(y + 3 * stride + i);
  }
  out[0] = total(a), out[1] = total(b), out[2] = total(c), out[3] = total(d);
}

ATTNSCOPE_INLINE double squared_norm(const double* x, std::int64_t stride) {
  Lanes sum{};
  for (std::int64_t i = 0; i < stride; i += kWidth) sum += *lanes(x + i) * *lanes(x + i);
  return total(sum);
}

struct Tile {
  const double* k;
  const double* v;
  const double* k_norm2;
  const double* v_norm2;
  std::int64_t stride;
};

ATTNSCOPE_INLINE void rescale(PartialRow& row, double new_max) {
  if (row.sum > 0) {
    const double factor = std::exp(row.scale.max_logit - new_max);
    row.sum *= factor;
    row.scale.p2v2 *= factor * factor;
    for (double& o : row.o) o *= factor;
  }
  row.scale.max_logit = new_max;
}

/// One step of the online softmax: the first `keys` keys of the tile join the row.
ATTNSCOPE_INLINE void add_tile(const double* q, const Tile& tile, std::int64_t keys, PartialRow& row) {
  std::array<double, kTile> s;
  std::array<double, kTile> p{};
  for (std::int64_t j = 0; j < kTile; j += 4) dot4(q, tile.k + j * tile.stride, tile.stride, s.data() + j);

  RowScale& scale = row.scale;
  const auto [low, high] = std::minmax_element(s.begin(), s.begin() + keys);
  scale.max_abs_logit = std::max({scale.max_abs_logit, *high, -*low});
  if (*high > scale.max_logit) rescale(row, *high);
  scale.keys += static_cast<double>(keys);
  for (std::int64_t j = 0; j < keys; ++j) {
    p[j] = std::exp(s[j] - scale.max_logit);
    row.sum += p[j];
    scale.p2v2 += p[j] * p[j] * tile.v_norm2[j];
    scale.v2 += tile.v_norm2[j];
    scale.max_k_norm = std::max(scale.max_k_norm, tile.k_norm2[j]);  // squared until the run ends
  }
  for (std::int64_t c = 0; c < tile.stride; c += kWidth) {
    Lanes even{}, odd{};
    for (std::int64_t j = 0; j < kTile; j += 2) {
      even += p[j] * *lanes(tile.v + j * tile.stride + c);
      odd += p[j + 1] * *lanes(tile.v + (j + 1) * tile.stride + c);
    }
    *lanes(row.o.data() + c) += even + odd;
  }
}

ATTNSCOPE_INLINE void accumulate_body(const KeyRun& run, PartialRow* partial) {
  const std::int64_t stride = padded_dim(run.head_dim);
  std::vector<double> k(kTile * stride), v(kTile * stride);
  std::array<double, kTile> k_norm2{}, v_norm2{};
  for (std::int64_t r = 0; r < run.count; ++r) partial[r].scale.max_k_norm *= partial[r].scale.max_k_norm;
  for (std::int64_t first = run.first; first < run.last; first += kTile) {
    const std::int64_t keys = std::min(kTile, run.last - first);
    for (std::int64_t j = 0; j < keys; ++j) {
      const std::int64_t key = run.list ? run.list[first + j] : first + j;
      widen(run.k, run.dtype, run.head_dim, key, &k[j * stride]);
      widen(run.v, run.dtype, run.head_dim, key, &v[j * stride]);
      k_norm2[j] = squared_norm(&k[j * stride], stride);
      v_norm2[j] = squared_norm(&v[j * stride], stride);
    }
    const Tile tile{k.data(), v.data(), k_norm2.data(), v_norm2.data(), stride};
    for (std::int64_t r = 0; r < run.count; ++r) {
      const std::int64_t seen = std::min(keys, run.visible[r] - first);
      if (seen > 0) add_tile(run.q[r], tile, seen, partial[r]);
    }
  }
  for (std::int64_t r = 0; r < run.count; ++r) partial[r].scale.max_k_norm = std::sqrt(partial[r].scale.max_k_norm);
}

#if defined(__x86_64__)
[[gnu::target("avx512f,avx512vl,avx512dq,avx2,fma")]] void accumulate_avx512(const KeyRun& run, PartialRow* partial) {
  accumulate_body(run, partial);
}
[[gnu::target("avx2,fma")]] void accumulate_avx2(const KeyRun& run, PartialRow* partial) {
  accumulate_body(run, partial);
}
#endif

}  // namespace

void accumulate(const KeyRun& run, PartialRow* partial) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    return accumulate_avx512(run, partial);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return accumulate_avx2(run, partial);
#endif
  accumulate_body(run, partial);
}

void merge(PartialRow& into, const PartialRow& other) {
  if (other.sum == 0) return;
  const double max = std::max(into.scale.max_logit, other.scale.max_logit);
  rescale(into, max);
  const double factor = std::exp(other.scale.max_logit - max);
  into.sum += factor * other.sum;
  for (std::size_t c = 0; c < into.o.size(); ++c) into.o[c] += factor * other.o[c];
  into.scale.p2v2 += factor * factor * other.scale.p2v2;
  into.scale.v2 += other.scale.v2;
  into.scale.keys += other.scale.keys;
  into.scale.max_abs_logit = std::max(into.scale.max_abs_logit, other.scale.max_abs_logit);
  into.scale.max_k_norm = std::max(into.scale.max_k_norm, other.scale.max_k_norm);
}

}  // namespace attnscope
