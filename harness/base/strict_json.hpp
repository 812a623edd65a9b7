// SPDX-License-Identifier: Apache-2.0
// JSON as people write it and as attackers do: one way to parse it, one way to show it in a message.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace attnscope {

enum class Comments { refused, allowed };

/// Parses `text`. Throws InputError naming `where` for a syntax error, a number beyond the range of double, a key that
/// occurs twice in one object, and nesting deeper than 64 levels, which would exhaust the stack of whoever copies it.
nlohmann::json parse_json(std::string_view text, const std::string& where, Comments comments = Comments::refused);
/// The same, for readers to whom the order of keys means something.
nlohmann::ordered_json parse_ordered_json(std::string_view text, const std::string& where,
                                          Comments comments = Comments::refused);

/// `value` as JSON on one line, cut after 60 bytes: safe to print whatever the file held.
std::string quote(const nlohmann::json& value);

}  // namespace attnscope
