// SPDX-License-Identifier: Apache-2.0
// Selection from a few long rows: each is cut into chunks, with one launch per step and the histograms in workspace.
#pragma once

#include <cstddef>
#include <cstdint>

namespace attnscope::select::cuda {

struct Request;

std::size_t chunk_workspace_bytes(std::int64_t rows, std::int64_t stride);
void top_k_in_chunks(const Request& request, std::int64_t rows, void* workspace, void* stream);
/// Uses the room of the lists as workspace too.
void top_p_in_chunks(const Request& request, std::int64_t rows, void* workspace, void* stream);

}  // namespace attnscope::select::cuda
