// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/llm_kinds.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "harness/base/error.hpp"

namespace attnscope::llm {
namespace {

using Quotas = std::array<std::int64_t, kKinds>;

Quotas quotas_of(const Mix& mix, std::int64_t heads) {
  Quotas quotas{};
  std::array<double, kKinds> remainder{};
  for (std::size_t k = 0; k < kKinds; ++k) {
    const double exact = mix.shares[k] * static_cast<double>(heads);
    quotas[k] = static_cast<std::int64_t>(std::floor(exact));
    remainder[k] = exact - std::floor(exact);
  }
  for (auto left = heads - std::reduce(quotas.begin(), quotas.end()); left > 0; --left) {
    const auto largest = std::ranges::max_element(remainder);
    *largest = -1;
    ++quotas[static_cast<std::size_t>(largest - remainder.begin())];
  }
  return quotas;
}

// A kind from what is left, each remaining place equally likely.
Kind draw(const Quotas& left, double u) {
  const std::int64_t places = std::reduce(left.begin(), left.end());
  auto place = static_cast<std::int64_t>(u * static_cast<double>(places));
  std::size_t k = 0;
  while (place >= left[k]) place -= left[k++];
  return static_cast<Kind>(k);
}

}  // namespace

std::string_view to_string(Kind kind) {
  constexpr std::array<std::string_view, kKinds> kNames{"sink", "local", "slash", "vertical", "retrieval", "diffuse"};
  return kNames[static_cast<std::size_t>(kind)];
}

const std::vector<Mix>& mixes() {
  static const std::vector<Mix> all = [] {
    // Fitted to which pattern recalls most in each band of Llama-3.1-8B (MInference, arXiv 2407.02490, its released
    // per-head configuration).
    std::vector<Mix> list{
        {"body", {.25, .13, .16, .16, .06, .24}},         {"layer_0", {0, .12, .05, .08, 0, .75}, true},
        {"layers_1_7", {.12, .22, .34, .06, .02, .24}},   {"layers_8_10", {.15, .05, .05, .12, .08, .55}},
        {"layers_11_21", {.36, .10, .03, .18, .09, .24}}, {"layers_22_31", {.28, .13, .10, .30, .06, .13}}};
    for (std::size_t k = 0; k < kKinds; ++k) {
      list.push_back({std::string{to_string(static_cast<Kind>(k))}, {}});
      list.back().shares[k] = 1;
    }
    return list;
  }();
  return all;
}

const Mix& find_mix(std::string_view name) {
  const auto found = std::ranges::find(mixes(), name, &Mix::name);
  if (found == mixes().end()) throw InputError("workload llm: mix: unknown '" + std::string{name} + "'");
  return *found;
}

Traits traits_of(Kind kind, bool first_layer) {
  switch (kind) {  //              gamma  knee  sink  dilution  heavy  tail  sigma
    case Kind::sink:
      return {1.30, 20, .78, .05, .008, 1.1, 1.0};
    case Kind::local:
      return {1.70, 20, .30, .15, .01, 1.1, .8};
    case Kind::slash:
      return {1.90 * 1.6, 20, .30, .15, .03, 1.1, .8};
    case Kind::vertical:
      return {1.20, 20, .36, .25, .42, 1.1, 1.0};
    case Kind::retrieval:
      return {.80, 20, .25, .40, .10, 1.1, 1.5};
    case Kind::diffuse:
      return first_layer ? Traits{1.40, 400, .02, .50, .05, 1.0, 1.2} : Traits{1.80, 300, .06, .50, .07, 1.0, 1.8};
  }
  throw Error("a kind of head without traits");
}

std::vector<Kind> assign_kinds(const Mix& mix, std::int64_t kv_heads, std::int64_t group, double agreement,
                               NoiseStream stream) {
  Quotas left = quotas_of(mix, kv_heads * group);
  std::vector<Kind> kinds;
  for (std::int64_t head = 0; head < kv_heads * group; ++head) {
    const auto row = 2 * static_cast<std::uint64_t>(head);
    Kind kind = draw(left, uniform(stream, row));
    if (head % group != 0) {
      const Kind first = kinds[static_cast<std::size_t>(head - head % group)];
      if (left[static_cast<std::size_t>(first)] > 0 && uniform(stream, row + 1) < agreement) kind = first;
    }
    --left[static_cast<std::size_t>(kind)];
    kinds.push_back(kind);
  }
  return kinds;
}

}  // namespace attnscope::llm
