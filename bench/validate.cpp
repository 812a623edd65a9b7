// SPDX-License-Identifier: Apache-2.0
#include "bench/validate.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/text_file.hpp"
#include "harness/config/config.hpp"
#include "harness/record/file.hpp"
#include "harness/workload/file.hpp"

namespace attnscope {
namespace {

constexpr int kBadInput = 2;

// What `path` is, in words; throws InputError when it is not valid.
std::string describe(const std::string& path) {
  if (path.ends_with(".safetensors")) {
    const Shape shape = map_problem(path).shape;
    return fmt::format("valid input: {}/{} heads, head_dim {}, q_len {}, kv_len {}, {}{}", shape.q_heads,
                       shape.kv_heads, shape.head_dim, shape.q_len, shape.kv_len, to_string(shape.dtype),
                       shape.history > 0 ? fmt::format(", history {}", shape.history) : "");
  }
  const std::string text = read_text(path);
  // Configs may have comments; what is no JSON either way is left to the reader of records to complain about.
  const auto document = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false, /*ignore_comments=*/true);
  if (document.contains("sweeps"))
    return fmt::format("valid config, {} points", parse_config(text, path).points.size());
  return fmt::format("valid record, {} points", record::parse_record(text, path).points.size());
}

int validate(const std::vector<std::string>& paths) {
  int exit_code = 0;
  for (const std::string& path : paths) {
    try {
      fmt::print("{}: {}\n", path, describe(path));
    } catch (const InputError& error) {
      fmt::print(stderr, "{}\n", error.what());
      exit_code = kBadInput;
    }
  }
  return exit_code;
}

}  // namespace

void add_validate(CLI::App& app, int& exit_code) {
  auto paths = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand("validate", "Check records, configs and safetensors inputs");
  command->add_option("files", *paths, "Files to check")->required();
  command->callback([paths, &exit_code] { exit_code = validate(*paths); });
}

}  // namespace attnscope
