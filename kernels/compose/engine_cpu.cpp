// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "kernels/compose/engine.hpp"

namespace attnscope::compose {
namespace {

class CpuEngine final : public Engine {
 public:
  Space space() const override { return Space::host; }
  void read(void* host, const void* source, std::size_t bytes) const override { std::memcpy(host, source, bytes); }

  std::size_t attend_workspace(const Shape& shape, const Selection& selection) const override {
    return attend::cpu_workspace(shape, selection);
  }
  void attend(const AttentionInputs& in, const Selection& selection, const AttentionOutputs& out,
              void* workspace) const override {
    attend::cpu(in, selection, out, workspace);
  }

  std::size_t select_workspace(std::int64_t, std::int64_t) const override { return 0; }
  void logits(const AttentionInputs& in, const select::Scores& scores, std::int32_t* length) const override {
    select::cpu::logits(in, {.first = 0, .count = in.shape.q_len}, scores, length);
  }
  void top_k(const select::Scores& scores, std::int64_t k, const select::Lists& lists, void*) const override {
    select::cpu::top_k(scores, k, lists);
  }
  void top_p(const select::Scores& scores, double p, const select::Lists& lists, void*) const override {
    select::cpu::top_p(scores, p, lists);
  }
  void page_bounds(const AttentionInputs& in, const select::PageBounds& bounds) const override {
    select::cpu::page_bounds(in, bounds);
  }
  void page_scores(const AttentionInputs& in, const select::PageBounds& bounds,
                   const select::Scores& scores) const override {
    select::cpu::page_scores(in, bounds, scores);
  }
};

}  // namespace

std::unique_ptr<const Engine> make_cpu_engine() { return std::make_unique<CpuEngine>(); }

}  // namespace attnscope::compose
