// SPDX-License-Identifier: Apache-2.0
// When the kernels of one call ran.
#pragma once

#include "reports/figure/figure.hpp"
#include "reports/figure/wording.hpp"

namespace attnscope::reports {

/// Kernels per stream, with the stage each belongs to above it (tier T1 and up). Without kernels: the stages one after
/// the other, as long as their medians. Without series when the point has neither. `point` is an index into
/// Record::points.
Figure timeline_figure(const Wording& wording, std::size_t point);

/// "split_kernel" of "void attnscope::(anonymous namespace)::split_kernel<float, 128>(Args)".
std::string short_kernel_name(std::string name);

}  // namespace attnscope::reports
