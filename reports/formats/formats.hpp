// SPDX-License-Identifier: Apache-2.0
// The formats a report is written in; each is one file of this folder.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "harness/record/result.hpp"
#include "reports/figure/figure.hpp"

namespace attnscope::reports {

/// Facts and derived quantities of every point, one line each, full precision; empty fields where there is no number.
std::string csv(const record::Record& record);

/// The summary as a booktabs table inside a `table` environment. Needs \usepackage{booktabs}.
std::string latex_table(const record::Record& record);

/// Environment, summary, failures, figures as links to `figures/NAME.svg`.
std::string markdown(const record::Record& record, std::span<const Figure> figures, const std::string& title);

/// A figure as an <svg> element.
using Picture = std::function<std::string(const Figure&)>;

/// The same as one self-contained page, figures inline.
std::string html(const record::Record& record, std::span<const Figure> figures, const std::string& title,
                 const Picture& picture);

/// A complete tikzpicture. Needs \usepackage{pgfplots}.
std::string pgfplots(const Figure& figure);

/// Drawn without any library; the Picture where there is no dashboard.
std::string svg(const Figure& figure);

/// The numbers behind a figure, a line per point: series, label, x, y, ends of the interval. A patch has its low end as
/// x, no y, and its other three ends.
std::string figure_csv(const Figure& figure);

/// Chrome's trace-event JSON, as Perfetto and chrome://tracing open it: one process per point with stages, one track
/// per stream, kernels nested in their stages, counters as counter tracks.
std::string chrome_trace(const record::Record& record);

}  // namespace attnscope::reports
