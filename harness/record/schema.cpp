// SPDX-License-Identifier: Apache-2.0
#include "harness/record/schema.hpp"

#include <fmt/format.h>

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace attnscope::record {
namespace {

using Adapter = valijson::adapters::NlohmannJsonAdapter;

std::unique_ptr<const valijson::Schema> compile(const nlohmann::json& schema) {
  auto compiled = std::make_unique<valijson::Schema>();
  valijson::SchemaParser().populateSchema(Adapter(schema), *compiled);
  return compiled;
}

std::optional<std::string> violation(const valijson::Schema& schema, const nlohmann::json& document) {
  valijson::ValidationResults results;
  if (valijson::Validator().validate(schema, Adapter(document), &results)) return std::nullopt;
  // The error of the innermost value says what is wrong; those around it only that something inside is.
  valijson::ValidationResults::Error error;
  valijson::ValidationResults::Error innermost;
  while (results.popError(error))
    if (error.context.size() > innermost.context.size()) innermost = error;
  std::string where;
  for (std::size_t i = 1; i < innermost.context.size(); ++i) {  // element 0 is "<root>", the others "[name]"
    const std::string& step = innermost.context[i];
    where += "/" + step.substr(1, step.size() - 2);
  }
  return where + ": " + innermost.description;
}

/// What JSON Schema cannot say: every sample was taken by one of the processes, and what ran beside them is told of all
/// or of none.
std::optional<std::string> samples_violation(const nlohmann::json& point) {
  const nlohmann::json& time = point["time"];
  if (!time.contains("process_samples") || time["process_samples"].empty()) return std::nullopt;
  std::size_t left = time["samples_ns"].size();
  for (const nlohmann::json& count : time["process_samples"]) {
    const auto taken = count.get<std::size_t>();
    if (taken > left) return "/time/process_samples: expected the size of samples_ns as its sum, found more";
    left -= taken;
  }
  if (const std::size_t told = time.value("process_others", nlohmann::json::array()).size();
      told != 0 && told != time["process_samples"].size())
    return "/time/process_others: expected one number per process or none, found " + std::to_string(told);
  if (left == 0) return std::nullopt;
  return fmt::format("/time/process_samples: expected the size of samples_ns as its sum, found {} less", left);
}

}  // namespace

std::optional<std::string> schema_violation(const nlohmann::json& document) {
  static const auto schema = compile(nlohmann::json::parse(result_schema()));
  if (auto found = violation(*schema, document)) return found;
  const nlohmann::json& points = document["attnscope"]["points"];
  for (std::size_t i = 0; i < points.size(); ++i)
    if (const auto found = samples_violation(points[i])) return fmt::format("/attnscope/points/{}{}", i, *found);
  return std::nullopt;
}

std::optional<std::string> point_schema_violation(const nlohmann::json& point) {
  static const auto schema = [] {
    nlohmann::json whole = nlohmann::json::parse(result_schema());
    return compile({{"$ref", "#/definitions/point"}, {"definitions", whole.at("definitions")}});
  }();
  if (auto found = violation(*schema, point)) return found;
  return samples_violation(point);
}

}  // namespace attnscope::record
