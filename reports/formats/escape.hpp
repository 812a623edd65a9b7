// SPDX-License-Identifier: Apache-2.0
// Text made safe for the format it goes into.
#pragma once

#include <string>
#include <string_view>

namespace attnscope::reports {

/// For XML and HTML, text and attribute values alike.
std::string escape_xml(std::string_view text);

/// For LaTeX text mode; µ, × and the dash become commands, so that any engine sets them.
std::string escape_latex(std::string_view text);

/// For a cell of a Markdown table.
std::string escape_markdown(std::string_view text);

/// One field of a CSV line, quoted where RFC 4180 asks for it.
std::string escape_csv(std::string_view text);

}  // namespace attnscope::reports
