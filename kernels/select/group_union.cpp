// SPDX-License-Identifier: Apache-2.0
#include "kernels/select/group_union.hpp"

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "kernels/select/engines.hpp"

namespace attnscope::select {
namespace {

// Indices of a list are below this.
std::int64_t index_range(const Shape& shape, const TokenList& lists) {
  return (shape.kv_len + lists.page - 1) / lists.page;
}

}  // namespace

std::size_t group_union_workspace(const Queue& on, const Shape& shape, const TokenList& lists) {
  const std::int64_t rows = shape.batch * shape.kv_heads, range = index_range(shape, lists);
  if (on.backend == Backend::cpu) return cpu::group_union_workspace(rows, range);
#if ATTNSCOPE_CUDA
  return cuda::group_union_workspace(rows, range);
#else
  refuse_cuda();
#endif
}

void group_union(const Queue& on, const Shape& shape, const TokenList& lists, const Lists& unions, void* workspace) {
  if (lists.heads != shape.q_heads)
    throw InputError(
        fmt::format("group_union: expected lists of {} query heads, found {}", shape.q_heads, lists.heads));
  const std::int64_t rows = shape.batch * shape.kv_heads, range = index_range(shape, lists);
  if (on.backend == Backend::cpu) return cpu::group_union(lists, rows, shape.group(), range, unions, workspace);
#if ATTNSCOPE_CUDA
  cuda::group_union(lists, rows, shape.group(), range, unions, workspace, on.stream);
#else
  refuse_cuda();
#endif
}

}  // namespace attnscope::select
