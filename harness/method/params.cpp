// SPDX-License-Identifier: Apache-2.0
#include "harness/method/params.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/base/error.hpp"
#include "harness/base/nearest.hpp"

namespace attnscope {
namespace {

using nlohmann::json;

const Parameter& find(std::span<const Parameter> declared, const std::string& name, std::string_view where) {
  std::vector<std::string> names;
  for (const Parameter& parameter : declared) {
    if (parameter.name == name) return parameter;
    names.push_back(parameter.name);
  }
  if (names.empty()) throw InputError(fmt::format("{}: unknown parameter '{}'; it takes none", where, name));
  throw InputError(fmt::format("{}: unknown parameter '{}'; did you mean '{}'? (known: {})", where, name,
                               nearest_name(name, names), fmt::join(names, ", ")));
}

void check(const Parameter& parameter, const json& value, std::string_view where) {
  const auto fail = [&](const std::string& expected) {
    throw InputError(
        fmt::format("{}: parameter '{}': expected {}, found {}", where, parameter.name, expected, value.dump()));
  };
  if (parameter.type == ParameterType::choice) {
    if (!value.is_string() || std::ranges::find(parameter.choices, value.get<std::string>()) == parameter.choices.end())
      fail(fmt::format("one of {}", fmt::join(parameter.choices, ", ")));
    return;
  }
  const bool integer = parameter.type == ParameterType::integer;
  if (integer ? !value.is_number_integer() : !value.is_number()) fail(integer ? "an integer" : "a number");
  const double number = value.get<double>();
  if (!(number >= parameter.min && number <= parameter.max))
    fail(fmt::format("a value in [{}, {}]", parameter.min, parameter.max));
}

}  // namespace

std::string_view to_string(ParameterType type) {
  constexpr std::array<std::string_view, 3> kNames{"integer", "real", "choice"};
  return kNames[static_cast<std::size_t>(type)];
}

Params Params::resolve(std::span<const Parameter> declared, const nlohmann::json& given, std::string_view where) {
  if (!given.is_object())
    throw InputError(fmt::format("{}: params: expected an object, found {}", where, given.type_name()));
  Params params;
  for (const Parameter& parameter : declared) params.values_[parameter.name] = parameter.default_value;
  for (const auto& [name, value] : given.items()) {
    check(find(declared, name, where), value, where);
    params.values_[name] = value;
  }
  return params;
}

std::int64_t Params::integer(std::string_view name) const { return values_.at(std::string{name}).get<std::int64_t>(); }
double Params::real(std::string_view name) const { return values_.at(std::string{name}).get<double>(); }
const std::string& Params::choice(std::string_view name) const {
  return values_.at(std::string{name}).get_ref<const std::string&>();
}

}  // namespace attnscope
