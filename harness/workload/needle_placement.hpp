// SPDX-License-Identifier: Apache-2.0
// Where a problem's needles lie and which query rows ask for them.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/base/shape.hpp"
#include "harness/method/params.hpp"
#include "harness/workload/noise.hpp"

namespace attnscope {

class NeedlePlacement {
 public:
  /// Reads `needles`, `placement` and `depth`. Throws InputError when the shape has no room for that many needles.
  NeedlePlacement(const Shape& shape, Phase phase, const Params& params);

  std::int64_t count() const { return static_cast<std::int64_t>(positions_.size()); }
  /// Key positions, ascending; the same in every KV head.
  const std::vector<std::int64_t>& positions() const { return positions_; }
  std::int64_t probes_per_head() const { return phase_ == Phase::decode ? shape_.q_len : count(); }

  struct Probe {
    std::int64_t query;
    std::int64_t needle;
  };

  /// The rows of query head `head` that ask. Decode: every row, the needles in turn. Prefill: each needle once, at a
  /// row drawn from `stream` among those that see it.
  std::vector<Probe> probes(std::int64_t head, NoiseStream stream) const;

 private:
  Shape shape_;
  Phase phase_;
  std::vector<std::int64_t> positions_;
};

}  // namespace attnscope
