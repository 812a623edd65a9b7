// SPDX-License-Identifier: Apache-2.0
// The text of every format against golden files. After a wanted change: ATTNSCOPE_UPDATE_GOLDEN=1 and look at the diff.
#include "reports/formats/formats.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "harness/base/text_file.hpp"
#include "harness/record/testing.hpp"
#include "reports/figures/plots.hpp"
#include "reports/formats/escape.hpp"
#include "reports/formats/table.hpp"

namespace attnscope::reports {
namespace {

using ::testing::HasSubstr;

void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = ATTNSCOPE_SOURCE_DIR "/tests/reports/golden/" + name;
  if (std::getenv("ATTNSCOPE_UPDATE_GOLDEN")) write_text(path, text);
  EXPECT_EQ(text, read_text(path)) << path;
}

Figure scaling() { return draw(plot("scaling_time"), record::testing::record()).at(0); }

TEST(Formats, Summary) { expect_golden("summary.txt", summary_text(record::testing::record())); }
TEST(Formats, Csv) { expect_golden("points.csv", csv(record::testing::record())); }
TEST(Formats, LatexTable) { expect_golden("table.tex", latex_table(record::testing::record())); }
TEST(Formats, Svg) { expect_golden("scaling_time.svg", svg(scaling())); }
TEST(Formats, Pgfplots) { expect_golden("scaling_time.tex", pgfplots(scaling())); }
TEST(Formats, Markdown) {
  expect_golden("report.md", markdown(record::testing::record(), std::vector{scaling()}, "Example"));
}

TEST(Html, IsOnePageThatAsksForNothingElse) {
  const std::string page = html(record::testing::record(), std::vector{scaling()}, "A <b> & c", svg);
  EXPECT_THAT(page, HasSubstr("<title>A &lt;b&gt; &amp; c</title>"));
  EXPECT_THAT(page, HasSubstr(svg(scaling())));
  EXPECT_THAT(page, HasSubstr("oom: scores: 4.0 GiB asked for"));
  for (const char* outside : {"src=", "href=", "url(", "<script", "@import"})
    EXPECT_EQ(page.find(outside), std::string::npos);
}

TEST(Csv, EveryLineHasTheFieldsOfTheHeader) {
  record::Record record = record::testing::record();
  record.points = {record.points.back()};  // the failed point: most fields are empty
  record.points[0].params = nlohmann::json::object();
  record.points[0].reason = "no commas here";
  const std::string text = csv(record);
  const auto header_end = text.begin() + static_cast<std::ptrdiff_t>(text.find('\n'));
  EXPECT_EQ(std::count(text.begin(), header_end, ','), std::count(header_end, text.end(), ','));
}

TEST(Escape, MakesTextSafe) {
  EXPECT_EQ(escape_xml("a<b> & \"c\""), "a&lt;b&gt; &amp; &quot;c&quot;");
  EXPECT_EQ(escape_latex("top_k 5 % {x} \\ µs"), "top\\_k 5 \\% \\{x\\} \\textbackslash{} \\textmu{}s");
  EXPECT_EQ(escape_markdown("a|b\nc"), "a\\|b c");
  EXPECT_EQ(escape_csv("plain"), "plain");
  EXPECT_EQ(escape_csv("a,\"b\""), "\"a,\"\"b\"\"\"");
}

TEST(Table, AlignsByCharacters) {
  EXPECT_EQ(aligned({.columns = {{"name", false}, {"time", true}}, .rows = {{"a", "4 µs"}, {"longer", "12 µs"}}}),
            "name     time\na        4 µs\nlonger  12 µs\n");
}

}  // namespace
}  // namespace attnscope::reports
