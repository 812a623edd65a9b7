// SPDX-License-Identifier: Apache-2.0
#include "harness/device/cuda_check.hpp"
#include "kernels/compose/engine.hpp"

namespace attnscope::compose {
namespace {

class CudaEngine final : public Engine {
 public:
  explicit CudaEngine(void* stream) : stream_(stream) {}

  Space space() const override { return Space::device; }
  void read(void* host, const void* source, std::size_t bytes) const override {
    cuda_check(cudaStreamSynchronize(static_cast<cudaStream_t>(stream_)), "cudaStreamSynchronize");
    cuda_check(cudaMemcpy(host, source, bytes, cudaMemcpyDeviceToHost), "cudaMemcpy");
  }

  std::size_t attend_workspace(const Shape& shape, const Selection& selection) const override {
    return attend::cuda_workspace(shape, selection);
  }
  void attend(const AttentionInputs& in, const Selection& selection, const AttentionOutputs& out,
              void* workspace) const override {
    attend::cuda(in, selection, out, workspace, stream_);
  }

  std::size_t select_workspace(std::int64_t rows, std::int64_t stride) const override {
    return select::cuda::workspace_bytes(rows, stride);
  }
  void logits(const AttentionInputs& in, const select::Scores& scores, std::int32_t* length) const override {
    select::cuda::logits(in, {.first = 0, .count = in.shape.q_len}, scores, length, stream_);
  }
  void top_k(const select::Scores& scores, std::int64_t k, const select::Lists& lists, void* workspace) const override {
    select::cuda::top_k(scores, k, lists, workspace, stream_);
  }
  void top_p(const select::Scores& scores, double p, const select::Lists& lists, void* workspace) const override {
    select::cuda::top_p(scores, p, lists, workspace, stream_);
  }
  void page_bounds(const AttentionInputs& in, const select::PageBounds& bounds) const override {
    select::cuda::page_bounds(in, bounds, stream_);
  }
  void page_scores(const AttentionInputs& in, const select::PageBounds& bounds,
                   const select::Scores& scores) const override {
    select::cuda::page_scores(in, bounds, scores, stream_);
  }

 private:
  void* stream_;
};

}  // namespace

std::unique_ptr<const Engine> make_cuda_engine(void* stream) { return std::make_unique<CudaEngine>(stream); }

std::optional<std::string> cuda_engine_unsupported(const Shape& shape) { return attend::cuda_unsupported(shape); }

}  // namespace attnscope::compose
