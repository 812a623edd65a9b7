// SPDX-License-Identifier: Apache-2.0
#include "harness/record/schema.hpp"

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

}  // namespace

std::optional<std::string> schema_violation(const nlohmann::json& document) {
  static const auto schema = compile(nlohmann::json::parse(result_schema()));
  return violation(*schema, document);
}

std::optional<std::string> point_schema_violation(const nlohmann::json& point) {
  static const auto schema = [] {
    nlohmann::json whole = nlohmann::json::parse(result_schema());
    return compile({{"$ref", "#/definitions/point"}, {"definitions", whole.at("definitions")}});
  }();
  return violation(*schema, point);
}

}  // namespace attnscope::record
