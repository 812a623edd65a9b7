// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "harness/base/half.hpp"
#include "kernels/select/product_codes.hpp"

namespace attnscope::select {
namespace {

/// scale · Σ_p q_p · centroid_p for every code, of one query head.
std::vector<float> code_scores(const AttentionInputs& in, const CodePlan& plan, const ProductCodes& index,
                               std::int64_t head, std::int64_t query_row) {
  const Shape& shape = in.shape;
  const std::int64_t dim = shape.head_dim / plan.parts;
  std::vector<float> scores(plan.codes());
  for (std::int64_t part = 0; part < plan.parts; ++part) {
    std::vector<float> table(plan.centroids());
    for (std::int64_t c = 0; c < plan.centroids(); ++c)
      for (std::int64_t i = 0; i < dim; ++i)
        table[c] += load_element(in.q, shape.dtype, query_row * shape.head_dim + part * dim + i) *
                    load_element(index.centroids.data(), shape.dtype,
                                 ((head * plan.parts + part) * plan.centroids() + c) * dim + i);
    for (std::int64_t code = 0; code < plan.codes(); ++code)
      scores[code] += in.scale * table[(code >> part * plan.bits) & (plan.centroids() - 1)];
  }
  return scores;
}

/// Adds softmax(scores) over the candidates to `sums`; codes that no candidate has add nothing to its denominator.
void add_softmax(const std::vector<float>& scores, const std::int32_t* counts, std::vector<float>& sums) {
  float maximum = -INFINITY;
  for (std::size_t code = 0; code < scores.size(); ++code)
    if (counts[code] > 0) maximum = std::max(maximum, scores[code]);
  std::vector<float> weight(scores.size());
  double total = 0;
  for (std::size_t code = 0; code < scores.size(); ++code)
    if (counts[code] > 0) {
      weight[code] = std::exp(scores[code] - maximum);
      total += static_cast<double>(weight[code]) * counts[code];
    }
  for (std::size_t code = 0; code < scores.size(); ++code) sums[code] += weight[code] / static_cast<float>(total);
}

class CpuCodeEngine final : public CodeEngine {
 public:
  void encode(const CodePlan& plan, std::int64_t heads, const ProductCodes& index) const override {
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t head = 0; head < heads; ++head) {
      auto* codes = index.codes.as<std::uint16_t>() + head * plan.keys;
      auto* counts = index.counts.as<std::int32_t>() + head * plan.codes();
      std::fill_n(counts, plan.codes(), 0);
      for (std::int64_t key = 0; key < plan.keys; ++key) {
        std::int64_t code = 0;
        for (std::int64_t part = 0; part < plan.parts; ++part)
          code |= std::int64_t{index.assignment.as<std::int32_t>()[(head * plan.parts + part) * plan.keys + key]}
                  << part * plan.bits;
        codes[key] = static_cast<std::uint16_t>(code);
        if (key < plan.candidates) ++counts[code];
      }
    }
  }

  void rank(const AttentionInputs& in, const CodePlan& plan, const ProductCodes& index, std::uint8_t* marks,
            std::int32_t* ties) const override {
    const Shape& shape = in.shape;
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t head = 0; head < shape.batch * shape.kv_heads; ++head) {
      const auto* counts = index.counts.as<std::int32_t>() + head * plan.codes();
      std::vector<float> sums(plan.codes());
      for (std::int64_t g = 0; g < shape.group(); ++g)
        add_softmax(code_scores(in, plan, index, head, head * shape.group() + g), counts, sums);

      std::vector<std::int32_t> order(plan.codes());
      std::iota(order.begin(), order.end(), 0);
      std::ranges::sort(order, std::greater{}, [&](std::int32_t code) { return sums[code]; });
      std::uint8_t* mark = marks + head * plan.codes();
      std::fill_n(mark, plan.codes(), std::uint8_t{0});
      ties[head] = 0;
      std::int64_t wanted = plan.choose;
      for (auto first = order.begin(); wanted > 0;) {  // codes of one score at a time, best first
        const float score = sums[*first];
        const auto last = std::find_if(first, order.end(), [&](std::int32_t code) { return sums[code] != score; });
        std::int64_t keys = 0;
        for (auto code = first; code < last; ++code) keys += counts[*code];
        const bool all = keys <= wanted;
        for (auto code = first; code < last; ++code) mark[*code] = all ? 2 : 1;
        if (!all) ties[head] = static_cast<std::int32_t>(wanted);
        wanted -= std::min(keys, wanted);
        first = last;
      }
    }
  }

  std::size_t list_workspace(const CodePlan&, std::int64_t) const override { return 0; }

  void list(const CodePlan& plan, std::int64_t heads, const ProductCodes& index, const std::uint8_t* marks,
            const std::int32_t* ties, const Lists& lists, std::int64_t at, void*) const override {
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t head = 0; head < heads; ++head) {
      const auto* codes = index.codes.as<std::uint16_t>() + head * plan.keys;
      const std::uint8_t* mark = marks + head * plan.codes();
      std::int32_t* out = lists.indices + head * lists.capacity + at;
      std::int32_t left = ties[head];
      for (std::int64_t key = 0; key < plan.candidates; ++key) {
        const std::uint8_t own = mark[codes[key]];
        if (own == 0 || (own == 1 && left-- <= 0)) continue;
        *out++ = static_cast<std::int32_t>(plan.first + key);
      }
    }
  }
};

}  // namespace

std::unique_ptr<const CodeEngine> make_cpu_code_engine() { return std::make_unique<CpuCodeEngine>(); }

}  // namespace attnscope::select
