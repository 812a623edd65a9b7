// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/ticks.hpp"

#include <algorithm>
#include <cmath>

#include "reports/figure/text.hpp"

namespace attnscope::reports {
namespace {

constexpr int kMaxLabels = 9;

// The step of 1, 2 or 5 times a power of ten that divides `span` into at most kMaxLabels − 1 parts.
double linear_step(double span) {
  const double rough = span / (kMaxLabels - 1);
  const double decade = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * decade >= rough) return factor * decade;
  return 10 * decade;
}

std::vector<Tick> linear_ticks(Range range) {
  std::vector<Tick> out;
  const double step = linear_step(range.high - range.low);
  const auto first = static_cast<long>(std::ceil(range.low / step - 1e-9));
  const auto last = static_cast<long>(std::floor(range.high / step + 1e-9));
  for (long i = first; i <= last; ++i)
    out.push_back({step * static_cast<double>(i), si(step * static_cast<double>(i))});
  return out;
}

std::vector<Tick> log2_ticks(Range range) {
  std::vector<Tick> out;
  const auto first = std::lround(std::ceil(std::log2(range.low) - 1e-9));
  const auto last = std::lround(std::floor(std::log2(range.high) + 1e-9));
  const long stride = (last - first) / kMaxLabels + 1;
  for (long i = first; i <= last; ++i) {
    const double value = std::exp2(static_cast<double>(i));
    out.push_back({value, (i - first) % stride == 0 ? binary(value) : ""});
  }
  return out;
}

std::vector<Tick> log10_ticks(Range range) {
  std::vector<Tick> out;
  const auto first = std::lround(std::floor(std::log10(range.low) + 1e-9));
  const auto last = std::lround(std::ceil(std::log10(range.high) - 1e-9));
  const long stride = (last - first) / kMaxLabels + 1;
  const bool few = range.high <= 200 * range.low;  // then 2 and 5 are labelled too
  for (long decade = first; decade <= last; ++decade) {
    for (int digit = 1; digit <= 9; ++digit) {
      const double value = digit * std::pow(10.0, static_cast<double>(decade));
      if (value < range.low * (1 - 1e-9) || value > range.high * (1 + 1e-9)) continue;
      const bool labelled = digit == 1 ? (decade - first) % stride == 0 : few && (digit == 2 || digit == 5);
      out.push_back({value, labelled ? si(value) : ""});
    }
  }
  return out;
}

}  // namespace

Range nice_range(Scale scale, double low, double high) {
  if (scale == Scale::linear) {
    low = std::min(low, 0.0);  // lengths are read against zero
    if (high <= low) high = low + 1;
    const double step = linear_step(high - low);
    return {step * std::floor(low / step + 1e-9), step * std::ceil(high / step - 1e-9)};
  }
  if (scale == Scale::log2) {
    const double first = std::floor(std::log2(low) + 1e-9);
    const double last = std::ceil(std::log2(high) - 1e-9);
    return {std::exp2(first == last ? first - 1 : first), std::exp2(first == last ? last + 1 : last)};
  }
  // Ends at 1, 2 or 5 times a power of ten: whole decades would leave half a plot empty.
  const auto snap = [](double value, bool up) {
    const double decade = std::pow(10.0, std::floor(std::log10(value) + 1e-9));
    const double digit = value / decade;
    for (const double candidate : up ? std::array{1.0, 2.0, 5.0, 10.0} : std::array{10.0, 5.0, 2.0, 1.0})
      if (up ? candidate >= digit * (1 - 1e-9) : candidate <= digit * (1 + 1e-9)) return candidate * decade;
    return value;
  };
  Range range{snap(low, false), snap(high, true)};
  if (range.high / range.low < 4) return {range.low / 2, range.high * 2};
  return range;
}

std::vector<Tick> ticks(Scale scale, Range range) {
  switch (scale) {
    case Scale::linear:
      return linear_ticks(range);
    case Scale::log2:
      return log2_ticks(range);
    case Scale::log10:
      return log10_ticks(range);
  }
  return {};
}

Range nice_range(const Axis& axis, double low, double high) {
  if (axis.categories.empty()) return nice_range(axis.scale, low, high);
  return {-0.6, static_cast<double>(axis.categories.size()) - 0.4};
}

std::vector<Tick> ticks(const Axis& axis, Range range) {
  if (axis.categories.empty()) return ticks(axis.scale, range);
  std::vector<Tick> out;
  for (std::size_t i = 0; i < axis.categories.size(); ++i)
    if (const auto at = static_cast<double>(i); at >= range.low && at <= range.high)
      out.push_back({at, axis.categories[i]});
  return out;
}

double position(Scale scale, Range range, double value) {
  if (scale == Scale::linear) return (value - range.low) / (range.high - range.low);
  return std::log(value / range.low) / std::log(range.high / range.low);
}

}  // namespace attnscope::reports
