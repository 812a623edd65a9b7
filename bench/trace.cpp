// SPDX-License-Identifier: Apache-2.0
#include "bench/trace.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "harness/base/text_file.hpp"
#include "harness/record/file.hpp"
#include "reports/formats/formats.hpp"

namespace attnscope {

void add_trace(CLI::App& app, int& exit_code) {
  struct Options {
    std::string input;
    std::string output;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("trace", "Write a record's timeline for Perfetto or chrome://tracing");
  command->add_option("record", options->input, "Record that `attnscope run` wrote")->required();
  command->add_option("-o,--output", options->output, "File to write")->required();
  command->callback([options, &exit_code] {
    write_text(options->output, reports::chrome_trace(record::read_record(options->input)));
    fmt::print("{}\n", options->output);
    exit_code = 0;
  });
}

}  // namespace attnscope
