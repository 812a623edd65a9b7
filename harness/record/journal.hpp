// SPDX-License-Identifier: Apache-2.0
// The journal of a run: one line per finished point, so that an interrupted run loses at most the point in flight.
#pragma once

#include <string>
#include <vector>

#include "harness/record/result.hpp"

namespace attnscope::record {

/// Appends `point` as one JSON line and waits until it is on disk. A half-written last line, left by a run that was
/// killed, is dropped first. Throws InputError when the file cannot be written, Error when the point does not fit
/// the schema (a point with status `wrong` and a time).
void append_point(const std::string& path, const Point& point);

/// The points of a journal in order; none when there is no such file. A last line without its end is ignored; any other
/// damage throws InputError naming file and line.
std::vector<Point> read_journal(const std::string& path);

}  // namespace attnscope::record
