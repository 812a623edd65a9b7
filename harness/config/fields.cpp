// SPDX-License-Identifier: Apache-2.0
#include "harness/config/fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "harness/base/nearest.hpp"
#include "harness/base/strict_json.hpp"
#include "harness/workload/workload.hpp"

namespace attnscope::config {
namespace {

using nlohmann::json;

/// A setter returns nothing when it has taken the value, else what it expected.
using Refusal = std::optional<std::string>;
using Setter = Refusal (*)(PointSpec& point, const json& value);

struct Field {
  std::string_view key;
  Setter set;
};

template <typename Enum, std::size_t N>
Refusal word(Enum& target, const json& value, const std::array<Enum, N>& accepted) {
  std::string names;
  for (const Enum candidate : accepted) {
    if (value == to_string(candidate)) {
      target = candidate;
      return std::nullopt;
    }
    names += names.empty() ? "" : ", ";
    names += to_string(candidate);
  }
  return "one of " + names;
}

template <typename Integer>
Refusal integer(Integer& target, const json& value, Integer least, Integer most = std::numeric_limits<Integer>::max()) {
  const bool natural = value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0);
  const bool fits = natural && value.get<std::uint64_t>() >= static_cast<std::uint64_t>(least) &&
                    value.get<std::uint64_t>() <= static_cast<std::uint64_t>(most);
  if (!fits) return fmt::format("an integer from {} to {}", least, most);
  target = value.get<Integer>();
  return std::nullopt;
}

Refusal positive(double& target, const json& value, double most) {
  if (!value.is_number() || !(value.get<double>() > 0) || value.get<double>() > most)
    return fmt::format("a number above 0 and at most {}", most);
  target = value.get<double>();
  return std::nullopt;
}

Refusal text(std::string& target, const json& value) {
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) return "a name";
  target = value.get<std::string>();
  return std::nullopt;
}

Refusal workload_name(PointSpec& point, const json& value) {
  std::vector<std::string> known{"file"};
  for (const Workload* workload : workloads()) known.push_back(workload->info().name);
  if (!value.is_string()) return fmt::format("one of {}", fmt::join(known, ", "));
  if (std::ranges::find(known, value.get<std::string>()) == known.end())
    return fmt::format("one of {} (did you mean '{}'?)", fmt::join(known, ", "),
                       nearest_name(value.get<std::string>(), known));
  return text(point.workload, value);
}

constexpr double kYear = 365 * 86400.0;  // [s]

Refusal backend(PointSpec& point, const json& value) {
  return word(point.backend, value,
              std::array{Backend::reference, Backend::cpu, Backend::cuda, Backend::cuda_sm90, Backend::cudnn});
}

constexpr std::array<Field, 26> kFields{{
    {"phase",
     [](PointSpec& p, const json& v) {
       return word(p.phase, v, std::array{Phase::prefill, Phase::decode});
     }},
    {"backend", backend},
    {"dtype",
     [](PointSpec& p, const json& v) {
       return word(p.shape.dtype, v, std::array{Dtype::f32, Dtype::f16, Dtype::bf16});
     }},
    {"contract",
     [](PointSpec& p, const json& v) {
       return word(p.contract, v, std::array{Contract::cold, Contract::warm, Contract::graph});
     }},
    {"seed", [](PointSpec& p, const json& v) { return integer<std::uint64_t>(p.seed, v, 0); }},
    {"accuracy_rows", [](PointSpec& p, const json& v) { return integer<std::int64_t>(p.accuracy_rows, v, 1); }},
    {"workload.name", workload_name},
    {"workload.params.*", nullptr},
    {"shape.batch", [](PointSpec& p, const json& v) { return integer<std::int64_t>(p.shape.batch, v, 1); }},
    {"shape.q_heads", [](PointSpec& p, const json& v) { return integer<std::int64_t>(p.shape.q_heads, v, 1); }},
    {"shape.kv_heads", [](PointSpec& p, const json& v) { return integer<std::int64_t>(p.shape.kv_heads, v, 1); }},
    {"shape.head_dim", [](PointSpec& p, const json& v) { return integer<std::int64_t>(p.shape.head_dim, v, 1); }},
    {"shape.q_len", [](PointSpec& p, const json& v) { return integer<std::int64_t>(p.shape.q_len, v, 1); }},
    {"shape.kv_len", [](PointSpec& p, const json& v) { return integer<std::int64_t>(p.shape.kv_len, v, 1); }},
    {"shape.cache_page", [](PointSpec& p, const json& v) { return integer<std::int64_t>(p.shape.cache_page, v, 0); }},
    {"shape.history", [](PointSpec& p, const json& v) { return integer<std::int64_t>(p.shape.history, v, 0); }},
    {"shape.causal",
     [](PointSpec& p, const json& v) -> Refusal {
       if (!v.is_boolean()) return "true or false";
       p.shape.causal = v.get<bool>();
       return std::nullopt;
     }},
    {"methods.name", [](PointSpec& p, const json& v) { return text(p.method, v); }},
    {"methods.backend", backend},
    {"methods.params.*", nullptr},
    {"sampling.processes", [](PointSpec& p, const json& v) { return integer<int>(p.sampling.processes, v, 1, 100); }},
    {"sampling.ci_width", [](PointSpec& p, const json& v) { return positive(p.sampling.ci_width, v, 1); }},
    {"sampling.min_samples", [](PointSpec& p, const json& v) { return integer<int>(p.sampling.min_samples, v, 1); }},
    {"sampling.max_samples", [](PointSpec& p, const json& v) { return integer<int>(p.sampling.max_samples, v, 1); }},
    {"sampling.max_seconds", [](PointSpec& p, const json& v) { return positive(p.sampling.max_seconds, v, kYear); }},
    {"sampling.timeout_seconds",
     [](PointSpec& p, const json& v) { return positive(p.sampling.timeout_seconds, v, kYear); }},
}};

