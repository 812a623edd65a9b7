// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/needle_placement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/base/error.hpp"

namespace attnscope {

NeedlePlacement::NeedlePlacement(const Shape& shape, Phase phase, const Params& params) : shape_(shape), phase_(phase) {
  // A decode step asks at every row, so that its first row must already see all needles. In prefill each needle has a
  // row of its own. Directions are orthogonal, hence at most head_dim of them.
  const bool decode = phase == Phase::decode;
  const std::int64_t room = decode ? shape.visible(0) : shape.kv_len;
  const std::int64_t most = std::min({room, shape.head_dim, decode ? room : shape.q_len});
  const std::int64_t needles = params.integer("needles");
  if (needles > most)
    throw InputError(
        fmt::format("workload needle: needles: expected at most {} in this shape, found {}", most, needles));
  const bool spread = params.choice("placement") == "spread";
  const auto start = static_cast<std::int64_t>(params.real("depth") * static_cast<double>(room - needles));
  for (std::int64_t m = 0; m < needles; ++m)
    positions_.push_back(spread ? (2 * m + 1) * room / (2 * needles) : start + m);
}

std::vector<NeedlePlacement::Probe> NeedlePlacement::probes(std::int64_t head, NoiseStream stream) const {
  std::vector<Probe> list;
  if (phase_ == Phase::decode) {
    for (std::int64_t i = 0; i < shape_.q_len; ++i) list.push_back({i, (head + i) % count()});
    return list;
  }
  std::set<std::int64_t> taken;
  for (std::int64_t m = count() - 1; m >= 0; --m) {  // the latest needle has the fewest rows to choose from
    const std::int64_t position = positions_[static_cast<std::size_t>(m)];
    const std::int64_t first = shape_.causal ? std::max<std::int64_t>(0, position - shape_.position(0)) : 0;
    const double u = uniform(stream, static_cast<std::uint64_t>(m));
    std::int64_t row = first + static_cast<std::int64_t>(u * static_cast<double>(shape_.q_len - first));
    while (taken.contains(row)) row = row + 1 < shape_.q_len ? row + 1 : first;
    taken.insert(row);
    list.push_back({row, m});
  }
  return list;
}

}  // namespace attnscope
