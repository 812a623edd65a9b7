// SPDX-License-Identifier: Apache-2.0
// A report: one folder with every format of one record.
#pragma once

#include <string>
#include <vector>

#include "harness/record/result.hpp"
#include "reports/formats/formats.hpp"

namespace attnscope::reports {

/// Writes report.md, report.html, points.csv, table.tex and figures/*.svg, *.tex into `folder`, which is made where
/// missing; `picture` draws the SVG. Returns the paths of the four, in that order. Throws InputError when the folder
/// cannot be written.
std::vector<std::string> write_report(const record::Record& record, const std::string& title, const std::string& folder,
                                      const Picture& picture = svg);

}  // namespace attnscope::reports
