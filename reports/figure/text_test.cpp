// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/text.hpp"

#include <gtest/gtest.h>

namespace attnscope::reports {
namespace {

TEST(Text, NumbersHaveThreeSignificantDigits) {
  EXPECT_EQ(number(0), "0.00");
  EXPECT_EQ(number(0.012345), "0.0123");
  EXPECT_EQ(number(1.5), "1.50");
  EXPECT_EQ(number(123.4), "123");
  EXPECT_EQ(number(-0.5), "-0.500");
  EXPECT_EQ(number(0.0000123), "1.2e-05");
}

TEST(Text, PrefixesChangeAtRoundedThousands) {
  EXPECT_EQ(si(0), "0");
  EXPECT_EQ(si(0.05), "0.05");
  EXPECT_EQ(si(999), "999");
  EXPECT_EQ(si(999.6), "1k");
  EXPECT_EQ(si(16777216), "16.8M");
  EXPECT_EQ(si(2e12), "2T");
}

TEST(Text, ContextLengthsCountIn1024) {
  EXPECT_EQ(binary(1), "1");
  EXPECT_EQ(binary(1000), "1000");
  EXPECT_EQ(binary(65536), "64k");
  EXPECT_EQ(binary(4194304), "4M");
}

TEST(Text, DurationsChooseTheirUnit) {
  EXPECT_EQ(duration(812), "812 ns");
  EXPECT_EQ(duration(4020), "4.02 µs");
  EXPECT_EQ(duration(1.5e6), "1.50 ms");
  EXPECT_EQ(duration(2.3e9), "2.30 s");
}

TEST(Text, SlugsAreFitForFileNames) {
  EXPECT_EQ(slug("Decode, llm (kind µ): N 64k"), "decode-llm-kind-n-64k");
  EXPECT_EQ(slug("--"), "");
}

TEST(Text, WidthCountsCharactersNotBytes) { EXPECT_EQ(width("4 µs ×"), 6u); }

}  // namespace
}  // namespace attnscope::reports
