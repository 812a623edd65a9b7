// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy format, versions 1 to 3, for the element types of attention problems, in C order.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "harness/base/shape.hpp"

namespace attnscope {

/// descr '<f4' is f32, '<f2' f16. NumPy has no bfloat16: arrays of ml_dtypes.bfloat16 are saved with the two-byte void
/// descr '|V2' or '<V2', which is therefore read as bf16, and bf16 is written as '|V2'.
struct NpyArray {
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> dims;
  std::span<const std::byte> data;  // within the parsed bytes
};

/// `file` is the whole file, which the result points into. Throws InputError naming `where`, what was expected and
/// found: a wrong magic or version, a malformed header, an unsupported descr, Fortran order, a byte count that
/// disagrees.
NpyArray parse_npy(std::span<const std::byte> file, const std::string& where);

/// Writes `path` whole or not at all, as version 1. Throws InputError when the path cannot be written.
void write_npy(const std::string& path, const NpyArray& array);

}  // namespace attnscope
