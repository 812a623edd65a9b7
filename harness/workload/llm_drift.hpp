// SPDX-License-Identifier: Apache-2.0
// The random part of one head's queries: normals that drift from knot to knot with the topic, plus a part that is new
// in every row; both partly shared by the heads of a group.
#pragma once

#include <cstdint>

#include "harness/workload/llm_model.hpp"

namespace attnscope::llm {

class Drift {
 public:
  /// `owner` must outlive this; `head` numbers the query head.
  Drift(const KvHead& owner, std::int64_t head);

  /// Real and imaginary part of each position pair, then the content dimensions.
  std::int64_t components() const;
  /// Fills out[component][kTileRows], components rounded up to whole quads, for rows from `first` on.
  void tile(std::int64_t first, float* out) const;

 private:
  void fresh_part(std::int64_t first, float* out) const;
  void knot(std::int64_t index, float* out) const;

  const KvHead& owner_;
  NoiseStream group_topic_, head_topic_, group_fresh_, head_fresh_;
};

}  // namespace attnscope::llm
