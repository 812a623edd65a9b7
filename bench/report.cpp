// SPDX-License-Identifier: Apache-2.0
#include "bench/report.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "bench/dashboard_pictures.hpp"
#include "harness/record/file.hpp"
#include "reports/formats/report.hpp"

namespace attnscope {
namespace {

struct Options {
  std::vector<std::string> inputs;
  std::string folder;
};

// One record goes into the folder itself, several into sub-folders named after their files.
void write_reports(const Options& options) {
  std::vector<record::Record> records;  // all are read before anything is written
  for (const std::string& path : options.inputs) records.push_back(record::read_record(path));

  std::set<std::string> used;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::string stem = std::filesystem::path(options.inputs[i]).stem();
    std::string folder = options.folder;
    if (records.size() > 1) {
      std::string name = stem;
      for (int copy = 2; !used.insert(name).second; ++copy) name = fmt::format("{}-{}", stem, copy);
      folder += "/" + name;
    }
    const DashboardPictures pictures(options.inputs[i]);
    const auto picture = [&](const reports::Figure& figure) { return pictures.of(figure); };
    for (const std::string& path : reports::write_report(records[i], stem, folder, picture)) fmt::print("{}\n", path);
  }
}

}  // namespace

void add_report(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("report", "Write Markdown, HTML, CSV, LaTeX and figures from records");
  command->add_option("records", options->inputs, "Records that `attnscope run` wrote")->required();
  command->add_option("-o,--output", options->folder, "Folder to write into; made where missing")->required();
  command->callback([options, &exit_code] {
    write_reports(*options);
    exit_code = 0;
  });
}

}  // namespace attnscope
