// SPDX-License-Identifier: Apache-2.0
// Chooses the kernel family for a selection. Host logic only.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "harness/base/error.hpp"
#include "kernels/attend/attend.hpp"
#include "kernels/attend/check.hpp"
#include "kernels/attend/cuda/launch.hpp"

namespace attnscope::attend {
namespace {

/// Up to this many query rows under one KV head go to the split-KV kernel, which reads K and V once per 16 rows.
constexpr std::int64_t kMostSplitRows = 128;

enum class Family { prefill, split, lists, rows };

int clamp_keys(std::int64_t keys) { return static_cast<int>(std::min<std::int64_t>(keys, device::kNoKey)); }

KeySource key_source(const Shape& shape, const Selection& selection) {
  if (std::holds_alternative<Dense>(selection)) return device::Window{};
  if (const auto* band = std::get_if<Band>(&selection))
    return device::Window{.sink = clamp_keys(band->sink), .size = clamp_keys(band->window)};
  if (const auto* blocks = std::get_if<BlockList>(&selection)) {
    if (blocks->block_q < 1 || blocks->block_k < 16 || blocks->block_k % 16 != 0)
      throw InputError(fmt::format("attend::cuda BlockList: expected block_k a multiple of 16, found {}×{} blocks",
                                   blocks->block_q, blocks->block_k));
    return *blocks;
  }
  if (const auto* tokens = std::get_if<TokenList>(&selection)) {
    check_token_list(*tokens, shape, "attend::cuda");
    return *tokens;
  }
  throw InputError("attend::cuda: expected Dense, Band, BlockList or TokenList, found another form");
}

Family family(const Shape& shape, const KeySource& keys) {
  if (shape.dtype == Dtype::f32) return Family::rows;
  if (std::holds_alternative<TokenList>(keys)) return Family::lists;
  if (std::holds_alternative<BlockList>(keys)) return Family::prefill;
  return shape.q_len * shape.group() <= kMostSplitRows ? Family::split : Family::prefill;
}

}  // namespace

void cuda(const AttentionInputs& in, const Selection& selection, const AttentionOutputs& out, void* workspace,
          void* stream) {
  if (const auto reason = cuda_unsupported(in.shape)) throw InputError(*reason);
  if (!(in.scale > 0.0f)) throw InputError(fmt::format("attend::cuda: expected a scale above 0, found {}", in.scale));
  const KeySource keys = key_source(in.shape, selection);
  auto* const cuda_stream = static_cast<cudaStream_t>(stream);
  switch (family(in.shape, keys)) {
    case Family::prefill:
      if (in.page_table || out.partial)
        throw InputError(
            fmt::format("attend::cuda: a paged cache and partial results are for Dense, Band or TokenList with at most "
                        "{} query rows per KV head, found {} × {}",
                        kMostSplitRows, in.shape.group(), in.shape.q_len));
      return prefill(in, keys, out, cuda_stream);
    case Family::split:
      return split(in, std::get<device::Window>(keys), out, workspace, cuda_stream);
    case Family::lists:
      return lists(in, std::get<TokenList>(keys), out, workspace, cuda_stream);
    case Family::rows:
      return rows(in, keys, out, workspace, cuda_stream);
  }
}

void cuda_merge(const Shape& shape, std::span<const AttentionOutputs> parts, const AttentionOutputs& out,
                void* stream) {
  check_parts(parts, "attend::cuda_merge");
  if (parts.size() > kMostMergedParts)
    throw InputError(
        fmt::format("attend::cuda_merge: expected at most {} parts, found {}", kMostMergedParts, parts.size()));
  if (const auto reason = cuda_unsupported(shape)) throw InputError(*reason);
  merge(shape, parts, out, static_cast<cudaStream_t>(stream));
}

std::size_t cuda_workspace(const Shape& shape, const Selection& selection) {
  const KeySource keys = key_source(shape, selection);
  switch (family(shape, keys)) {
    case Family::split:
      return split_plan(shape, std::get<device::Window>(keys)).workspace_bytes(shape.head_dim);
    case Family::lists:
      return lists_workspace(shape, std::get<TokenList>(keys));
    case Family::rows:
      return rows_plan(shape, keys).workspace_bytes(shape.head_dim);
    case Family::prefill:
      break;
  }
  return 0;
}

std::optional<std::string> cuda_unsupported(const Shape& shape) {
  if (shape.head_dim != 64 && shape.head_dim != 128)
    return fmt::format("attend::cuda: expected head_dim 64 or 128, found {}", shape.head_dim);
  if (shape.kv_len >= device::kNoKey)
    return fmt::format("attend::cuda: expected kv_len below 2^30, found {}", shape.kv_len);
  if (shape.rows() > std::numeric_limits<std::int32_t>::max())
    return fmt::format("attend::cuda: expected batch · q_heads · q_len below 2^31, found {}", shape.rows());
  if (shape.cache_page > 0 && shape.dtype != Dtype::f32 && shape.group() * shape.q_len > kMostSplitRows)
    return fmt::format(
        "attend::cuda: a paged cache is for decode: expected at most {} query rows per KV head, found {}",
        kMostSplitRows, shape.group() * shape.q_len);
  return std::nullopt;
}

}  // namespace attnscope::attend
