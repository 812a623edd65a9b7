// SPDX-License-Identifier: Apache-2.0
#include "kernels/compose/engine.hpp"

#include <fmt/format.h>

#include <cassert>

namespace attnscope::compose {

std::unique_ptr<const Engine> make_engine(Backend backend, void* stream) {
  assert((backend == Backend::cpu || backend == Backend::cuda) && "asked engine_unsupported first");
  return backend == Backend::cuda ? make_cuda_engine(stream) : make_cpu_engine();
}

std::optional<std::string> engine_unsupported(Backend backend, const Shape& shape) {
  switch (backend) {
    case Backend::reference:
      return std::nullopt;
    case Backend::cpu:
      return attend::cpu_unsupported(shape);
    case Backend::cuda:
      return cuda_engine_unsupported(shape);
    default:
      return fmt::format("no {} backend", to_string(backend));
  }
}

}  // namespace attnscope::compose
