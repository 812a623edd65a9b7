// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "reports/formats/escape.hpp"
#include "reports/formats/formats.hpp"
#include "reports/formats/table.hpp"

namespace attnscope::reports {
namespace {

constexpr std::string_view kStyle =
    "body{font:15px/1.45 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}"
    "h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.2rem}"
    "table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}"
    "th,td{padding:.22rem .7rem;text-align:left;border-bottom:1px solid #e2e2e2}th{border-bottom:2px solid #888}"
    ".n{text-align:right}figure{margin:1.6rem 0}figcaption{font-size:.85rem;color:#555;max-width:48rem}"
    "svg{max-width:100%;height:auto}.scroll{overflow-x:auto}";

std::string html_table(const Table& table) {
  std::string text = "<div class=\"scroll\"><table>\n<tr>";
  const auto css = [&](std::size_t i) { return table.columns[i].numeric ? " class=\"n\"" : ""; };
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    text += fmt::format("<th{}>{}</th>", css(i), escape_xml(table.columns[i].title));
  for (const auto& row : table.rows) {
    text += "</tr>\n<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) text += fmt::format("<td{}>{}</td>", css(i), escape_xml(row[i]));
  }
  return text + "</tr>\n</table></div>\n";
}

}  // namespace

std::string html(const record::Record& record, std::span<const Figure> figures, const std::string& title,
                 const Picture& picture) {
  std::string text = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>{0}</title><style>{1}</style></head><body>\n<h1>{0}</h1>\n{2}",
      escape_xml(title), kStyle, html_table(summary_table(record)));
  if (const auto lines = failures(record); !lines.empty()) {
    text += "<h2>Not measured</h2>\n<ul>\n";
    for (const std::string& line : lines) text += "<li>" + escape_xml(line) + "</li>\n";
    text += "</ul>\n";
  }
  if (!figures.empty()) text += "<h2>Figures</h2>\n";
  for (const Figure& figure : figures)
    text += fmt::format("<figure>\n{}<figcaption>{}</figcaption>\n</figure>\n", picture(figure),
                        escape_xml(figure.caption));
  return text + "<h2>Environment</h2>\n" + html_table(environment_table(record)) + "</body></html>\n";
}

}  // namespace attnscope::reports
