// SPDX-License-Identifier: Apache-2.0
// Lists of keys as tensors, and back: how a definition is given what a backend chose.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/method/method.hpp"
#include "kernels/selectors/list_buffer.hpp"

namespace attnscope::selectors {

/// The keys of every list: `<name>_begin` I64 [lists + 1] and `<name>` I32 [entries].
std::vector<SideTensor> list_tensors(const std::string& name, const HostLists& lists, const Shape& shape);

/// Lists read back from tensors.
class GivenLists {
 public:
  /// Takes the two tensors of `name` out of `tensors`; nothing when they are not there.
  static std::optional<GivenLists> take(const std::string& name, std::vector<SideTensor>& tensors);
  std::int64_t size() const { return std::ssize(begin_) - 1; }
  /// The list of a row of a decoding step: there are as many per sequence as query heads or as KV heads.
  std::span<const std::int32_t> keys(const Shape& shape, const Row& row) const;

 private:
  std::vector<std::int64_t> begin_;
  std::vector<std::int32_t> keys_;
};

}  // namespace attnscope::selectors
