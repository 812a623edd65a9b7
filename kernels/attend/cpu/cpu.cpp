// SPDX-License-Identifier: Apache-2.0
// The CPU engine: chooses between packing keys for many query rows and reading them in place for few.
#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "kernels/attend/attend.hpp"
#include "kernels/attend/check.hpp"
#include "kernels/attend/cpu/decode.hpp"
#include "kernels/attend/cpu/prefill.hpp"

namespace attnscope::attend {
namespace {

[[noreturn]] void refuse(const char* form) {
  throw Error(fmt::format("attend::cpu: expected Dense, Band, BlockList or TokenList, found {}", form));
}

struct Run {
  const AttentionInputs& in;
  const AttentionOutputs& out;
  void* workspace;

  // Every visible key: a sink as long as the keys.
  void operator()(const Dense&) const { (*this)(Band{.sink = in.shape.kv_len, .window = 0}); }
  void operator()(const Band& band) const {
    return in.shape.q_len == 1 ? decode(in, band, out, workspace) : prefill(in, band, out, workspace);
  }
  void operator()(const BlockList& list) const { prefill(in, list, out, workspace); }
  void operator()(const TokenList& list) const {
    check_token_list(list, in.shape, "attend::cpu");
    decode(in, list, out, workspace);
  }
  void operator()(const ColumnList&) const { refuse("ColumnList"); }
  void operator()(const ChunkList&) const { refuse("ChunkList"); }
};

struct WorkspaceOf {
  const Shape& shape;

  std::size_t operator()(const Dense&) const { return (*this)(Band{}); }
  std::size_t operator()(const Band&) const {
    return shape.q_len == 1 ? decode_workspace(shape, shape.kv_heads) : prefill_workspace(shape);
  }
  std::size_t operator()(const BlockList&) const { return prefill_workspace(shape); }
  std::size_t operator()(const TokenList& list) const { return decode_workspace(shape, list.heads); }
  std::size_t operator()(const ColumnList&) const { refuse("ColumnList"); }
  std::size_t operator()(const ChunkList&) const { refuse("ChunkList"); }
};

}  // namespace

void cpu(const AttentionInputs& in, const Selection& selection, const AttentionOutputs& out, void* workspace) {
  if (const auto reason = cpu_unsupported(in.shape)) throw Error("attend::cpu: " + *reason);
  std::visit(Run{in, out, workspace}, selection);
}

std::size_t cpu_workspace(const Shape& shape, const Selection& selection) {
  return std::visit(WorkspaceOf{shape}, selection);
}

std::optional<std::string> cpu_unsupported(const Shape& shape) {
  if (shape.head_dim != 32 && shape.head_dim != 64 && shape.head_dim != 128)
    return fmt::format("the CPU engine needs head_dim 32, 64 or 128, found {}", shape.head_dim);
  if (shape.cache_page > 0 && shape.q_len > 1)
    return fmt::format("a paged cache is for decode: the CPU engine expects q_len 1, found {}", shape.q_len);
  return std::nullopt;
}

}  // namespace attnscope::attend
