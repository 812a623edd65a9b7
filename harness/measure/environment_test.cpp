// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/environment.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <regex>
#include <string>

namespace attnscope {
namespace {

nlohmann::json sample() {
  const std::array<std::string, 3> argv{"attnscope", "run", "a \"quoted\" name.json"};
  return environment(argv);
}

TEST(Environment, HasEveryKeyThatGoogleBenchmarkReadersExpect) {
  const nlohmann::json context = sample();
  for (const char* key : {"date", "host_name", "executable", "num_cpus", "mhz_per_cpu", "cpu_scaling_enabled", "caches",
                          "load_avg", "library_build_type"})
    EXPECT_TRUE(context.contains(key)) << key;
  EXPECT_TRUE(context["caches"].is_array());
  EXPECT_GE(context["num_cpus"].get<int>(), 1);
  EXPECT_TRUE(std::regex_match(context["date"].get<std::string>(),
                               std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d)")))
      << context["date"];
}

TEST(Environment, TellsTheBuild) {
  const nlohmann::json build = sample()["build"];
  EXPECT_TRUE(std::regex_match(build["git_sha"].get<std::string>(), std::regex("([0-9a-f]{40})?"))) << build["git_sha"];
  EXPECT_FALSE(build["compiler"].get<std::string>().empty());
  EXPECT_EQ(build.contains("cuda"), ATTNSCOPE_CUDA == 1);
}

TEST(Environment, KeepsTheCommandLineAsItWas) {
  const nlohmann::json context = sample();
  EXPECT_EQ(context["executable"], "attnscope");
  EXPECT_EQ(context["argv"], (std::vector<std::string>{"attnscope", "run", "a \"quoted\" name.json"}));
}

TEST(Environment, LoadsNoCupti) {
  sample();
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) EXPECT_EQ(line.find("libcupti"), std::string::npos) << line;
}

}  // namespace
}  // namespace attnscope
