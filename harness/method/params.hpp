// SPDX-License-Identifier: Apache-2.0
// A method's parameters: declared once by its room, resolved against a config, read by name.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attnscope {

enum class ParameterType { integer, real, choice };

std::string_view to_string(ParameterType type);

/// One declared parameter. Shared names mean the same in every room: `budget`, `page`, `block`, `sink`, `window`, `p`.
struct Parameter {
  std::string name;
  ParameterType type = ParameterType::integer;
  nlohmann::json default_value;
  double min = 0;  // range of integers and reals, inclusive
  double max = 0;
  std::vector<std::string> choices = {};
  std::string help;  // one sentence
};

/// Resolved parameters: every declared name has a value in range.
class Params {
 public:
  Params() = default;

  std::int64_t integer(std::string_view name) const;
  double real(std::string_view name) const;
  const std::string& choice(std::string_view name) const;

  const nlohmann::json& json() const { return values_; }

  /// Takes `given` (an object) over the defaults. Throws InputError naming `where`, the key and what was expected: an
  /// unknown name (with the nearest declared one), a wrong type, a value out of range.
  static Params resolve(std::span<const Parameter> declared, const nlohmann::json& given, std::string_view where);

 private:
  nlohmann::json values_ = nlohmann::json::object();
};

}  // namespace attnscope
