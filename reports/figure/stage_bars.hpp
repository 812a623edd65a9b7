// SPDX-License-Identifier: Apache-2.0
// One bar per point, made of its stages.
#pragma once

#include "reports/figure/rows.hpp"

namespace attnscope::reports {

/// Length of a stage's part of the bar; nothing where it is not known.
using StageLength = std::optional<double> (*)(const record::Stage& stage);

/// One series of patches per kind of stage, in the order of first appearance; `build` comes last and pale, since it is
/// paid once and not with every call. `total`, where given, is the length that the stages should add up to: what they
/// leave is a part of its own, "outside stages".
std::vector<Series> stage_bars(const Wording& wording, const std::vector<Row>& rows, StageLength length,
                               std::optional<double> (*total)(const record::Point& point),
                               std::string (*format)(double length));

}  // namespace attnscope::reports
