// SPDX-License-Identifier: Apache-2.0
// Execution of a Selection: O and LSE of the attended keys. One function per backend; all compute the same thing:
//   s_ij = scale · q_i · k_j,  lse_i = ln Σ_j exp s_ij,  o_i = Σ_j exp(s_ij − lse_i) v_j,  j over the attended keys.
// Accumulation is fp64 in the reference and fp32 elsewhere. Rows without keys give o = 0, lse = −infinity.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "harness/base/attention.hpp"
#include "kernels/core/selection.hpp"

namespace attnscope::attend {

/// Any shape, any dtype, every form except ChunkList with weights; obvious loops, one thread.
void reference(const AttentionInputs& in, const Selection& selection, const AttentionOutputs& out);

/// SIMD and OpenMP. Forms Dense, Band, BlockList, TokenList; head_dim 32, 64, 128; any dtype; ragged sizes; GQA.
/// `workspace` holds cpu_workspace(...) bytes, linear in q_len + kv_len per thread, 64-byte aligned.
void cpu(const AttentionInputs& in, const Selection& selection, const AttentionOutputs& out, void* workspace);
std::size_t cpu_workspace(const Shape& shape, const Selection& selection);
std::optional<std::string> cpu_unsupported(const Shape& shape);

/// Portable CUDA (sm_80 and up). Forms Dense, Band, BlockList, TokenList; head_dim 64, 128; any dtype (f32 computes in
/// fp32 on CUDA cores); ragged sizes; GQA. Spans of `selection` hold device pointers. Enqueues on `stream` only.
/// TokenList is for decode (q_len = 1) and for short query blocks: one list per row, split over the keys.
void cuda(const AttentionInputs& in, const Selection& selection, const AttentionOutputs& out, void* workspace,
          void* stream);
std::size_t cuda_workspace(const Shape& shape, const Selection& selection);
std::optional<std::string> cuda_unsupported(const Shape& shape);

}  // namespace attnscope::attend
