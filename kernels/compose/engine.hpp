// SPDX-License-Identifier: Apache-2.0
// The attend and select engines of one backend behind one interface, so that a room composes them once for all.
// Pointers are in the engine's memory space; device engines enqueue on their stream only.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "harness/device/buffer.hpp"
#include "kernels/attend/attend.hpp"
#include "kernels/select/select.hpp"

namespace attnscope::compose {

class Engine {
 public:
  virtual ~Engine() = default;
  virtual Space space() const = 0;
  /// Copies to host memory once everything enqueued so far is done. Never called while timing.
  virtual void read(void* host, const void* source, std::size_t bytes) const = 0;

  virtual std::size_t attend_workspace(const Shape& shape, const Selection& selection) const = 0;
  virtual void attend(const AttentionInputs& in, const Selection& selection, const AttentionOutputs& out,
                      void* workspace) const = 0;

  virtual std::size_t select_workspace(std::int64_t rows, std::int64_t stride) const = 0;
  virtual void logits(const AttentionInputs& in, const select::Scores& scores, std::int32_t* length) const = 0;
  virtual void top_k(const select::Scores& scores, std::int64_t k, const select::Lists& lists,
                     void* workspace) const = 0;
  virtual void top_p(const select::Scores& scores, double p, const select::Lists& lists, void* workspace) const = 0;
  virtual void page_bounds(const AttentionInputs& in, const select::PageBounds& bounds) const = 0;
  virtual void page_scores(const AttentionInputs& in, const select::PageBounds& bounds,
                           const select::Scores& scores) const = 0;
};

/// The engine of `backend`, which must be cpu or cuda; `stream` is its cudaStream_t (unused on the CPU).
/// Throws MachineError for cuda in a build without CUDA.
std::unique_ptr<const Engine> make_engine(Backend backend, void* stream);

/// Why the engines of `backend` cannot run this shape, or nothing. Nothing for `reference`, which needs no engine.
std::optional<std::string> engine_unsupported(Backend backend, const Shape& shape);

std::unique_ptr<const Engine> make_cpu_engine();
std::unique_ptr<const Engine> make_cuda_engine(void* stream);
std::optional<std::string> cuda_engine_unsupported(const Shape& shape);

}  // namespace attnscope::compose
