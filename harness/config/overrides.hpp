// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace attnscope::config {

/// Applies one --set KEY=VALUE to `root`. KEY is a dotted path; a number indexes a list, a name that is not there is
/// added. VALUE is JSON when it parses as such, else a string. Throws InputError naming the option.
void apply_override(nlohmann::ordered_json& root, const std::string& assignment);

}  // namespace attnscope::config
