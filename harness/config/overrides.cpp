// SPDX-License-Identifier: Apache-2.0
#include "harness/config/overrides.hpp"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "harness/base/error.hpp"
#include "harness/base/strict_json.hpp"

namespace attnscope::config {
namespace {

using nlohmann::ordered_json;

[[noreturn]] void fail(const std::string& assignment, const std::string& expected, const std::string& found) {
  throw InputError(fmt::format("--set {}: expected {}, found {}", quote(assignment), expected, found));
}

ordered_json& element(ordered_json& list, std::string_view name, const std::string& assignment) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  if (error != std::errc{} || end != name.data() + name.size() || index >= list.size())
    fail(assignment, fmt::format("an index below {}", list.size()), quote(name));
  return list[index];
}

ordered_json& member(ordered_json& object, std::string_view name, const std::string& assignment) {
  if (name.empty()) fail(assignment, "KEY=VALUE with names between the dots", "an empty name");
  if (!object.is_object() && !object.is_null())
    fail(assignment, fmt::format("an object to set {} in", quote(name)), quote(object));
  return object[std::string{name}];
}

}  // namespace

void apply_override(ordered_json& root, const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos) fail(assignment, "KEY=VALUE", "no '='");
  const std::string_view path = std::string_view{assignment}.substr(0, equals);
  const std::string text = assignment.substr(equals + 1);

  ordered_json* target = &root;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    const std::string_view name = path.substr(begin, end - begin);
    target = target->is_array() ? &element(*target, name, assignment) : &member(*target, name, assignment);
    begin = end + 1;
  }
  const bool valid = ordered_json::accept(text);
  *target = valid ? parse_ordered_json(text, fmt::format("--set {}", quote(assignment))) : ordered_json(text);
}

}  // namespace attnscope::config
