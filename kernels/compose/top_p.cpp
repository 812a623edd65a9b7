// SPDX-License-Identifier: Apache-2.0
// A key belongs to the set exactly when the keys ranked before it hold less than p of the mass. A backend ranks by its
// own float logits and weighs by its own float exponentials, so the mass before a key is known only between two bounds:
//
//   rank    A key may stand before key i when its highest logit reaches i's lowest, and surely does when its lowest
//           exceeds i's highest.
//   weight  w = exp(s − max) is off by a factor within exp(±η): η holds the logit's own error (an error of the maximum
//           scales all weights alike and cancels) and the exponential's, at most (4 + 2 |s − max|) ulp, which covers
//           both the rounding of s − max and CUDA's __expf (2 + 1.173 |x| ulp).
//   mass    most before i: candidates weighed up, all others down; least: the sure ones weighed down, all others up.
//
// Below p for certain: in. At least p for certain: out. Between: borderline.
#include "kernels/compose/top_p.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace attnscope::compose {
namespace {

// A key as a backend may see it: what ranks it, and its weight at most and at least.
struct Weighed {
  double rank = 0;
  double up = 0;
  double down = 0;
};

// Sums of the weights of the first keys, in descending order of their ranks.
class RankedMass {
 public:
  explicit RankedMass(std::vector<Weighed> keys) : sums_(std::move(keys)) {
    std::ranges::sort(sums_, std::greater<>(), &Weighed::rank);
    for (std::size_t i = 1; i < sums_.size(); ++i) {
      sums_[i].up += sums_[i - 1].up;
      sums_[i].down += sums_[i - 1].down;
    }
  }

  // Number of keys that rank at least at, or above, `limit`.
  std::size_t at_least(double limit) const {
    return std::ranges::upper_bound(sums_, limit, std::greater<>(), &Weighed::rank) - sums_.begin();
  }
  std::size_t above(double limit) const {
    return std::ranges::lower_bound(sums_, limit, std::greater<>(), &Weighed::rank) - sums_.begin();
  }
  double up(std::size_t keys) const { return keys == 0 ? 0 : sums_[keys - 1].up; }
  double down(std::size_t keys) const { return keys == 0 ? 0 : sums_[keys - 1].down; }

 private:
  std::vector<Weighed> sums_;
};

// The fewest keys that can hold the mass p, however the weights are rounded: no set of m holds more than the m largest
// weights up against the n − m smallest down.
std::int64_t fewest_keys(std::vector<double> up, std::vector<double> down, double p) {
  std::ranges::sort(up, std::greater<>());
  std::ranges::sort(down, std::greater<>());
  double rest = std::accumulate(down.begin(), down.end(), 0.0);
  double held = 0;
  std::size_t keys = 0;
  while (keys < up.size() && held < p * (held + rest)) {
    held += up[keys];
    rest -= down[keys];
    ++keys;
  }
  return static_cast<std::int64_t>(keys);
}

}  // namespace

RowSelection smallest_with_mass(std::span<const Bounded> logits, double p) {
  const std::size_t n = logits.size();
  RowSelection selection;
  if (p >= 1) {
    selection.keys.resize(n);
    std::iota(selection.keys.begin(), selection.keys.end(), 0);
    return selection;
  }

  const double top = std::ranges::max(logits, {}, &Bounded::value).value;
  std::vector<double> up(n), down(n);
  std::vector<Weighed> highest(n), lowest(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double x = logits[i].value - top;
    const double eta = logits[i].error + (4 - 2 * x) * 0x1p-23;
    up[i] = std::exp(x + eta);
    down[i] = std::exp(x - eta);
    highest[i] = {.rank = logits[i].high(), .up = up[i], .down = down[i]};
    lowest[i] = {.rank = logits[i].low(), .up = up[i], .down = down[i]};
  }
  const RankedMass may_precede(std::move(highest));
  const RankedMass must_precede(std::move(lowest));
  // Sums in double, here and in the backends: n roundings each.
  const double slack = static_cast<double>(n) * 0x1p-51;

  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t candidates = may_precede.at_least(logits[i].low());  // key i is among them
    const double most = may_precede.up(candidates) - up[i];
    const double least_rest = may_precede.down(n) - may_precede.down(candidates) + down[i];
    const std::size_t sure = must_precede.above(logits[i].high());
    const double least = must_precede.down(sure);
    const double most_rest = must_precede.up(n) - must_precede.up(sure);
    const auto key = static_cast<std::int32_t>(i);
    if (most / (most + least_rest) < p - slack)
      selection.keys.push_back(key);
    else if (least / (least + most_rest) < p + slack)
      selection.borderline.push_back(key);
  }
  const std::int64_t open = fewest_keys(up, down, p - slack) - static_cast<std::int64_t>(selection.keys.size());
  selection.borderline_min = std::max(open, std::int64_t{0});
  selection.borderline_max = static_cast<std::int64_t>(selection.borderline.size());
  return selection;
}

}  // namespace attnscope::compose
