// SPDX-License-Identifier: Apache-2.0
// The bisection of the released kernel, by its definition (select/bisection.hpp). Rounding decides its path, so an
// outcome in float is not compared with one in double: it is checked against what the stopping rule leaves true of any
// outcome.
//
// Let kept = {w > low} with the final low, and least, most, high be those of the last repetition. Whenever low was
// raised, Σ{w > low} ≥ p; otherwise low = 0 and everything is kept. Whenever high was lowered, Σ{w > high} < p, and
// nothing lies in (most, high]; since most ≤ least + 1e-5 and min kept ≥ least, the keys above min kept + 1e-5 then
// hold less than p. Where high was never lowered it is the start: the largest weight, above which there is nothing, or
// the first weight.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/methods/twilight/pruning.hpp"

namespace attnscope::twilight {
namespace {

constexpr double kTolerance = 1e-5;

/// Softmax weights in double.
std::vector<double> weights_of(std::span<const compose::Bounded> logits) {
  std::vector<double> weights;
  if (logits.empty()) return weights;
  const double top = std::ranges::max(logits, {}, &compose::Bounded::value).value;
  double total = 0;
  for (const auto& logit : logits) total += weights.emplace_back(std::exp(logit.value - top));
  for (double& w : weights) w /= total;
  return weights;
}

/// How far a weight in float may lie from the one in double, as a share of it: the logits' own error, twice because the
/// total moves as well, and the exponentials and the float total over n weights.
double relative_error(std::span<const compose::Bounded> logits) {
  double error = 0, spread = 0;
  const double top = std::ranges::max(logits, {}, &compose::Bounded::value).value;
  for (const auto& logit : logits) {
    error = std::max(error, logit.error);
    spread = std::max(spread, top - logit.value);
  }
  return 2 * error + (8 + 2 * spread + std::sqrt(static_cast<double>(logits.size()))) * 0x1p-22;
}

double sum_above(const std::vector<double>& weights, double limit) {
  double sum = 0;
  for (const double w : weights)
    if (w > limit) sum += w;
  return sum;
}

}  // namespace

std::vector<std::int32_t> bisect(std::span<const compose::Bounded> logits, double p, select::BisectionStart start) {
  const std::vector<double> weights = weights_of(logits);
  std::vector<std::int32_t> kept;
  if (weights.empty()) return kept;
  double low = 0;
  double high = start == select::BisectionStart::first_weight ? weights.front() : std::ranges::max(weights);
  for (double least = low, most = high + 1; most - least > kTolerance;) {
    const double mid = (low + high) / 2;
    least = high, most = low;
    for (const double w : weights) {
      if (w > low) least = std::min(least, w);
      if (w <= high) most = std::max(most, w);
    }
    if (sum_above(weights, mid) >= p)
      low = mid;
    else
      high = std::min(mid, most);
  }
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (weights[i] > low) kept.push_back(static_cast<std::int32_t>(i));
  return kept;
}

std::string bisection_fault(std::span<const compose::Bounded> logits, double p, select::BisectionStart start,
                            std::span<const std::int32_t> kept) {
  if (logits.empty()) return kept.empty() ? "" : "an empty row keeps positions";
  const std::vector<double> weights = weights_of(logits);
  const double error = relative_error(logits);
  std::vector<bool> is_kept(weights.size());
  for (const std::int32_t i : kept) is_kept[i] = true;
  double least = 1, dropped = 0, mass = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (is_kept[i]) mass += weights[i], least = std::min(least, weights[i]);
    if (!is_kept[i]) dropped = std::max(dropped, weights[i]);
  }
  if (dropped * (1 - error) > least * (1 + error))
    return fmt::format("weight {:.6g} is dropped though {:.6g} is kept", dropped, least);
  if (mass < p - error && kept.size() < weights.size()) return fmt::format("the kept weights sum to {:.6g}", mass);
  const double limit = (least * (1 + error) + kTolerance) * (1 + error);
  const bool above_start = start == select::BisectionStart::first_weight && limit >= weights.front() * (1 - error);
  if (!above_start && sum_above(weights, limit) >= p + error)
    return fmt::format("weights of {:.6g} are kept though those above {:.6g} hold the mass", least, limit);
  return "";
}

}  // namespace attnscope::twilight
