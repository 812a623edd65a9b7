// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include "harness/verify/compare.hpp"
#include "kernels/compose/quantized.hpp"
#include "kernels/compose/top_p.hpp"
#include "kernels/methods/twilight/pruning.hpp"
#include "kernels/selectors/list_tensors.hpp"

namespace attnscope::twilight {
namespace {

using selectors::GivenLists;

using Keys = std::vector<std::int32_t>;

Keys all_below(std::int64_t n) {
  Keys keys(n);
  std::iota(keys.begin(), keys.end(), 0);
  return keys;
}

Keys merged(const Keys& a, const Keys& b) {
  Keys both;
  std::ranges::set_union(a, b, std::back_inserter(both));
  return both;
}

class TwilightDefinition final : public Definition {
 public:
  TwilightDefinition(const AttentionInputs& host, const Params& params, const Settings& settings,
                     std::vector<SideTensor> built)
      : host_(host),
        settings_(settings),
        candidates_(GivenLists::take("candidates", built)),
        pruned_(GivenLists::take("pruned", built)) {
    if (settings.base) base_ = settings.base->define(host, params, std::move(built));
  }

  RowSelection select_row(const Row& row) const override {
    if (!settings_.group_union) return prune(row);
    // What the group attends is the union of what its heads keep. A borderline key counts when no head surely keeps it;
    // a head that must take more of its open keys than others surely keep brings the rest of them in.
    RowSelection all;
    Row member = row;
    const std::int64_t group = host_.shape.group();
    std::vector<RowSelection> heads;
    for (member.head = row.head / group * group; member.head < (row.head / group + 1) * group; ++member.head) {
      heads.push_back(prune(member));
      all.keys = merged(all.keys, heads.back().keys);
      all.borderline = merged(all.borderline, heads.back().borderline);
      if (all.fault.empty()) all.fault = heads.back().fault;
    }
    Keys open;
    std::ranges::set_difference(all.borderline, all.keys, std::back_inserter(open));
    all.borderline = std::move(open);
    all.borderline_max = std::ssize(all.borderline);
    for (const RowSelection& head : heads) {
      Keys own;
      std::ranges::set_intersection(head.borderline, all.borderline, std::back_inserter(own));
      const std::int64_t sure = std::ssize(head.borderline) - std::ssize(own);
      all.borderline_min = std::max(all.borderline_min, head.borderline_min - sure);
    }
    return all;
  }

 private:
  /// The row's candidates, and what is wrong with them.
  Keys candidates(const Row& row, std::string& fault) const {
    if (!base_) return all_below(host_.shape.visible(row.query));
    RowSelection defined = base_->select_row(row);
    if (candidates_) {
      const auto given = candidates_->keys(host_.shape, row);
      if (const auto wrong = selection_fault(defined, given)) fault = "candidates: " + *wrong;
      return {given.begin(), given.end()};
    }
    defined.borderline.resize(defined.borderline_min);
    return merged(defined.keys, defined.borderline);
  }

  /// The keys that one query head keeps of its candidates.
  RowSelection prune(const Row& row) const {
    RowSelection kept;
    const Keys keys = candidates(row, kept.fault);
    if (keys.empty()) return kept;
    const auto logits = compose::quantized_logits(host_, row, settings_.bits, all_below(host_.shape.head_dim), keys);
    const auto keys_at = [&](const Keys& positions) {
      Keys named;
      for (const std::int32_t n : positions) named.push_back(keys[n]);
      return named;
    };
    if (settings_.top_p == TopP::exact) {
      const RowSelection positions = compose::smallest_with_mass(logits, settings_.p);
      kept.keys = keys_at(positions.keys);
      kept.borderline = keys_at(positions.borderline);
      kept.borderline_min = positions.borderline_min;
      kept.borderline_max = positions.borderline_max;
      return kept;
    }
    if (!pruned_) {
      kept.keys = keys_at(bisect(logits, settings_.p, settings_.start));
      return kept;
    }
    // The bisection's path depends on rounding: its outcome is taken as given and checked.
    const auto given = pruned_->keys(host_.shape, row);
    Keys positions;
    for (const std::int32_t key : given) {
      const auto at = std::ranges::lower_bound(keys, key);
      if (at == keys.end() || *at != key) {
        kept.fault = "a key is kept that is no candidate";
        return kept;
      }
      positions.push_back(static_cast<std::int32_t>(at - keys.begin()));
    }
    if (kept.fault.empty()) kept.fault = bisection_fault(logits, settings_.p, settings_.start, positions);
    kept.keys.assign(given.begin(), given.end());
    return kept;
  }

  const AttentionInputs host_;
  const Settings settings_;
  const std::optional<GivenLists> candidates_;
  const std::optional<GivenLists> pruned_;
  std::unique_ptr<const Definition> base_;
};

}  // namespace

std::unique_ptr<const Definition> define(const AttentionInputs& host, const Params& params, const Settings& settings,
                                         std::vector<SideTensor> built) {
  return std::make_unique<TwilightDefinition>(host, params, settings, std::move(built));
}

}  // namespace attnscope::twilight
