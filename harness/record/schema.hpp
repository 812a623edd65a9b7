// SPDX-License-Identifier: Apache-2.0
// The normative form of a record: result.schema.json, compiled in.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace attnscope::record {

/// The text of result.schema.json.
std::string_view result_schema();

/// Where and how `document` departs from the schema of a record, in one line; nothing when it fits.
std::optional<std::string> schema_violation(const nlohmann::json& document);

/// The same for one element of attnscope.points, as a journal holds them.
std::optional<std::string> point_schema_violation(const nlohmann::json& point);

}  // namespace attnscope::record
