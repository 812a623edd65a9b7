// SPDX-License-Identifier: Apache-2.0
// The CPU and the CUDA version of each engine that is called through a Queue. The public headers state what they do;
// arguments have been checked. Everything after an engine's own arguments is as in select.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/select/bisection.hpp"
#include "kernels/select/candidates.hpp"
#include "kernels/select/quantized.hpp"
#include "kernels/select/select.hpp"

namespace attnscope::select {

/// Throws the MachineError of a build without CUDA.
[[noreturn]] void refuse_cuda();

namespace cpu {

void quantize_keys(const AttentionInputs& in, const QuantizedKeys& keys);
void quantized_scores(const AttentionInputs& in, const QuantizedKeys& keys, const CandidateLists& candidates,
                      const Scores& scores, std::int32_t* length);
void positions_to_keys(const CandidateLists& candidates, const Lists& lists, std::int64_t rows, std::int64_t heads);
void top_p_by_bisection(const Scores& scores, double p, BisectionStart start, const Lists& lists);
std::size_t group_union_workspace(std::int64_t rows, std::int64_t range);
/// `rows` unions of `group` lists each; indices are below `range`.
void group_union(const TokenList& lists, std::int64_t rows, std::int64_t group, std::int64_t range, const Lists& unions,
                 void* workspace);
std::size_t group_sum_workspace(const Scores& scores);
void group_sum(const Scores& scores, std::int64_t group, const Scores& sums, std::int32_t* length, void* workspace);

}  // namespace cpu

namespace cuda {

void quantize_keys(const AttentionInputs& in, const QuantizedKeys& keys, void* stream);
void quantized_scores(const AttentionInputs& in, const QuantizedKeys& keys, const CandidateLists& candidates,
                      const Scores& scores, std::int32_t* length, void* stream);
void positions_to_keys(const CandidateLists& candidates, const Lists& lists, std::int64_t rows, std::int64_t heads,
                       void* stream);
void top_p_by_bisection(const Scores& scores, double p, BisectionStart start, const Lists& lists, void* stream);
std::size_t group_union_workspace(std::int64_t rows, std::int64_t range);
void group_union(const TokenList& lists, std::int64_t rows, std::int64_t group, std::int64_t range, const Lists& unions,
                 void* workspace, void* stream);
std::size_t group_sum_workspace(const Scores& scores);
void group_sum(const Scores& scores, std::int64_t group, const Scores& sums, std::int32_t* length, void* workspace,
               void* stream);

}  // namespace cuda
}  // namespace attnscope::select
