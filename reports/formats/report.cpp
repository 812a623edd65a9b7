// SPDX-License-Identifier: Apache-2.0
#include "reports/formats/report.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "harness/base/error.hpp"
#include "harness/base/text_file.hpp"
#include "reports/figures/plots.hpp"

namespace attnscope::reports {

std::vector<std::string> write_report(const record::Record& record, const std::string& title, const std::string& folder,
                                      const Picture& picture) {
  const std::vector<Figure> figures = draw_all(record);
  std::error_code failure;
  std::filesystem::create_directories(folder + "/figures", failure);
  if (failure) throw InputError(fmt::format("{}: cannot be made: {}", folder, failure.message()));

  for (const Figure& figure : figures) {
    write_text(fmt::format("{}/figures/{}.svg", folder, figure.name), picture(figure));
    write_text(fmt::format("{}/figures/{}.tex", folder, figure.name), pgfplots(figure));
  }
  std::vector<std::string> paths;
  const auto write = [&](const char* name, const std::string& text) {
    paths.push_back(folder + "/" + name);
    write_text(paths.back(), text);
  };
  write("report.md", markdown(record, figures, title));
  write("report.html", html(record, figures, title, picture));
  write("points.csv", csv(record));
  write("table.tex", latex_table(record));
  return paths;
}

}  // namespace attnscope::reports
