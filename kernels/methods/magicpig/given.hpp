// SPDX-License-Identifier: Apache-2.0
// Tables that a backend built: read as they are, and checked against the projections.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "kernels/compose/exact.hpp"
#include "kernels/methods/magicpig/settings.hpp"

namespace attnscope::magicpig {

/// w · (x − centre) in double, and how far from it a backend may find it.
compose::Bounded project(std::span<const float> projection, std::span<const double> x, std::span<const float> centre);

class GivenTables {
 public:
  /// Throws Error when a tensor is missing or has not the size that the shape asks for.
  GivenTables(const AttentionInputs& host, const select::Lsh& lsh, std::vector<SideTensor> built);

  std::span<const float> centre(std::int64_t head) const;
  std::uint16_t query_code(std::int64_t row, std::int64_t table) const;
  /// Keys of `head` (counted over the batch) in bucket `code` of `table`.
  std::span<const std::int32_t> bucket(std::int64_t head, std::int64_t table, std::uint16_t code) const;

  /// What is wrong with the tables of `head`, or "": the centre of its keys; every key once per table, ascending in its
  /// bucket; the codes of a sample of keys of each table, wherever rounding cannot turn a sign. Safe from any thread.
  const std::string& fault(std::int64_t head, std::span<const float> projections) const;

 private:
  std::string check_centre(std::int64_t head) const;
  std::string check_table(std::int64_t head, std::int64_t table, std::span<const float> projections) const;

  struct HeadCheck {
    std::once_flag once;
    std::string fault;
  };

  const AttentionInputs host_;
  const select::Lsh lsh_;
  const std::vector<SideTensor> built_;
  std::span<const float> centres_;
  std::span<const std::int32_t> begin_, keys_;
  std::span<const std::uint16_t> query_codes_;
  const std::unique_ptr<HeadCheck[]> checks_;  // [heads]
};

}  // namespace attnscope::magicpig
