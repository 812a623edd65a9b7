// SPDX-License-Identifier: Apache-2.0
#include "reports/formats/escape.hpp"

#include <span>
#include <utility>

namespace attnscope::reports {
namespace {

using Replacement = std::pair<std::string_view, std::string_view>;

std::string replace(std::string_view text, std::span<const Replacement> table) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const Replacement* hit = nullptr;
    for (const Replacement& entry : table)
      if (text.substr(i).starts_with(entry.first)) hit = &entry;
    out += hit ? hit->second : text.substr(i, 1);
    i += hit ? hit->first.size() : 1;
  }
  return out;
}

}  // namespace

std::string escape_xml(std::string_view text) {
  static constexpr Replacement kTable[]{{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}};
  return replace(text, kTable);
}

std::string escape_latex(std::string_view text) {
  static constexpr Replacement kTable[]{{"\\", "\\textbackslash{}"},
                                        {"&", "\\&"},
                                        {"%", "\\%"},
                                        {"$", "\\$"},
                                        {"#", "\\#"},
                                        {"_", "\\_"},
                                        {"{", "\\{"},
                                        {"}", "\\}"},
                                        {"~", "\\textasciitilde{}"},
                                        {"^", "\\textasciicircum{}"},
                                        {"<", "\\textless{}"},
                                        {">", "\\textgreater{}"},
                                        {"µ", "\\textmu{}"},
                                        {"×", "\\texttimes{}"},
                                        {"–", "--"}};
  return replace(text, kTable);
}

std::string escape_markdown(std::string_view text) {
  static constexpr Replacement kTable[]{{"|", "\\|"}, {"\n", " "}, {"<", "&lt;"}};
  return replace(text, kTable);
}

std::string escape_csv(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  static constexpr Replacement kTable[]{{"\"", "\"\""}};
  return "\"" + replace(text, kTable) + "\"";
}

}  // namespace attnscope::reports
