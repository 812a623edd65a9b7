// SPDX-License-Identifier: Apache-2.0
#include "reports/formats/table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/record/derive.hpp"
#include "reports/figure/text.hpp"
#include "reports/figure/wording.hpp"

namespace attnscope::reports {
namespace {

using nlohmann::json;
using record::Point;
using record::Record;

std::string method_text(const Wording& wording, const Point& point) {
  const std::string parameters = wording.variant(point);
  return parameters.empty() ? point.method : point.method + " " + parameters;
}

std::string text_of(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

void add_row(Table& table, const json& context, const std::string& title, const std::string& pointer) {
  const json::json_pointer where(pointer);
  if (context.contains(where)) table.rows.push_back({title, text_of(context[where])});
}

void add_ceilings(Table& table, const json& context, const std::string& device) {
  const json::json_pointer where("/ceilings/" + device);
  if (!context.contains(where) || !context[where].is_object()) return;
  for (const auto& [name, ceiling] : context[where].items())
    if (ceiling.is_object() && ceiling.contains("median") && ceiling["median"].is_number())
      table.rows.push_back({device + " " + name, si(ceiling["median"].get<double>())});
}

}  // namespace

Table summary_table(const Record& record) {
  Table table{.columns = {{"method", false},
                          {"backend", false},
                          {"phase", false},
                          {"context", true},
                          {"density", true},
                          {"error", true},
                          {"useful FLOPs", true},
                          {"time", true},
                          {"speed-up", true}},
              .rows = {}};
  const Wording wording(record);
  for (const Point& point : record.points) {
    std::vector<std::string> row{method_text(wording, point), std::string(to_string(point.backend)),
                                 std::string(to_string(point.phase)), binary(static_cast<double>(point.shape.kv_len))};
    if (point.status == record::Status::ok) {
      row.push_back(or_dash(point.density, percent));
      row.push_back(or_dash(point.accuracy.rel_l2, number));
      row.push_back(si(point.flops.useful));
      row.push_back(point.time ? duration(point.time->median_ns) : "-");
      row.push_back(
          or_dash(record::derive(record, point).speedup_over_dense, [](double x) { return number(x) + "×"; }));
    } else {
      row.insert(row.end(), {"-", "-", "-", std::string(to_string(point.status)), "-"});
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::vector<std::string> failures(const Record& record) {
  const Wording wording(record);
  std::vector<std::string> lines;
  for (const Point& point : record.points)
    if (point.status != record::Status::ok)
      lines.push_back(fmt::format("{} {} {} {}: {}: {}", method_text(wording, point), to_string(point.backend),
                                  to_string(point.phase), binary(static_cast<double>(point.shape.kv_len)),
                                  to_string(point.status), point.reason));
  return lines;
}

std::string aligned(const Table& table) {
  std::vector<std::size_t> widths;
  for (const Column& column : table.columns) widths.push_back(width(column.title));
  for (const auto& row : table.rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));

  std::string text;
  const auto add = [&](const auto& cell) {
    std::string line;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const std::string padding(widths[i] - width(cell(i)), ' ');
      line += (i == 0 ? "" : "  ") + (table.columns[i].numeric ? padding + cell(i) : cell(i) + padding);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  };
  add([&](std::size_t i) { return table.columns[i].title; });
  for (const auto& row : table.rows) add([&](std::size_t i) { return row[i]; });
  return text;
}

std::string summary_text(const Record& record) {
  std::string text = aligned(summary_table(record));
  for (const std::string& line : failures(record)) text += line + "\n";
  return text;
}

Table environment_table(const Record& record) {
  Table table{.columns = {{"", false}, {"", false}}, .rows = {}};
  const json& context = record.context;
  add_row(table, context, "date", "/date");
  add_row(table, context, "host", "/host_name");
  add_row(table, context, "processor", "/machine/cpu_model");
  add_row(table, context, "logical CPUs", "/num_cpus");
  if (context.contains("gpus") && context["gpus"].is_array())
    for (const json& gpu : context["gpus"]) add_row(table, gpu, "GPU", "/name");
  add_row(table, context, "git", "/build/git_sha");
  add_row(table, context, "uncommitted changes", "/build/git_dirty");
  add_ceilings(table, context, "cpu");
  add_ceilings(table, context, "gpu");
  return table;
}

}  // namespace attnscope::reports
