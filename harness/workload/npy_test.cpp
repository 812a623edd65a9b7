// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/npy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "harness/workload/file_test_support.hpp"

namespace attnscope {
namespace {

using test::bytes_of;
using test::input_error;
using testing::HasSubstr;
using testing::StartsWith;
using Npy = test::FileTest;

std::string npy_file(int version, const std::string& header, const std::string& data) {
  std::string file = "\x93NUMPY";
  file += static_cast<char>(version);
  file += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) file += static_cast<char>((header.size() >> (8 * i)) & 0xff);
  return file + header + data;
}

TEST_F(Npy, ReturnsWhatWasWritten) {
  const std::string data = "abcdefghijklmnopqrstuvwx";
  for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
    for (const auto& dims : {std::vector<std::int64_t>{24 / size_of(dtype)}, {3, 1, 8 / size_of(dtype)}}) {
      write_npy(path("a.npy"), {.dtype = dtype, .dims = dims, .data = bytes_of(data)});
      const std::string file = test::read_all(path("a.npy"));
      const NpyArray array = parse_npy(bytes_of(file), "a.npy");
      EXPECT_EQ(array.dtype, dtype);
      EXPECT_EQ(array.dims, dims);
      EXPECT_EQ(std::memcmp(array.data.data(), data.data(), data.size()), 0);
      EXPECT_EQ((file.size() - data.size()) % 64, 0u) << "the data is to be aligned";
    }
  }
}

// Byte for byte what numpy 2.4's numpy.save writes for numpy.array([[1.0, 2.0]], dtype=numpy.float16).
TEST_F(Npy, WritesTheHeaderThatNumpyWrites) {
  const std::string data{"\x00\x3c\x00\x40", 4};
  write_npy(path("a.npy"), {.dtype = Dtype::f16, .dims = {1, 2}, .data = bytes_of(data)});
  const std::string header = "{'descr': '<f2', 'fortran_order': False, 'shape': (1, 2), }";
  EXPECT_EQ(test::read_all(path("a.npy")), npy_file(1, header + std::string(117 - header.size(), ' ') + "\n", data));
}

TEST(NpyHeader, VersionsAndSpellingsOfTheSameHeaderAreEqual) {
  const std::string data(8, 'x');
  for (const int version : {1, 2, 3})
    for (const std::string header : {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n",
                                     R"( {"shape":(2,1),"fortran_order":False,"descr":"<f4"})"}) {
      const std::string file = npy_file(version, header, data);
      const NpyArray array = parse_npy(bytes_of(file), "a");
      EXPECT_EQ(array.dtype, Dtype::f32);
      EXPECT_THAT(array.dims, testing::ElementsAre(2, 1));
    }
}

TEST(NpyHeader, TwoByteVoidIsReadAsBfloat16) {
  for (const std::string descr : {"|V2", "<V2"}) {
    const std::string file = npy_file(1, "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (1,)}", "ab");
    EXPECT_EQ(parse_npy(bytes_of(file), "a").dtype, Dtype::bf16);
  }
}

TEST(NpyHeader, EveryFaultIsNamed) {
  struct Case {
    std::string file;
    std::string message;
  };
  const auto with = [](const std::string& descr, const std::string& order, const std::string& shape) {
    return npy_file(1, "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + "}", "12345678");
  };
  const std::array<Case, 20> cases{{
      {"", "a file that starts with \\x93NUMPY"},
      {"PK\x03\x04 an npz archive", "a file that starts with \\x93NUMPY"},
      {npy_file(4, "{}", ""), "expected format version 1, 2 or 3, found \"4\""},
      {npy_file(2, "", "").substr(0, 11), "expected a whole header"},
      {npy_file(1, "{'descr'", "").substr(0, 14), "expected a header of 8 bytes, found \"4 bytes\""},
      {npy_file(1, "x", ""), "expected '{' in the header, found \"x\""},
      {npy_file(1, "{", ""), "expected a quoted key"},
      {npy_file(1, "{'descr'}", ""), "expected ':' in the header"},
      {npy_file(1, "{}", ""), "expected the keys descr, fortran_order and shape, found \"fewer\""},
      {npy_file(1, "{'order': 1}", ""), "each once, found \"order\""},
      {npy_file(1, "{'descr': '<f4', 'descr': '<f4'}", ""), "each once, found \"descr\""},
      {with("'<f8'", "False", "(1,)"), "expected descr '<f4', '<f2' or '|V2' (bfloat16), found \"<f8\""},
      {with("'>f4'", "False", "(2,)"), "found \">f4\""},
      {with("[('x', '<f4')]", "False", "(2,)"), "expected descr '<f4', '<f2' or '|V2' (bfloat16), found \"[("},
      {with("'<f4'", "True", "(2,)"),
       "expected C order (numpy.ascontiguousarray makes it so), found \"fortran_order: True\""},
      {with("'<f4'", "0", "(2,)"), "expected fortran_order False"},
      {with("'<f4'", "False", "(-2,)"), "shape: dimensions from 0 to 2^63 - 1, found \"-2"},
      {with("'<f4'", "False", "(99999999999999999999,)"), "shape: dimensions from 0 to 2^63 - 1"},
      {with("'<f4'", "False", "(4294967296, 4294967296)"), "expected an array of at most 2^62 bytes"},
      {with("'<f4'", "False", "(3,)"), "expected 12 bytes of data for shape (3), found \"8 bytes\""},
  }};
  for (const auto& [file, message] : cases)
    EXPECT_THAT(input_error([&file = file] { parse_npy(bytes_of(file), "q.npy"); }),
                testing::AllOf(StartsWith("q.npy: npy: "), HasSubstr(message)));
}

}  // namespace
}  // namespace attnscope
