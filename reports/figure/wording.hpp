// SPDX-License-Identifier: Apache-2.0
// The points of a record in words: what tells them apart is said, what is the same everywhere is left out.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/record/result.hpp"

namespace attnscope::reports {

/// What may differ inside a facet besides method and parameters.
enum class Across { kv_len, nothing };

/// Looks through a record once, in O(points), and refers to it from then on: the record must outlive it. Converts from
/// a record, so that a function that takes a Wording can be called with either.
class Wording {
 public:
  Wording(const record::Record& record);

  const record::Record& record() const { return *record_; }

  /// The parameters of `point` that vary among the points of its method in the record: "budget 1024, page 16".
  std::string variant(const record::Point& point) const;

  /// Phase, workload, shape and contract: "decode, llm, 8/2 heads, d128, bf16, N 64k, warm".
  std::string task(const record::Point& point, Across across) const;

  /// The task and the kind of device: points that share this can share a figure.
  std::string facet(const record::Point& point, Across across) const;

  /// "quest budget 1024 (cpu), decode, llm, 8/2 heads, d128, bf16, N 64k, warm".
  std::string label(const record::Point& point) const;

  /// Index into kPalette, the same all over the record: `dense` is black and nothing else is.
  std::size_t colour(const std::string& method) const;

 private:
  using VaryingNames = std::map<std::string, std::vector<std::string>>;

  const record::Record* record_;
  VaryingNames parameters_;      // by method
  VaryingNames workloads_;       // by name
  std::set<std::string> seeds_;  // workloads that came with several
};

}  // namespace attnscope::reports
