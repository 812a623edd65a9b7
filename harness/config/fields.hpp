// SPDX-License-Identifier: Apache-2.0
// The keys of a sweep: what each means, what it accepts, and where in a PointSpec it goes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/config/axes.hpp"
#include "harness/config/config.hpp"

namespace attnscope::config {

/// Stands among `names_under` where any name is allowed: the parameters of methods and workloads.
inline constexpr std::string_view kAnyName = "*";

/// The names that the object at dotted key `key` may have ("" is the sweep itself); empty where `key` is a scalar.
std::vector<std::string> names_under(std::string_view key);

/// Builds a point from the values of one choice; `pointer` is its sweep's. Unset keys keep their defaults, except
/// q_len, which is 1 for decode and kv_len for prefill. Throws InputError for a value of the wrong type or out of
/// range, a missing key, a shape without meaning.
PointSpec make_point(const Choice& choice, const std::string& pointer, const std::string& file);

}  // namespace attnscope::config
