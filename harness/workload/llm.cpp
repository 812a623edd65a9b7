// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/llm.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/error.hpp"
#include "harness/base/parallel.hpp"
#include "harness/workload/llm_keys.hpp"
#include "harness/workload/llm_model.hpp"
#include "harness/workload/llm_queries.hpp"
#include "harness/workload/llm_settings.hpp"
#include "harness/workload/tile.hpp"

namespace attnscope {
namespace llm {
namespace {

void check(const Shape& shape) {
  // Row i must see exactly the keys up to its own position: masses are solved for that.
  if (!shape.causal && shape.q_len > 1)
    throw InputError(
        fmt::format("workload llm: causal must be true when q_len is above 1, found q_len {}", shape.q_len));
}

std::vector<Kind> kinds_of(const Model& model, const Shape& shape) {
  return assign_kinds(find_mix(model.settings.mix), shape.kv_heads, shape.group(), model.settings.kind_agreement,
                      model.heads.child({kKindAssignment}));
}

void fill_keys_values(const KvHead& head, const Shape& shape, std::int64_t offset, int threads, Problem& problem) {
  const std::int64_t tiles = (shape.kv_len + kTileRows - 1) / kTileRows;
  parallel_for(tiles, threads, [&](std::int64_t t) {
    std::vector<float> keys = make_tile(shape.head_dim), values = make_tile(shape.head_dim);
    const std::int64_t first = t * kTileRows, rows = std::min(kTileRows, shape.kv_len - first);
    key_value_tile(head, first, keys.data(), values.data());
    const std::int64_t at = offset + first * shape.head_dim;
    store_tile(keys.data(), 0, rows, shape.head_dim, shape.dtype, problem.k.data(), at);
    store_tile(values.data(), 0, rows, shape.head_dim, shape.dtype, problem.v.data(), at);
  });
}

/// Queries at the positions [begin, end), written to `tensor` from element `offset` on.
void fill_queries(const QueryHead& head, const Shape& shape, std::int64_t begin, std::int64_t end, void* tensor,
                  std::int64_t offset, int threads) {
  if (begin == end) return;
  const std::int64_t first_tile = begin / kTileRows, last_tile = (end + kTileRows - 1) / kTileRows;
  parallel_for(last_tile - first_tile, threads, [&](std::int64_t t) {
    std::vector<float> queries = make_tile(shape.head_dim);
    const std::int64_t first = (first_tile + t) * kTileRows;
    const std::int64_t from = std::max(begin, first), to = std::min(end, first + kTileRows);
    head.tile(first, queries.data());
    store_tile(queries.data(), from - first, to - first, shape.head_dim, shape.dtype, tensor,
               offset + (from - begin) * shape.head_dim);
  });
}

class Llm : public Workload {
 public:
  const WorkloadInfo& info() const override {
    static const WorkloadInfo info{
        .name = "llm",
        .title = "LLM heads",
        .help =
            "RoPE'd heads of named kinds (sink, local, slash, vertical, retrieval, diffuse) with the concentration "
            "of real long-context models.",
        .parameters = parameters()};
    return info;
  }

  Problem make(const Shape& shape, Phase phase, const Params& params, std::uint64_t seed, int threads) const override {
    check(shape);
    Problem problem = allocate_problem(shape, phase);
    const Model model(shape.head_dim, shape.kv_len, settings_from(params), seed);
    const std::vector<Kind> kinds = kinds_of(model, shape);
    for (std::int64_t b = 0; b < shape.batch; ++b) {
      for (std::int64_t kv = 0; kv < shape.kv_heads; ++kv) {
        const KvHead owner(model, b, kv);
        fill_keys_values(owner, shape, (b * shape.kv_heads + kv) * shape.kv_len * shape.head_dim, threads, problem);
        for (std::int64_t h = kv * shape.group(); h < (kv + 1) * shape.group(); ++h) {
          const QueryHead head(owner, kv, h, kinds[static_cast<std::size_t>(h)], threads);
          const std::int64_t first = shape.position(0), offset = (b * shape.q_heads + h) * shape.head_dim;
          fill_queries(head, shape, first, shape.kv_len, problem.q.data(), offset * shape.q_len, threads);
          fill_queries(head, shape, first - shape.history, first, problem.past_q.data(), offset * shape.history,
                       threads);
        }
      }
    }
    problem.provenance = {{"generator", "llm"}, {"seed", seed}, {"params", params.json()}, {"rope_base", model.base}};
    for (const Kind kind : kinds) problem.provenance["kinds"].push_back(to_string(kind));
    return problem;
  }
};

}  // namespace

Planted planted(const Shape& shape, const Params& params, std::uint64_t seed) {
  const Model model(shape.head_dim, shape.kv_len, settings_from(params), seed);
  Planted result{.kinds = kinds_of(model, shape), .heavy = {}, .needle = {}};
  for (std::int64_t b = 0; b < shape.batch; ++b) {
    for (std::int64_t kv = 0; kv < shape.kv_heads; ++kv) {
      const KvHead head(model, b, kv);
      auto& heavy = result.heavy.emplace_back();
      for (const HeavyToken& token : head.heavy.within(0, shape.kv_len)) heavy.push_back(token.position);
      auto& needle = result.needle.emplace_back();
      for (std::int64_t j = head.needle.first; j < head.needle.last; ++j) needle.push_back(j);
    }
  }
  return result;
}

}  // namespace llm

const Workload& llm_workload() {
  static const llm::Llm workload;
  return workload;
}

}  // namespace attnscope
