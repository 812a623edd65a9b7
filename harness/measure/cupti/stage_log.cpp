// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/cupti/stage_log.hpp"

#include <nvtx3/nvToolsExt.h>

#include <algorithm>

namespace attnscope {

void StageLog::begin(std::string_view name, StageKind kind) {
  const auto same = [&](const record::Stage& stage) { return stage.name == name && stage.kind == to_string(kind); };
  auto stage = std::ranges::find_if(stages_, same);
  if (stage == stages_.end()) {
    stages_.emplace_back();
    stage = std::prev(stages_.end());
    stage->name = name;
    stage->kind = to_string(kind);
  }
  occurrences_.push_back(static_cast<std::size_t>(stage - stages_.begin()));
  nvtxRangePushA((method_ + "/" + stage->name).c_str());
  enter(occurrences_.size() - 1);
}

void StageLog::end() {
  try {
    leave();
  } catch (...) {
    if (!failure_) failure_ = std::current_exception();
  }
  nvtxRangePop();
}

}  // namespace attnscope
