// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "reports/formats/escape.hpp"
#include "reports/formats/formats.hpp"
#include "reports/formats/table.hpp"

namespace attnscope::reports {
namespace {

template <typename Cells, typename Text>
std::string row_of(const Cells& cells, const Text& text) {
  std::string line;
  for (const auto& cell : cells) line += (line.empty() ? "" : " & ") + escape_latex(text(cell));
  return line + " \\\\\n";
}

std::string context_value(const record::Record& record, const std::string& pointer) {
  const nlohmann::json::json_pointer where(pointer);
  if (!record.context.contains(where)) return "unknown";
  const nlohmann::json& value = record.context[where];
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

std::string latex_table(const record::Record& record) {
  const Table table = summary_table(record);
  std::string alignment;
  for (const Column& column : table.columns) alignment += column.numeric ? 'r' : 'l';
  std::string text = "% Needs \\usepackage{booktabs} and \\usepackage{textcomp}.\n\\begin{table}\n\\centering\n";
  text += fmt::format("\\begin{{tabular}}{{{}}}\n\\toprule\n", alignment);
  text += row_of(table.columns, [](const Column& column) { return column.title; }) + "\\midrule\n";
  for (const auto& row : table.rows) text += row_of(row, [](const std::string& cell) { return cell; });
  text += "\\bottomrule\n\\end{tabular}\n";
  text += fmt::format(
      "\\caption{{Median time of a whole call; error: relative $\\ell_2$ against exact attention; speed-up over the "
      "fastest "
      "dense backend on the same inputs. {}, {}, {}.}}\n\\end{{table}}\n",
      escape_latex(context_value(record, "/machine/cpu_model")),
      escape_latex(context_value(record, "/gpus/0/name") == "unknown" ? "no GPU"
                                                                      : context_value(record, "/gpus/0/name")),
      escape_latex(context_value(record, "/date")));
  return text;
}

}  // namespace attnscope::reports
