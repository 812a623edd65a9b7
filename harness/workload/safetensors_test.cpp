// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "harness/workload/file_test_support.hpp"
#include "harness/workload/safetensors_dtype.hpp"

namespace attnscope {
namespace {

using test::bytes_of;
using test::input_error;
using test::safetensors_file;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using Safetensors = test::FileTest;

TEST_F(Safetensors, ReturnsWhatWasWritten) {
  const std::array<float, 6> q{1, 2, 3, 4, 5, 6};
  const std::array<std::uint8_t, 3> mask{1, 0, 1};
  const std::array<TensorToWrite, 3> tensors{
      {{"q", "F32", {1, 2, 3}, q.data()}, {"mask", "U8", {3}, mask.data()}, {"nothing", "I64", {0, 4}, nullptr}}};
  write_safetensors(path("a.safetensors"), tensors, {{"model", "tiny \"one\""}});

  const auto file = SafetensorsFile::open(path("a.safetensors"));
  ASSERT_EQ(file.entries().size(), 3u);
  EXPECT_EQ(file.metadata().at("model"), "tiny \"one\"");
  const SafetensorsEntry* entry = file.find("q");
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->dtype, "F32");
  EXPECT_THAT(entry->dims, ElementsAre(1, 2, 3));
  EXPECT_EQ(std::memcmp(file.bytes(*entry).data(), q.data(), sizeof q), 0);
  EXPECT_EQ(entry->begin % 64, 0u) << "the data is to be aligned";
  EXPECT_EQ(std::memcmp(file.bytes(*file.find("mask")).data(), mask.data(), sizeof mask), 0);
  EXPECT_THAT(file.bytes(*file.find("nothing")), testing::IsEmpty());
  EXPECT_EQ(file.find("k"), nullptr);
}

TEST_F(Safetensors, DataIsAlignedForEveryLengthOfHeader) {
  const float value = 1;
  for (std::size_t length = 1; length <= 64; ++length) {
    const std::array<TensorToWrite, 1> tensors{{{std::string(length, 'x'), "F32", {}, &value}}};
    write_safetensors(path("a"), tensors);
    EXPECT_EQ(SafetensorsFile::open(path("a")).entries()[0].begin % 64, 0u) << length;
  }
}

TEST_F(Safetensors, UnwritablePathIsOneClearErrorAndLeavesNothing) {
  EXPECT_THAT(input_error([&] { write_safetensors(path("missing/a.safetensors"), {}); }),
              testing::AllOf(StartsWith(path("missing/a.safetensors")), HasSubstr("No such file or directory")));
  std::filesystem::create_directory(path("a.safetensors"));
  EXPECT_THAT(input_error([&] { write_safetensors(path("a.safetensors"), {}); }), HasSubstr("Is a directory"));
  EXPECT_EQ(files(), 1u) << "the temporary file is to be gone";
}

TEST_F(Safetensors, MalformedTensorsAreRefusedBeforeAnythingIsWritten) {
  const float value = 1;
  const auto refused = [&](std::vector<TensorToWrite> tensors) {
    EXPECT_THROW(write_safetensors(path("a"), tensors), Error);
  };
  refused({{"q", "F33", {1}, &value}});
  refused({{"q", "F32", {-1}, &value}});
  refused({{"q", "F32", {1}, nullptr}});
  refused({{"q", "F32", {std::int64_t{1} << 40, std::int64_t{1} << 40}, &value}});
  refused({{"q", "F32", {1}, &value}, {"q", "F32", {1}, &value}});
  refused({{"__metadata__", "F32", {1}, &value}});
  EXPECT_EQ(files(), 0u);
}

TEST_F(Safetensors, MissingAndUnreadableFilesAreNamed) {
  EXPECT_THAT(input_error([&] { SafetensorsFile::open(path("none")); }),
              testing::AllOf(StartsWith(path("none")), HasSubstr("No such file or directory")));
  EXPECT_THAT(input_error([&] { SafetensorsFile::open(path("")); }), HasSubstr("expected a regular file"));
  EXPECT_THAT(input_error([&] { SafetensorsFile::open(write("empty", "")); }), HasSubstr("found 0 bytes"));
}

TEST_F(Safetensors, EveryTruncationIsRefused) {
  const std::array<float, 6> q{1, 2, 3, 4, 5, 6};
  const std::array<TensorToWrite, 1> tensors{{{"q", "F32", {6}, q.data()}}};
  write_safetensors(path("a"), tensors);
  const std::string whole = test::read_all(path("a"));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THROW(parse_safetensors(bytes_of(whole.substr(0, size)), "a"), InputError) << size;
}

struct BadHeader {
  std::string header;
  std::string message;
};

TEST(SafetensorsHeader, EveryLieIsNamed) {
  const std::string ok = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  const std::array<BadHeader, 24> cases{{
      {"[]", "expected it to start with '{'"},
      {"{", "parse error"},
      {"{\"a\":\xff}", "parse error"},
      {"{" + ok + "," + ok + "}", "key \"a\" occurs twice"},
      {R"({"a":)" + std::string(70, '[') + std::string(70, ']') + "}", "nested deeper than 64 levels"},
      {R"({"a":3})", "tensor \"a\": expected an object of dtype, shape and data_offsets, found 3"},
      {R"({"a":{}})", "tensor \"a\": expected an object of dtype, shape and data_offsets, found {}"},
      {R"({"a":{"type":"F32","shape":[2],"data_offsets":[0,8]}})", "tensor \"a\": expected the key \"dtype\""},
      {R"({"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}})", "dtype: expected one of F64, F32, F16, BF16"},
      {R"({"a":{"dtype":1,"shape":[2],"data_offsets":[0,8]}})", "found 1"},
      {R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", "shape: expected an array of dimensions, found 2"},
      {R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "shape: expected dimensions from 0 to 2^62"},
      {R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", "found [2.0]"},
      {R"({"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}})", "from 0 to 2^62"},
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})", "more than 2^62 bytes"},
      {R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", "more than 2^62 bytes"},
      {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "expected 12 bytes for [3] of \"F32\", found 8"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", "data_offsets: expected [begin, end], found [0]"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "expected begin <= end <= 8"},
      {R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", "expected begin <= end <= 8"},
      {R"({"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
       "tensor \"b\": data_offsets: expected to begin at 5, where the tensor before it ends, found 4"},
      {R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})", "expected to begin at 0"},
      {R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
       "expected 4 bytes of tensors after the header, found 8"},
      {R"({"__metadata__":{"x":1}})", "__metadata__: expected an object of strings"},
  }};
  for (const auto& [header, message] : cases) {
    const std::string file = safetensors_file(header, std::string(8, '\0'));
    EXPECT_THAT(input_error([&] { parse_safetensors(bytes_of(file), "a.safetensors"); }),
                testing::AllOf(StartsWith("a.safetensors: "), HasSubstr(message)));
  }
}

