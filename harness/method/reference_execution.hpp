// SPDX-License-Identifier: Apache-2.0
// The backend `reference` of every method: its own select_row, then attention over those keys in double.
#pragma once

#include <memory>

#include "harness/method/method.hpp"

namespace attnscope {

/// `task` has host pointers. Rows run on all hardware threads. Of a row's borderline keys it takes the lowest
/// `borderline_min`. `method` must outlive the execution.
std::unique_ptr<Execution> make_reference_execution(const Method& method, const Task& task, const Params& params);

/// `backend` of `method`, the generic reference included.
std::unique_ptr<Execution> prepare_backend(const Method& method, Backend backend, const Task& task,
                                           const Params& params);

}  // namespace attnscope
