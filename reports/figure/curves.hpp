// SPDX-License-Identifier: Apache-2.0
// From a record's flat list of points to facets (one figure each) and curves (one series each).
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/record/result.hpp"
#include "reports/figure/figure.hpp"
#include "reports/figure/wording.hpp"

namespace attnscope::reports {

/// Points that belong into one figure, as indexes into Record::points in their order there.
struct Facet {
  std::string title;
  std::vector<std::size_t> points;
};

/// Groups the points that are `ok` by phase, workload, shape, kind of device and contract, in order of first
/// appearance. Across::kv_len puts all context lengths (and the query lengths that go with them in prefill) together.
std::vector<Facet> facets(const Wording& wording, Across across);

/// What an axis shows of a point; nothing where the point does not have it.
using Quantity = std::function<std::optional<double>(const record::Point&)>;

struct Curve {
  std::string name;
  Style style;
  std::vector<std::size_t> points;
};

/// Splits a facet into curves by method and backend, and further by parameters where one curve would have two points
/// of the same `x` (never, when `x` is empty). Colours tell methods apart and are the same all over the record (`dense`
/// is black); markers tell the backends of one method apart, and dashes the reference.
std::vector<Curve> curves(const Wording& wording, const Facet& facet, const Quantity& x);

/// One curve per method, whatever the backend: the first backend measured stands for all. For quantities that follow
/// from what is attended, not from how.
std::vector<Curve> method_curves(const Wording& wording, const Facet& facet);

/// The points of `curve` that have both quantities, labelled with their variant.
Series series_of(const Wording& wording, const Curve& curve, const Quantity& x, const Quantity& y);

/// Context length, the x axis of every scaling plot.
inline std::optional<double> kv_len_of(const record::Point& point) { return static_cast<double>(point.shape.kv_len); }

/// The guide y(x) from the lowest to the highest x of the curves of `figure`; straight between them.
Series guide_across(const Figure& figure, const std::string& name, double (*y)(double x));

/// How many different values of x the curves of `figure` span.
std::size_t distinct_x(const Figure& figure);

}  // namespace attnscope::reports
