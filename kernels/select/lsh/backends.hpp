// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "kernels/select/lsh.hpp"

namespace attnscope::select {

std::unique_ptr<LshIndex> make_lsh_index_cpu(const Queue& on, const AttentionInputs& in, const Lsh& lsh);

/// Throws MachineError in a build without CUDA.
std::unique_ptr<LshIndex> make_lsh_index_cuda(const Queue& on, const AttentionInputs& in, const Lsh& lsh);

}  // namespace attnscope::select
