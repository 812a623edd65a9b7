// SPDX-License-Identifier: Apache-2.0
#include "harness/base/shape.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "harness/base/error.hpp"

namespace attnscope {
namespace {

template <typename Enum, std::size_t N>
using Names = std::array<std::pair<Enum, std::string_view>, N>;

constexpr Names<Dtype, 3> kDtypes{{{Dtype::f32, "f32"}, {Dtype::f16, "f16"}, {Dtype::bf16, "bf16"}}};
constexpr Names<Phase, 2> kPhases{{{Phase::prefill, "prefill"}, {Phase::decode, "decode"}}};
constexpr Names<Backend, 5> kBackends{{{Backend::reference, "reference"},
                                       {Backend::cpu, "cpu"},
                                       {Backend::cuda, "cuda"},
                                       {Backend::cuda_sm90, "cuda_sm90"},
                                       {Backend::cudnn, "cudnn"}}};

template <typename Enum, std::size_t N>
std::string_view name_of(const Names<Enum, N>& names, Enum value) {
  for (const auto& [candidate, name] : names)
    if (candidate == value) return name;
  throw Error("enumerator without a name");
}

template <typename Enum, std::size_t N>
Enum parse(const Names<Enum, N>& names, std::string_view what, std::string_view text) {
  std::string accepted;
  for (const auto& [value, name] : names) {
    if (name == text) return value;
    accepted += accepted.empty() ? "" : ", ";
    accepted += name;
  }
  throw InputError(fmt::format("{}: expected one of {}, found '{}'", what, accepted, text));
}

// Product of dimensions times the element size, refusing anything a 64-bit offset could not address.
void check_bytes(std::string_view where, std::string_view tensor, const Shape& shape,
                 std::array<std::int64_t, 4> dims) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 62;
  std::int64_t bytes = size_of(shape.dtype);
  for (const auto dim : dims) {
    if (dim > kLimit / bytes)
      throw InputError(
          fmt::format("{}: tensor {} [{}] needs more than 2^62 bytes", where, tensor, fmt::join(dims, ", ")));
    bytes *= dim;
  }
}

void check_pages(const Shape& shape, std::string_view where) {
  constexpr std::int64_t kMostPages = (std::int64_t{1} << 31) - 1;
  if (shape.batch > kMostPages / shape.cache_pages())
    throw InputError(
        fmt::format("{}: cache_page must leave fewer than 2^31 pages (their numbers are 32 bits wide), found {} × {}",
                    where, shape.batch, shape.cache_pages()));
  check_bytes(where, "k in pages", shape,
              {shape.batch * shape.cache_pages(), shape.kv_heads, shape.cache_page, shape.head_dim});
}

}  // namespace

std::string_view to_string(Dtype dtype) { return name_of(kDtypes, dtype); }
std::string_view to_string(Phase phase) { return name_of(kPhases, phase); }
std::string_view to_string(Backend backend) { return name_of(kBackends, backend); }
Dtype parse_dtype(std::string_view text) { return parse(kDtypes, "dtype", text); }
Phase parse_phase(std::string_view text) { return parse(kPhases, "phase", text); }
Backend parse_backend(std::string_view text) { return parse(kBackends, "backend", text); }

std::uint64_t Shape::dense_pairs() const {
  const auto n = static_cast<std::uint64_t>(q_len);
  const auto heads = static_cast<std::uint64_t>(batch * q_heads);
  if (!causal) return heads * n * static_cast<std::uint64_t>(kv_len);
  // Row i sees kv_len − q_len + i + 1 keys: an arithmetic series.
  const auto before = static_cast<std::uint64_t>(kv_len - q_len);
  return heads * (n * before + n * (n + 1) / 2);
}

void validate(const Shape& shape, std::string_view where) {
  const std::array<std::pair<std::string_view, std::int64_t>, 6> dims{{{"batch", shape.batch},
                                                                       {"q_heads", shape.q_heads},
                                                                       {"kv_heads", shape.kv_heads},
                                                                       {"head_dim", shape.head_dim},
                                                                       {"q_len", shape.q_len},
                                                                       {"kv_len", shape.kv_len}}};
  for (const auto& [name, value] : dims)
    if (value < 1) throw InputError(fmt::format("{}: {} must be at least 1, found {}", where, name, value));
  if (shape.kv_len >= (std::int64_t{1} << 31))
    throw InputError(
        fmt::format("{}: kv_len must be below 2^31 (key indices are 32 bits wide), found {}", where, shape.kv_len));
  if (shape.q_heads % shape.kv_heads != 0)
    throw InputError(fmt::format("{}: q_heads must be a multiple of kv_heads, found {} and {}", where, shape.q_heads,
                                 shape.kv_heads));
  if (shape.causal && shape.kv_len < shape.q_len)
    throw InputError(fmt::format("{}: kv_len must be at least q_len when causal, found {} and {}", where, shape.kv_len,
                                 shape.q_len));
  if (shape.cache_page < 0 || (shape.cache_page & (shape.cache_page - 1)) != 0)
    throw InputError(
        fmt::format("{}: cache_page must be 0 (contiguous) or a power of two, found {}", where, shape.cache_page));
  if (shape.cache_page > 0) check_pages(shape, where);
  if (shape.history < 0 || shape.history > shape.kv_len - shape.q_len)
    throw InputError(fmt::format("{}: history must be between 0 and kv_len − q_len = {}, found {}", where,
                                 shape.kv_len - shape.q_len, shape.history));
  if (shape.history > 0)
    check_bytes(where, "past_q", shape, {shape.batch, shape.q_heads, shape.history, shape.head_dim});
  check_bytes(where, "q", shape, {shape.batch, shape.q_heads, shape.q_len, shape.head_dim});
  check_bytes(where, "k", shape, {shape.batch, shape.kv_heads, shape.kv_len, shape.head_dim});
}

}  // namespace attnscope
