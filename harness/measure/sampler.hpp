// SPDX-License-Identifier: Apache-2.0
// How often to measure: until the median is known well enough, or a cap is reached. Every sample is kept.
#pragma once

#include <functional>

#include "harness/config/config.hpp"
#include "harness/record/result.hpp"

namespace attnscope {

/// Calls `measure_once`, which returns nanoseconds, at least once; stops after min_samples when the 95 % interval of
/// the median is narrower than ci_width times the median ("ci_width"), at max_samples ("max_samples"), or when
/// max_seconds of wall time have passed ("max_time").
record::Time sample(const Sampling& sampling, const std::function<double()>& measure_once);

}  // namespace attnscope
