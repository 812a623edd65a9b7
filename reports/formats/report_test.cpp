// SPDX-License-Identifier: Apache-2.0
#include "reports/formats/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "harness/base/error.hpp"
#include "harness/base/text_file.hpp"
#include "harness/record/testing.hpp"

namespace attnscope::reports {
namespace {

namespace fs = std::filesystem;

TEST(Report, WritesEveryFormatAndEveryFigureItLinks) {
  const fs::path folder = fs::path(::testing::TempDir()) / "attnscope-report" / "new";
  fs::remove_all(folder.parent_path());
  const auto paths = write_report(record::testing::record(), "Example", folder);
  ASSERT_EQ(paths.size(), 4u);
  for (const std::string& path : paths) EXPECT_TRUE(fs::exists(path)) << path;
  const std::string text = read_text(folder / "report.md");
  std::size_t linked = 0;
  for (std::size_t at = text.find("](figures/"); at != std::string::npos;
       at = text.find("](figures/", at + 1), ++linked) {
    const std::string name = text.substr(at + 2, text.find(')', at) - at - 2);
    EXPECT_TRUE(fs::exists(folder / name)) << name;
    EXPECT_TRUE(fs::exists((folder / name).replace_extension(".tex"))) << name;
  }
  EXPECT_GT(linked, 3u);
}

TEST(Report, AFolderThatCannotBeMadeIsBadInput) {
  EXPECT_THROW(write_report(record::testing::record(), "Example", "/dev/null/report"), InputError);
}

}  // namespace
}  // namespace attnscope::reports
