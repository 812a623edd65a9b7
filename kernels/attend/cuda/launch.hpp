// SPDX-License-Identifier: Apache-2.0
// The launchers behind attend::cuda, one per kernel family. All enqueue on `stream` and return.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "harness/base/attention.hpp"
#include "kernels/attend/cuda/keys.cuh"
#include "kernels/core/selection.hpp"

namespace attnscope::attend {

/// A row attends what its Window holds (Dense, Band), or what its list holds.
using KeySource = std::variant<device::Window, BlockList, TokenList>;

/// How many CTAs share the keys of one row tile, and how many rows such a tile holds.
struct SplitPlan {
  std::int64_t tiles = 0;
  int tile_rows = 0;
  int splits = 1;
  std::size_t workspace_bytes(std::int64_t head_dim) const;
};

/// Tensor cores, one CTA per tile of query rows: Window or BlockList; f16 and bf16.
void prefill(const AttentionInputs& in, const KeySource& keys, const AttentionOutputs& out, cudaStream_t stream);

/// Tensor cores, the keys of a window split evenly over CTAs; f16 and bf16.
SplitPlan split_plan(const Shape& shape, const device::Window& window);
void split(const AttentionInputs& in, const device::Window& window, const AttentionOutputs& out, void* workspace,
           cudaStream_t stream);

/// Tensor cores, lists whose lengths only the device knows shared out evenly over warps; f16 and bf16.
std::size_t lists_workspace(const Shape& shape, const TokenList& list);
void lists(const AttentionInputs& in, const TokenList& list, const AttentionOutputs& out, void* workspace,
           cudaStream_t stream);

/// CUDA cores in fp32, one CTA per query row and split: every source; f32.
SplitPlan rows_plan(const Shape& shape, const KeySource& keys);
void rows(const AttentionInputs& in, const KeySource& keys, const AttentionOutputs& out, void* workspace,
          cudaStream_t stream);

/// Finished results of the same rows, merged by their LSE; at most kMostMergedParts of them.
inline constexpr std::size_t kMostMergedParts = 8;
void merge(const Shape& shape, std::span<const AttentionOutputs> parts, const AttentionOutputs& out,
           cudaStream_t stream);

}  // namespace attnscope::attend
