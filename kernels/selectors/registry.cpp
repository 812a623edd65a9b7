// SPDX-License-Identifier: Apache-2.0
#include "kernels/selectors/registry.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/error.hpp"

namespace attnscope::selectors {
namespace {

std::vector<const SelectorKind*>& all() {
  static std::vector<const SelectorKind*> kinds;
  return kinds;
}

}  // namespace

RegisterSelector::RegisterSelector(const SelectorKind& kind) {
  all().insert(std::ranges::lower_bound(all(), kind.name(), {}, &SelectorKind::name), &kind);
}

const std::vector<const SelectorKind*>& kinds() { return all(); }

const SelectorKind& find_kind(std::string_view name) {
  const auto found = std::ranges::find(all(), name, &SelectorKind::name);
  if (found == all().end()) throw Error(fmt::format("there is no selector {}", name));
  return **found;
}

}  // namespace attnscope::selectors
