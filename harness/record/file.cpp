// SPDX-License-Identifier: Apache-2.0
#include "harness/record/file.hpp"

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/base/strict_json.hpp"
#include "harness/base/text_file.hpp"
#include "harness/record/json.hpp"
#include "harness/record/schema.hpp"

namespace attnscope::record {
namespace {

using nlohmann::json;

void check_version(const json& document, const std::string& name) {
  if (!document.is_object() || !document.contains("attnscope") || !document["attnscope"].is_object())
    throw InputError(fmt::format("{}: expected an attnscope record, found JSON without the key 'attnscope'", name));
  const json& ours = document["attnscope"];
  if (!ours.contains("schema_version") || !ours["schema_version"].is_number_integer())
    throw InputError(fmt::format("{}: attnscope.schema_version: expected an integer", name));
  if (const auto version = ours["schema_version"].get<std::int64_t>(); version > kSchemaVersion)
    throw InputError(
        fmt::format("{}: attnscope.schema_version: expected at most {}, found {}: made by a newer attnscope", name,
                    kSchemaVersion, version));
}

void append_lines(std::string& text, const json& rows) {
  const char* separator = "\n";
  for (const json& row : rows) {
    text += separator + text_of(row);
    separator = ",\n";
  }
}

}  // namespace

Record parse_record(std::string_view text, const std::string& name) {
  const json document = parse_json(text, name);
  check_version(document, name);
  if (const auto violation = schema_violation(document)) throw InputError(fmt::format("{}: {}", name, *violation));
  return record_from_json(document);
}

Record read_record(const std::string& path) { return parse_record(read_text(path), path); }

std::string record_text(const Record& record) {
  const json document = to_json(record);
  std::string text = "{\n\"context\": " + text_of(document["context"], 1) + ",\n\"benchmarks\": [";
  append_lines(text, document["benchmarks"]);
  text += fmt::format("\n],\n\"attnscope\": {{\"schema_version\": {}, \"points\": [", kSchemaVersion);
  append_lines(text, document["attnscope"]["points"]);
  return text + "\n]}\n}\n";
}

void write_record(const std::string& path, const Record& record) {
  const std::string text = record_text(record);
  if (const auto violation = schema_violation(json::parse(text)))
    throw Error(fmt::format("{}: not written, the record does not fit its schema: {}", path, *violation));
  write_text(path, text);
}

}  // namespace attnscope::record
