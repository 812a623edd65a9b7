// SPDX-License-Identifier: Apache-2.0
// Every plot that this build can draw.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "reports/figure/plot.hpp"

namespace attnscope::reports {

/// In alphabetical order: the files of this folder.
std::span<const Plot> plots();

/// The plot of that name. Throws InputError naming the known ones.
const Plot& plot(std::string_view name);

/// All figures of all plots.
std::vector<Figure> draw_all(const record::Record& record);

}  // namespace attnscope::reports
