// SPDX-License-Identifier: Apache-2.0
// Records on disk.
#pragma once

#include <string>
#include <string_view>

#include "harness/record/result.hpp"

namespace attnscope::record {

/// Reads a record. Throws InputError naming the file and what is wrong: not readable, not JSON, not a record of ours,
/// written by a newer version, or not what the schema demands (with the path of the offending value).
Record read_record(const std::string& path);

/// The same from text; `name` stands for the file in messages.
Record parse_record(std::string_view text, const std::string& name);

/// Writes beside `path` and renames, so that `path` never holds half a record. One line per point.
/// Throws InputError when the place cannot be written, Error when the record does not fit the schema.
void write_record(const std::string& path, const Record& record);

/// What write_record puts into the file.
std::string record_text(const Record& record);

}  // namespace attnscope::record
