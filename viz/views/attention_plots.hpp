// SPDX-License-Identifier: Apache-2.0
// The three plots of an attention map: queries run down, keys to the right.
#pragma once

#include <qcustomplot.h>

#include "viz/data/attention_dump.hpp"
#include "viz/views/theme.hpp"

namespace attnscope::viz {

/// The softmax weights of exact attention, logarithmic.
void paintWeights(QCustomPlot& plot, const AttentionMap& map, const Theme& theme);

/// Where the method looked.
void paintAttended(QCustomPlot& plot, const AttentionMap& map, const Theme& theme);

/// The weight on attended keys, per query.
void paintKept(QCustomPlot& plot, const AttentionMap& map, const Theme& theme);

}  // namespace attnscope::viz
