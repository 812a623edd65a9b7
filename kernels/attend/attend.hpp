// SPDX-License-Identifier: Apache-2.0
// Execution of a Selection: O and LSE of the attended keys. One function per backend; all compute the same thing:
//   s_ij = scale · q_i · k_j + w_ij,  lse_i = ln Σ_j exp s_ij,  o_i = Σ_j exp(s_ij − lse_i) v_j,  j over the attended
// keys; w_ij are the log weights of a TokenList, which are finite, else 0. Accumulation is fp64 in the reference and
// fp32 elsewhere. Rows without keys give o = 0, lse = −infinity. K and V are read where AttentionInputs::kv_rows says.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "harness/base/attention.hpp"
#include "kernels/core/selection.hpp"

namespace attnscope::attend {

/// Any shape, any dtype, every form except ChunkList with weights; obvious loops, one thread.
void reference(const AttentionInputs& in, const Selection& selection, const AttentionOutputs& out);

/// SIMD and OpenMP. Forms Dense, Band, BlockList, TokenList; head_dim 32, 64, 128; any dtype; ragged sizes; GQA; paged
/// caches for one query per sequence. Lists are split by their total length, so that any mix of lengths balances.
/// `workspace` holds cpu_workspace(...) bytes, linear in q_len + kv_len per thread, 64-byte aligned.
void cpu(const AttentionInputs& in, const Selection& selection, const AttentionOutputs& out, void* workspace);
std::size_t cpu_workspace(const Shape& shape, const Selection& selection);
std::optional<std::string> cpu_unsupported(const Shape& shape);

/// Portable CUDA (sm_80 and up). Forms Dense, Band, BlockList, TokenList; head_dim 64, 128; any dtype (f32 computes in
/// fp32 on CUDA cores); ragged sizes; GQA. Spans of `selection` hold device pointers. Enqueues on `stream` only.
/// TokenList is for decode (q_len = 1) and for short query blocks: one list per row, whose lengths are read on the
/// device and shared out there. Half types take paged caches and give partial results for Dense, Band and TokenList
/// where a KV head has at most 128 query rows. Throws InputError for what it doesn't take.
void cuda(const AttentionInputs& in, const Selection& selection, const AttentionOutputs& out, void* workspace,
          void* stream);
std::size_t cuda_workspace(const Shape& shape, const Selection& selection);
std::optional<std::string> cuda_unsupported(const Shape& shape);

/// Merges partial results of the same rows over disjoint keys:
///   lse = ln Σ_p exp lse_p,  o = Σ_p exp(lse_p − lse) o_p.
/// A part adds nothing to rows where its LSE is −infinity. `out` overlaps no part. Throws InputError when there is no
/// part, or one that isn't partial; cuda_merge takes at most 8.
void reference_merge(const Shape& shape, std::span<const AttentionOutputs> parts, const AttentionOutputs& out);
void cpu_merge(const Shape& shape, std::span<const AttentionOutputs> parts, const AttentionOutputs& out);
void cuda_merge(const Shape& shape, std::span<const AttentionOutputs> parts, const AttentionOutputs& out, void* stream);

}  // namespace attnscope::attend
