// SPDX-License-Identifier: Apache-2.0
#include "harness/record/result.hpp"

#include <fmt/format.h>

#include <array>

#include "harness/base/error.hpp"

namespace attnscope::record {
namespace {

constexpr std::array<std::string_view, 6> kStatuses{"ok", "skipped", "wrong", "oom", "timeout", "crashed"};
constexpr std::array<std::string_view, 4> kTiers{"T0", "T1", "T2", "T3"};

template <typename Enum, std::size_t N>
Enum parse(const std::array<std::string_view, N>& names, std::string_view what, std::string_view text) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == text) return static_cast<Enum>(i);
  throw InputError(fmt::format("{}: expected one of {}, found '{}'", what, fmt::join(names, ", "), text));
}

void append_params(std::string& key, const nlohmann::json& params) {
  for (const auto& [name, value] : params.items())
    key += fmt::format("/{}:{}", name, value.is_string() ? value.get<std::string>() : value.dump());
}

}  // namespace

std::string_view to_string(Status status) { return kStatuses.at(static_cast<std::size_t>(status)); }
std::string_view to_string(Tier tier) { return kTiers.at(static_cast<std::size_t>(tier)); }
Status parse_status(std::string_view text) { return parse<Status>(kStatuses, "status", text); }
Tier parse_tier(std::string_view text) { return parse<Tier>(kTiers, "tier", text); }

std::string key(const Point& point) {
  const Shape& shape = point.shape;
  std::string key =
      fmt::format("{}/{}/{}/{}", point.method, to_string(point.backend), to_string(point.phase), point.workload.name);
  append_params(key, point.workload.params);
  key += fmt::format("/seed:{}/B{}/Hq{}/Hkv{}/D{}/Nq{}/N{}", point.workload.seed, shape.batch, shape.q_heads,
                     shape.kv_heads, shape.head_dim, shape.q_len, shape.kv_len);
  if (shape.cache_page > 0) key += fmt::format("/cache_page:{}", shape.cache_page);
  if (shape.history > 0) key += fmt::format("/history:{}", shape.history);
  key += fmt::format("/{}/{}", to_string(shape.dtype), shape.causal ? "causal" : "full");
  append_params(key, point.params);
  return key + "/" + point.contract;
}

}  // namespace attnscope::record
