// SPDX-License-Identifier: Apache-2.0
// Axes of a config: from a tree in which any scalar may be a list, a range or a pair of axes to the list of concrete
// choices, each a flat set of values that remember where in the file they stand.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace attnscope::config {

/// More points than this are a mistake in a range, not a plan.
inline constexpr std::size_t kMaxPoints = 100'000;

/// One scalar: its dotted key ("shape.kv_len", "methods.params.budget"), its value and the JSON pointer of its origin.
struct Value {
  std::string key;
  nlohmann::json value;
  std::string pointer;
};
using Choice = std::vector<std::shared_ptr<const Value>>;  // values are shared: axes multiply, values do not
using Choices = std::vector<Choice>;

/// A part of the file: `node` at `pointer`.
struct Place {
  const nlohmann::ordered_json* node = nullptr;
  std::string pointer;
};

/// The place of the member `name` of the object at `parent`.
Place member(const Place& parent, const std::string& name);

/// All choices of the sweep at `sweep`, over the members that `defaults` has and it lacks (`defaults.node` may be
/// null). Members of shape and sampling are merged one by one, everything else is replaced. Later members vary fastest,
/// those of the defaults slowest. Throws InputError naming `file`, pointer, what was expected and found: an unknown
/// name (with the nearest known one), an empty or malformed axis, a zip of unequal lengths, more than kMaxPoints
/// choices.
Choices expand(const Place& sweep, const Place& defaults, const std::string& file);

/// What to say of a key that is not among `known`.
std::string unknown_key(const std::string& name, const std::vector<std::string>& known);

/// "FILE: POINTER: what", as every message of the config reader is written.
[[noreturn]] void fail(const std::string& file, const std::string& pointer, std::string_view what);

}  // namespace attnscope::config
