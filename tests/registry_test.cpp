// SPDX-License-Identifier: Apache-2.0
// Every room is registered, and says what a reader needs to know.
#include "harness/method/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "harness/base/error.hpp"

namespace attnscope {
namespace {

/// The folders of kernels/methods, as the build found them.
std::vector<std::string> rooms() {
  std::istringstream list(ATTNSCOPE_ROOMS);
  std::vector<std::string> names;
  for (std::string name; list >> name;) names.push_back(name);
  std::ranges::sort(names);
  return names;
}

TEST(Registry, HoldsEveryRoomUnderTheNameOfItsFolder) {
  std::vector<std::string> names;
  for (const Method* method : methods()) names.push_back(method->info().name);
  EXPECT_EQ(names, rooms());
  EXPECT_FALSE(names.empty());
}

TEST(Registry, EveryRoomHasAReadmeAndACompleteCitation) {
  for (const Method* method : methods()) {
    const MethodInfo& info = method->info();
    SCOPED_TRACE(info.name);
    EXPECT_TRUE(
        std::filesystem::exists(std::string(ATTNSCOPE_SOURCE_DIR "/kernels/methods/") + info.name + "/README.md"));
    EXPECT_FALSE(info.title.empty());
    EXPECT_FALSE(info.phases.empty());
    EXPECT_THAT(info.backends, testing::Contains(Backend::cpu));
    EXPECT_FALSE(info.paper.title.empty());
    EXPECT_FALSE(info.paper.authors.empty());
    EXPECT_FALSE(info.paper.venue.empty());
    EXPECT_GE(info.paper.year, 2015);
    EXPECT_THAT(info.paper.url, testing::StartsWith("https://"));
  }
}

TEST(Registry, ParametersAreExplainedAndTheirDefaultsAreInRange) {
  for (const Method* method : methods()) {
    const MethodInfo& info = method->info();
    SCOPED_TRACE(info.name);
    for (const Parameter& parameter : info.parameters) EXPECT_FALSE(parameter.help.empty()) << parameter.name;
    nlohmann::json defaults = nlohmann::json::object();
    for (const Parameter& parameter : info.parameters) defaults[parameter.name] = parameter.default_value;
    EXPECT_NO_THROW(Params::resolve(info.parameters, defaults, info.name));
    if (!info.knob.empty()) {
      EXPECT_NE(std::ranges::find(info.parameters, info.knob, &Parameter::name), info.parameters.end());
    }
  }
}

TEST(Registry, AMistypedNameIsAnsweredWithTheNearest) {
  const std::string name = methods().front()->info().name;
  EXPECT_EQ(&find_method(name), methods().front());
  EXPECT_THROW(
      {
        try {
          find_method(name + "x");
        } catch (const InputError& error) {
          EXPECT_THAT(error.what(), testing::HasSubstr("'" + name + "'"));
          throw;
        }
      },
      InputError);
}

}  // namespace
}  // namespace attnscope
