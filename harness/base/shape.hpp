// SPDX-License-Identifier: Apache-2.0
// The vocabulary of an attention problem: element type, phase, backend and shape.
#pragma once

#include <cstdint>
#include <string_view>

namespace attnscope {

enum class Dtype { f32, f16, bf16 };
enum class Phase { prefill, decode };
enum class Backend { reference, cpu, cuda, cuda_sm90, cudnn };

std::string_view to_string(Dtype dtype);
std::string_view to_string(Phase phase);
std::string_view to_string(Backend backend);

/// The inverse of `to_string`. Throws InputError naming the accepted words.
Dtype parse_dtype(std::string_view text);
Phase parse_phase(std::string_view text);
Backend parse_backend(std::string_view text);

constexpr std::int64_t size_of(Dtype dtype) { return dtype == Dtype::f32 ? 4 : 2; }

/// True for the backends whose inputs and outputs live in device memory.
constexpr bool on_device(Backend backend) {
  return backend == Backend::cuda || backend == Backend::cuda_sm90 || backend == Backend::cudnn;
}

/// One attention problem. Tensors are dense and row-major:
///   q, o [batch, q_heads, q_len, head_dim] · k, v [batch, kv_heads, kv_len, head_dim] · lse [batch, q_heads, q_len].
/// Query row i stands at position kv_len − q_len + i (bottom-right aligned), query head h reads KV head h / group().
///
/// A paged cache (cache_page > 0) holds k and v as pools of physical pages [pages, kv_heads, cache_page, head_dim]; a
/// table gives the page of every `cache_page` consecutive keys of a sequence (harness/base/kv_cache.hpp). Host tensors
/// are always contiguous: paging is how a backend stores the same bytes.
struct Shape {
  std::int64_t batch = 1;
  std::int64_t q_heads = 1;
  std::int64_t kv_heads = 1;
  std::int64_t head_dim = 128;
  std::int64_t q_len = 1;
  std::int64_t kv_len = 1;
  bool causal = true;
  Dtype dtype = Dtype::bf16;
  std::int64_t cache_page = 0;  // keys per physical page, a power of two; 0: the cache is contiguous
  std::int64_t history = 0;  // earlier queries of the sequence that come with the problem (methods that observe them)

  std::int64_t group() const { return q_heads / kv_heads; }
  /// Position of query row i on the key axis.
  std::int64_t position(std::int64_t i) const { return kv_len - q_len + i; }
  /// Number of keys that exact attention lets query row i see; always a prefix of the keys.
  std::int64_t visible(std::int64_t i) const { return causal ? position(i) + 1 : kv_len; }
  /// (query, key) pairs that exact attention visits, over all batches and query heads.
  std::uint64_t dense_pairs() const;

  std::int64_t q_elements() const { return batch * q_heads * q_len * head_dim; }
  std::int64_t kv_elements() const { return batch * kv_heads * kv_len * head_dim; }
  std::int64_t history_elements() const { return batch * q_heads * history * head_dim; }
  std::int64_t rows() const { return batch * q_heads * q_len; }
  /// Logical pages of one sequence; the last may be short. Requires cache_page > 0.
  std::int64_t cache_pages() const { return (kv_len + cache_page - 1) / cache_page; }

  bool operator==(const Shape&) const = default;
};

/// One query row: (batch, query head, query index).
struct Row {
  std::int64_t batch = 0;
  std::int64_t head = 0;
  std::int64_t query = 0;
  bool operator==(const Row&) const = default;
};

/// Throws InputError when the shape has no meaning: a dimension below 1, q_heads not a multiple of kv_heads,
/// kv_len < q_len under a causal mask, a cache_page that is neither 0 nor a power of two or makes 2^31 pages or more, a
/// history that is negative or reaches before the first key, or a tensor whose byte count exceeds 2^62. `where` names
/// the origin.
void validate(const Shape& shape, std::string_view where);

}  // namespace attnscope
