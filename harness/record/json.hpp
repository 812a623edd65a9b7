// SPDX-License-Identifier: Apache-2.0
// The record as JSON: a superset of Google Benchmark's schema, and back.
#pragma once

#include <nlohmann/json.hpp>

#include "harness/record/result.hpp"

namespace attnscope::record {

/// Every member is written; an absent or non-finite number is null.
nlohmann::json to_json(const Point& point);

/// The inverse, for JSON that fits the schema. Throws Error where it does not.
Point point_from_json(const nlohmann::json& json);

/// {context, benchmarks, attnscope: {schema_version, points}}. `context` gains `caches` and `load_avg` (empty) where
/// the environment has none: readers of Google Benchmark's format refuse a file without them.
nlohmann::json to_json(const Record& record);

/// The inverse; `benchmarks` is derived from the points and not read.
Record record_from_json(const nlohmann::json& json);

/// `json` on one line, or indented by `indent`. Bytes that are not UTF-8 (a file name, a driver's message) become
/// U+FFFD.
std::string text_of(const nlohmann::json& json, int indent = -1);

/// One row of Google Benchmark's `benchmarks` for a point that has a time.
nlohmann::json benchmark_row(const Point& point);

}  // namespace attnscope::record
