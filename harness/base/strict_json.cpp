// SPDX-License-Identifier: Apache-2.0
#include "harness/base/strict_json.hpp"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "harness/base/error.hpp"

namespace attnscope {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxReason = 200;  // a syntax error quotes the token it met, which can be the whole file

// "[json.exception.parse_error.101] parse error at ..." without its tag.
std::string reason_of(const json::exception& failure) {
  const std::string_view what = failure.what();
  const std::size_t tag = what.find("] ");
  return std::string{what.substr(tag == std::string_view::npos ? 0 : tag + 2).substr(0, kMaxReason)};
}

}  // namespace

json parse_json(std::string_view text, const std::string& where, Comments comments) {
  std::vector<std::set<std::string>> open_objects;  // the keys seen so far in each
  const json::parser_callback_t check = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > kMaxDepth) throw InputError(fmt::format("{}: nested deeper than {} levels", where, kMaxDepth));
    if (event == json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == json::parse_event_t::object_end) open_objects.pop_back();
    if (event == json::parse_event_t::key && !open_objects.back().insert(parsed.get<std::string>()).second)
      throw InputError(fmt::format("{}: key {} occurs twice", where, quote(parsed)));
    return true;
  };
  try {
    return json::parse(text, check, true, comments == Comments::allowed);
  } catch (const json::exception& failure) {
    throw InputError(fmt::format("{}: {}", where, reason_of(failure)));
  }
}

std::string quote(const json& value) {
  constexpr std::size_t kMaxBytes = 60;
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > kMaxBytes) text = text.substr(0, kMaxBytes) + "...";
  return text;
}

}  // namespace attnscope