// A parameter of a method or a workload: any scalar, checked by its owner.
Refusal parameter(json& params, const std::string& name, const json& value) {
  if (!value.is_boolean() && !value.is_number() && !value.is_string()) return "a value";
  params[name] = value;
  return std::nullopt;
}

Refusal set(PointSpec& point, const Value& value) {
  for (json PointSpec::*params : {&PointSpec::params, &PointSpec::workload_params}) {
    const std::string_view prefix = params == &PointSpec::params ? "methods.params." : "workload.params.";
    if (value.key.starts_with(prefix)) return parameter(point.*params, value.key.substr(prefix.size()), value.value);
  }
  const auto* const field = std::ranges::find(kFields, value.key, &Field::key);
  if (field == kFields.end()) return fmt::format("an object of {}", fmt::join(names_under(value.key), ", "));
  return field->set(point, value.value);
}

bool has(const Choice& choice, std::string_view key) {
  return std::ranges::any_of(choice, [&](const auto& value) { return value->key == key; });
}

void require(const Choice& choice, std::string key, const std::string& pointer, const std::string& file) {
  if (has(choice, key)) return;
  std::ranges::replace(key, '.', '/');
  fail(file, pointer + "/" + key, "expected a value, found none");
}

void finish_shape(PointSpec& point, const Choice& choice, const std::string& pointer, const std::string& file) {
  for (const char* key : {"phase", "shape.q_heads", "shape.kv_heads", "shape.head_dim", "shape.kv_len"})
    require(choice, key, pointer, file);
  if (!has(choice, "shape.q_len")) point.shape.q_len = point.phase == Phase::decode ? 1 : point.shape.kv_len;
  validate(point.shape, fmt::format("{}: {}/shape", file, pointer));
}

// What the tensors will say must not tell two points apart.
void leave_to_file(PointSpec& point) {
  const PointSpec unset;
  point.shape = {.causal = point.shape.causal, .cache_page = point.shape.cache_page};
  point.phase = unset.phase;
  point.seed = unset.seed;
}

}  // namespace

std::vector<std::string> names_under(std::string_view key) {
  std::vector<std::string> names;
  for (const Field& field : kFields) {
    std::string_view rest = field.key;
    if (!key.empty()) {
      if (!rest.starts_with(key) || rest.size() == key.size() || rest[key.size()] != '.') continue;
      rest.remove_prefix(key.size() + 1);
    }
    const std::string name{rest.substr(0, rest.find('.'))};
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

PointSpec make_point(const Choice& choice, const std::string& pointer, const std::string& file) {
  PointSpec point;
  // A method's own backend goes before its sweep's, wherever the two stand in the file.
  Choice ordered = choice;
  std::stable_partition(ordered.begin(), ordered.end(),
                        [](const auto& value) { return value->key != "methods.backend"; });
  for (const auto& value : ordered) {
    if (const Refusal expected = set(point, *value))
      fail(file, value->pointer, fmt::format("expected {}, found {}", *expected, quote(value->value)));
    if (value->key == "methods.name")
      point.where = fmt::format("{}: {}", file, value->pointer.substr(0, value->pointer.rfind("/name")));
  }
  require(choice, "workload.name", pointer, file);
  require(choice, "methods.name", pointer, file);
  if (point.workload == "file") {
    require(choice, "workload.params.path", pointer, file);
    leave_to_file(point);
  } else {
    finish_shape(point, choice, pointer, file);
  }
  if (point.sampling.min_samples > point.sampling.max_samples)
    fail(file, pointer + "/sampling",
         fmt::format("expected min_samples <= max_samples, found {} and {}", point.sampling.min_samples,
                     point.sampling.max_samples));
  return point;
}

}  // namespace attnscope::config
