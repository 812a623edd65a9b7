// SPDX-License-Identifier: Apache-2.0
// Softmax of score rows, over parts that threads work on side by side; sums in double, the same for any number of
// threads.
#pragma once

#include <span>

namespace attnscope::select {

/// The largest score of the row; −infinity when there is none.
float row_max(std::span<const float> row);

/// Σ exp(score − max) for a finite `max`.
double total_mass(std::span<const float> row, float max);

/// weights[i] += factor · exp(scores[i] − max) for a finite `max`, in fp32; no score is larger.
void add_weights(std::span<const float> scores, float max, float factor, float* weights);

}  // namespace attnscope::select
