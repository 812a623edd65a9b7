// SPDX-License-Identifier: Apache-2.0
#include "harness/method/definition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "kernels/compose/exact.hpp"
#include "kernels/compose/group_weights.hpp"
#include "kernels/methods/retroinfer/index.hpp"

namespace attnscope::retroinfer {
namespace {

using Clusters = std::vector<std::int32_t>;  // ascending

/// Ranked clusters of one KV head.
struct Ranking {
  Clusters retrieved, estimated;
};

Clusters difference(const Clusters& all, const Clusters& some) {
  Clusters rest;
  std::ranges::set_difference(all, some, std::back_inserter(rest));
  return rest;
}

/// What is wrong with `listed` where `choice` leaves only what rounding decides; empty when nothing is.
std::string choice_fault(const compose::Choice& choice, const Clusters& listed, const char* name) {
  const Clusters missing = difference(choice.certain, listed);
  if (!missing.empty()) return fmt::format("{} clusters lack {}", name, missing.front());
  const Clusters wrong = difference(difference(listed, choice.certain), choice.open);
  if (!wrong.empty()) return fmt::format("{} clusters have {}", name, wrong.front());
  const std::int64_t wanted = std::ssize(choice.certain) + choice.take;
  if (std::ssize(listed) != wanted || std::ranges::adjacent_find(listed, std::greater_equal{}) != listed.end())
    return fmt::format("{} {} clusters are listed, expected {} ascending ones", listed.size(), name, wanted);
  return {};
}

class RetroInferDefinition final : public Definition {
 public:
  RetroInferDefinition(const AttentionInputs& host, const Zones& zones, std::vector<SideTensor> built)
      : host_(host),
        zones_(zones),
        given_(!built.empty()),
        index_(given_ ? read_index(host, zones, built) : make_index(host, zones)),
        clusters_(cluster_inputs(host_, zones_, index_.centroids.data(), index_.values.data())) {}

  RowSelection select_row(const Row& row) const override {
    const std::int64_t head = kv_head(row);
    RowSelection selection;
    if (given_) selection.fault = fault(row);
    for (std::int64_t key = 0; key < zones_.plan.first; ++key) selection.keys.push_back(static_cast<std::int32_t>(key));
    for (const std::int32_t cluster : ranking(row).retrieved)
      for (const std::int32_t key : members(head, cluster))
        selection.keys.push_back(static_cast<std::int32_t>(zones_.plan.first + key));
    for (std::int64_t key = zones_.plan.first + zones_.plan.keys; key < host_.shape.kv_len; ++key)
      selection.keys.push_back(static_cast<std::int32_t>(key));
    std::ranges::sort(selection.keys);
    return selection;
  }

  // A cluster of n keys with centroid C and mean value u adds n e^(scale q·C) to the sum of weights and that times u to
  // the output: as if its keys were all C.
  RowTerms terms(const Row& row, std::span<const std::int32_t>) const override {
    const std::int64_t head = kv_head(row), dim = host_.shape.head_dim;
    const std::vector<compose::Bounded> logits = compose::exact_logits(clusters_, row);
    RowTerms terms;
    std::vector<double> value(dim);
    for (const std::int32_t cluster : ranking(row).estimated) {
      const double log_size = std::log(static_cast<double>(members(head, cluster).size()));
      terms.extra_logits.push_back(logits[cluster].value + log_size);
      // ln in float to within two units, and one more where it is added.
      terms.logit_error = std::max(terms.logit_error, logits[cluster].error + 3 * 0x1p-24 * log_size);
      compose::load(index_.values.data(), host_.shape.dtype, (head * zones_.plan.clusters + cluster) * dim, value);
      terms.extra_values.insert(terms.extra_values.end(), value.begin(), value.end());
    }
    return terms;
  }

 private:
  std::int64_t kv_head(const Row& row) const {
    return row.batch * host_.shape.kv_heads + row.head / host_.shape.group();
  }
  const Clusters& members(std::int64_t head, std::int64_t cluster) const {
    return index_.members[head * zones_.plan.clusters + cluster];
  }

  /// Σ over the query heads of the row's group of softmax(scale · q · C); −infinity for clusters without members.
  std::vector<compose::Bounded> attention_to_clusters(const Row& row) const {
    const std::int64_t group = host_.shape.group();
    std::vector<compose::Bounded> sums(zones_.plan.clusters);
    for (std::int64_t g = 0; g < group; ++g) {
      const Row query{row.batch, row.head / group * group + g, row.query};
      compose::add_softmax(compose::exact_logits(clusters_, query), sums);
    }
    for (std::size_t c = 0; c < sums.size(); ++c)
      if (members(kv_head(row), static_cast<std::int64_t>(c)).empty()) sums[c] = {.value = -INFINITY};
    return sums;
  }

  Ranking ranking(const Row& row) const {
    Ranking ranking;
    Clusters ranked;
    if (given_) {
      ranking.retrieved = listed(index_.retrieved, zones_.retrieved, row);
      ranked = listed(index_.ranked, zones_.ranked(), row);
    } else {
      const std::vector<compose::Bounded> sums = attention_to_clusters(row);
      Clusters order(sums.size());
      std::iota(order.begin(), order.end(), 0);
      std::ranges::stable_sort(order, std::greater{}, [&](std::int32_t c) { return sums[c].value; });
      ranking.retrieved.assign(order.begin(), order.begin() + zones_.retrieved);
      ranked.assign(order.begin(), order.begin() + zones_.ranked());
      std::ranges::sort(ranking.retrieved);
      std::ranges::sort(ranked);
    }
    ranking.estimated = difference(ranked, ranking.retrieved);
    std::erase_if(ranking.estimated, [&](std::int32_t c) { return members(kv_head(row), c).empty(); });
    return ranking;
  }

  Clusters listed(const std::vector<std::int32_t>& lists, std::int64_t count, const Row& row) const {
    const auto first = lists.begin() + kv_head(row) * count;
    return {first, first + count};
  }

  std::string fault(const Row& row) const {
    const std::int64_t row_number = row.batch * host_.shape.q_heads + row.head;
    std::string fault = index_fault(host_, zones_, index_, kv_head(row), row_number);
    if (!fault.empty()) return fault;
    const std::vector<compose::Bounded> sums = attention_to_clusters(row);
    const Clusters retrieved = listed(index_.retrieved, zones_.retrieved, row);
    const Clusters ranked = listed(index_.ranked, zones_.ranked(), row);
    fault = choice_fault(compose::largest(sums, zones_.retrieved), retrieved, "retrieved");
    if (fault.empty()) fault = choice_fault(compose::largest(sums, zones_.ranked()), ranked, "ranked");
    if (fault.empty() && !std::ranges::includes(ranked, retrieved)) fault = "a retrieved cluster is not ranked";
    return fault;
  }

  const AttentionInputs host_;
  const Zones zones_;
  const bool given_;
  const Index index_;
  const AttentionInputs clusters_;
};

}  // namespace

std::unique_ptr<const Definition> define(const AttentionInputs& host, const Zones& zones,
                                         std::vector<SideTensor> built) {
  if (zones.keeps_all()) return define_dense(host.shape);
  return std::make_unique<const RetroInferDefinition>(host, zones, std::move(built));
}

}  // namespace attnscope::retroinfer
