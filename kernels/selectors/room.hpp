// SPDX-License-Identifier: Apache-2.0
// A room that is one selector and nothing else.
#pragma once

#include <utility>

#include "harness/method/definition.hpp"
#include "kernels/selectors/selector.hpp"

namespace attnscope::selectors {

/// Decodes over the keys that `kind` chooses. The parameters of `info` are those of the selector.
class SelectorRoom : public Method {
 public:
  SelectorRoom(MethodInfo info, const SelectorKind& kind) : info_(std::move(info)), kind_(kind) {
    info_.phases = {Phase::decode};
    info_.parameters = kind.parameters();
  }

  const MethodInfo& info() const final { return info_; }

  std::optional<std::string> unsupported(const Shape& shape, Phase phase, Backend backend,
                                         const Params& params) const final {
    return decode_unsupported(kind_, shape, phase, backend, params);
  }

  std::unique_ptr<const Definition> define(const AttentionInputs& host, Phase, const Params& params,
                                           std::vector<SideTensor> built) const final {
    if (kind_.keeps_all(host.shape, params)) return define_dense(host.shape);
    return kind_.define(host, params, std::move(built));
  }

  std::unique_ptr<Execution> prepare(Backend backend, const Task& task, const Params& params) const final {
    return attend_selected(backend, task, kind_, params);
  }

 private:
  MethodInfo info_;
  const SelectorKind& kind_;
};

}  // namespace attnscope::selectors
