// SPDX-License-Identifier: Apache-2.0
// The points of a record in words: what tells them apart is said, what is the same everywhere is left out.
#pragma once

#include <cstddef>
#include <map>
#include <string>

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
  // For each name of an object's entries: the value seen first, and whether another was seen.
  struct Seen {
    nlohmann::json first;
    bool varies = false;
  };
  using Entries = std::map<std::string, Seen>;

  static void note(Entries& entries, const nlohmann::json& object);
  static std::string varying(const Entries& entries, const nlohmann::json& object);

  const record::Record* record_;
  std::map<std::string, Entries> parameters_;  // by method
  std::map<std::string, Entries> workloads_;   // by name
  std::map<std::string, Seen> seeds_;          // by workload
};

}  // namespace attnscope::reports
