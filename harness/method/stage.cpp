// SPDX-License-Identifier: Apache-2.0
#include "harness/method/stage.hpp"

#include <fmt/format.h>

#include <array>

#include "harness/base/error.hpp"

namespace attnscope {
namespace {

constexpr std::array<std::string_view, 5> kNames{"build", "select", "attend", "correct", "merge"};

}  // namespace

std::string_view to_string(StageKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

StageKind parse_stage_kind(std::string_view text) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == text) return static_cast<StageKind>(i);
  throw InputError(fmt::format("stage kind: expected one of {}, found '{}'", fmt::join(kNames, ", "), text));
}

}  // namespace attnscope
