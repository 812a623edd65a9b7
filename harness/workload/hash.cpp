// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/hash.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>

namespace attnscope {
namespace {

// XXH64: four lanes of multiply–rotate over 32-byte stripes, merged, the tail folded in, then an avalanche.
// https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
static_assert(std::endian::native == std::endian::little, "lanes are read as the machine stores them");

constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87u;
constexpr std::uint64_t kPrime2 = 0xC2B2AE3D27D4EB4Fu;
constexpr std::uint64_t kPrime3 = 0x165667B19E3779F9u;
constexpr std::uint64_t kPrime4 = 0x85EBCA77C2B2AE63u;
constexpr std::uint64_t kPrime5 = 0x27D4EB2F165667C5u;

template <typename Word>
std::uint64_t read(const std::byte* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

std::uint64_t mix_lane(std::uint64_t lane, std::uint64_t word) {
  return std::rotl(lane + word * kPrime2, 31) * kPrime1;
}

std::uint64_t merge_lane(std::uint64_t hash, std::uint64_t lane) {
  return (hash ^ mix_lane(0, lane)) * kPrime1 + kPrime4;
}

std::uint64_t hash_stripes(const std::byte*& at, const std::byte* end, std::uint64_t seed) {
  std::array<std::uint64_t, 4> lanes{seed + kPrime1 + kPrime2, seed + kPrime2, seed, seed - kPrime1};
  for (; end - at >= 32; at += 32)
    for (std::size_t i = 0; i < lanes.size(); ++i) lanes[i] = mix_lane(lanes[i], read<std::uint64_t>(at + 8 * i));
  std::uint64_t hash =
      std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) + std::rotl(lanes[3], 18);
  for (const std::uint64_t lane : lanes) hash = merge_lane(hash, lane);
  return hash;
}

std::uint64_t avalanche(std::uint64_t hash) {
  hash = (hash ^ (hash >> 33)) * kPrime2;
  hash = (hash ^ (hash >> 29)) * kPrime3;
  return hash ^ (hash >> 32);
}

}  // namespace

std::uint64_t xxh64(std::span<const std::byte> bytes, std::uint64_t seed) {
  const std::byte* at = bytes.data();
  const std::byte* const end = at + bytes.size();
  std::uint64_t hash = bytes.size() >= 32 ? hash_stripes(at, end, seed) : seed + kPrime5;
  hash += bytes.size();
  for (; end - at >= 8; at += 8) hash = std::rotl(hash ^ mix_lane(0, read<std::uint64_t>(at)), 27) * kPrime1 + kPrime4;
  if (end - at >= 4) {
    hash = std::rotl(hash ^ (read<std::uint32_t>(at) * kPrime1), 23) * kPrime2 + kPrime3;
    at += 4;
  }
  for (; at < end; ++at) hash = std::rotl(hash ^ (read<std::uint8_t>(at) * kPrime5), 11) * kPrime1;
  return avalanche(hash);
}

std::string hash_inputs(const AttentionInputs& host) {
  const Shape& shape = host.shape;
  std::string header = fmt::format("{} B{} Hq{} Hkv{} D{} Nq{} Nkv{}", to_string(shape.dtype), shape.batch,
                                   shape.q_heads, shape.kv_heads, shape.head_dim, shape.q_len, shape.kv_len);
  if (host.past_q) header += fmt::format(" Np{}", shape.history);
  std::uint64_t hash = xxh64(std::as_bytes(std::span{header}));
  const auto add = [&](const void* tensor, std::int64_t elements) {
    const auto bytes = static_cast<std::size_t>(elements * size_of(shape.dtype));
    hash = xxh64({static_cast<const std::byte*>(tensor), bytes}, hash);
  };
  add(host.q, shape.q_elements());
  add(host.k, shape.kv_elements());
  add(host.v, shape.kv_elements());
  if (host.past_q) add(host.past_q, shape.history_elements());
  return fmt::format("{:016x}", hash);
}

}  // namespace attnscope
