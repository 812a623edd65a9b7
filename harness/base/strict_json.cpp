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

template <typename Json>
Json parse(std::string_view text, const std::string& where, Comments comments) {
  std::vector<std::set<std::string>> open_objects;  // the keys seen so far in each
  using Event = typename Json::parse_event_t;
  const typename Json::parser_callback_t check = [&](int depth, Event event, Json& parsed) {
    if (depth > kMaxDepth) throw InputError(fmt::format("{}: nested deeper than {} levels", where, kMaxDepth));
    if (event == Event::object_start) open_objects.emplace_back();
    if (event == Event::object_end) open_objects.pop_back();
    if (event == Event::key && !open_objects.back().insert(parsed.template get<std::string>()).second)
      throw InputError(fmt::format("{}: key {} occurs twice", where, quote(parsed)));
    return true;
  };
  try {
    return Json::parse(text, check, true, comments == Comments::allowed);
  } catch (const json::out_of_range&) {
    throw InputError(fmt::format("{}: a number beyond the range of double", where));
  } catch (const json::exception& failure) {
    throw InputError(fmt::format("{}: {}", where, reason_of(failure)));
  }
}

}  // namespace

json parse_json(std::string_view text, const std::string& where, Comments comments) {
  return parse<json>(text, where, comments);
}

nlohmann::ordered_json parse_ordered_json(std::string_view text, const std::string& where, Comments comments) {
  return parse<nlohmann::ordered_json>(text, where, comments);
}

std::string quote(const json& value) {
  constexpr std::size_t kMaxBytes = 60;
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > kMaxBytes) text = text.substr(0, kMaxBytes) + "...";
  return text;
}

}  // namespace attnscope
