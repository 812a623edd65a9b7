// SPDX-License-Identifier: Apache-2.0
// What the axes of accuracy against cost can show.
#pragma once

#include <span>
#include <string_view>

#include "harness/record/derive.hpp"
#include "reports/figure/curves.hpp"

namespace attnscope::reports {

struct NamedQuantity {
  std::string_view name;   // "flops"; fit for a file name
  std::string_view title;  // quantity and unit, as an axis says it
  std::string_view words;  // as a sentence says it: "the FLOPs on the attended pairs plus those spent on choosing them"
  Scale scale = Scale::log10;
  std::optional<double> (*value)(const record::Point& point) = nullptr;
  bool higher_is_better = false;
  bool of_kernel = false;  // depends on how the keys are attended to, not only on which
};

/// Costs, all better when lower. The first is the usual one.
std::span<const NamedQuantity> costs();

/// Measures of agreement with exact attention or of success at a task. The first is the usual one.
std::span<const NamedQuantity> accuracies();

/// A quotient of the points of `record`, found for all of them at once. Only for points that lie in that very record.
Quantity derived(const record::Record& record, std::optional<double> record::Derived::*quotient);

/// The cost or accuracy of that name. Throws InputError naming the known ones.
const NamedQuantity& cost(std::string_view name);
const NamedQuantity& accuracy(std::string_view name);

}  // namespace attnscope::reports