TEST(SafetensorsHeader, LyingLengthIsNamed) {
  std::string file = safetensors_file("{}", "");
  file[0] = 3;
  EXPECT_EQ(input_error([&] { parse_safetensors(bytes_of(file), "a"); }),
            "a: safetensors header length: expected at most 2 in a file of 10 bytes, found 3");
  file.replace(0, 8, 8, '\xff');
  EXPECT_THAT(input_error([&] { parse_safetensors(bytes_of(file), "a"); }), HasSubstr("found 18446744073709551615"));
}

TEST(SafetensorsHeader, TensorsComeInTheOrderOfTheirBytes) {
  const std::string header =
      R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]},"b":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}  )";
  const std::string file = safetensors_file(header, "12345678");
  const auto parsed = parse_safetensors(bytes_of(file), "a");
  EXPECT_EQ(parsed.entries[0].name, "b");
  EXPECT_EQ(parsed.entries[1].name, "a");
  EXPECT_EQ(file.substr(parsed.entries[1].begin), "5678");
}

TEST(SafetensorsDtype, ProblemTypesHaveTheWidthsOfTheirNames) {
  for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
    EXPECT_EQ(width_of_safetensors(safetensors_dtype(dtype)), size_of(dtype));
    EXPECT_EQ(dtype_of_safetensors(safetensors_dtype(dtype)), dtype);
  }
  EXPECT_EQ(dtype_of_safetensors("F64"), std::nullopt);
}

}  // namespace
}  // namespace attnscope
