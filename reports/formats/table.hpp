// SPDX-License-Identifier: Apache-2.0
// The summary of a record as a table of text, the same in the terminal, Markdown, LaTeX and HTML.
#pragma once

#include <string>
#include <vector>

#include "harness/record/result.hpp"

namespace attnscope::reports {

struct Column {
  std::string title;
  bool numeric = false;  // set flush right
};

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;
};

/// One row per point: method (with the parameters that vary), backend, phase, context, density, error, useful FLOPs,
/// time, speed-up over dense. A point that is not ok shows its status in place of the time.
Table summary_table(const record::Record& record);

/// "METHOD BACKEND PHASE CONTEXT: STATUS: REASON" for every point that is not ok, in order.
std::vector<std::string> failures(const record::Record& record);

/// What a run prints at its end: the summary in aligned columns, then the failures, each on a line.
std::string summary_text(const record::Record& record);

/// `table` in aligned columns, two spaces apart.
std::string aligned(const Table& table);

/// Where the record was made, as (name, value) rows: date, host, processor, GPUs, build, ceilings.
Table environment_table(const record::Record& record);

}  // namespace attnscope::reports
