// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "reports/formats/escape.hpp"
#include "reports/formats/formats.hpp"
#include "reports/formats/table.hpp"

namespace attnscope::reports {
namespace {

std::string markdown_table(const Table& table) {
  std::string text = "|";
  for (const Column& column : table.columns) text += fmt::format(" {} |", escape_markdown(column.title));
  text += "\n|";
  for (const Column& column : table.columns) text += column.numeric ? "---:|" : "---|";
  for (const auto& row : table.rows) {
    text += "\n|";
    for (const std::string& cell : row) text += fmt::format(" {} |", escape_markdown(cell));
  }
  return text + "\n";
}

}  // namespace

std::string markdown(const record::Record& record, std::span<const Figure> figures, const std::string& title) {
  std::string text = fmt::format("# {}\n\n{}\n", title, markdown_table(summary_table(record)));
  if (const auto lines = failures(record); !lines.empty()) {
    text += "## Not measured\n\n";
    for (const std::string& line : lines) text += "- " + escape_markdown(line) + "\n";
    text += "\n";
  }
  if (!figures.empty()) text += "## Figures\n\n";
  for (const Figure& figure : figures)
    text += fmt::format("### {}\n\n{}\n\n![{}](figures/{}.svg)\n\n{}\n\n", figure.title, figure.subtitle, figure.title,
                        figure.name, figure.caption);
  return text + "## Environment\n\n" + markdown_table(environment_table(record));
}

}  // namespace attnscope::reports
