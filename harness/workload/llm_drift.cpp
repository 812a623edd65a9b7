// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/llm_drift.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "harness/workload/portable_math.hpp"
#include "harness/workload/tile.hpp"

namespace attnscope::llm {

Drift::Drift(const KvHead& owner, std::int64_t head)
    : owner_(owner),
      group_topic_(owner.stream(kGroupTopic)),
      head_topic_(owner.stream(kHeadTopic).child({static_cast<std::uint64_t>(head)})),
      group_fresh_(owner.stream(kGroupFresh)),
      head_fresh_(owner.stream(kHeadFresh).child({static_cast<std::uint64_t>(head)})) {}

std::int64_t Drift::components() const { return 2 * owner_.model.layout.position + owner_.model.layout.content_dims(); }

void Drift::fresh_part(std::int64_t first, float* out) const {
  const Settings& knobs = owner_.model.settings;
  std::vector<float> group = make_tile(components()), own = make_tile(components());
  normal_tile(group_fresh_, static_cast<std::uint64_t>(first), components(), group.data());
  normal_tile(head_fresh_, static_cast<std::uint64_t>(first), components(), own.data());
  blend(knobs.group_corr, group, own, out);
  const auto share = static_cast<float>(std::sqrt(knobs.fresh));
  for (std::size_t i = 0; i < group.size(); ++i) out[i] *= share;
}

void Drift::knot(std::int64_t index, float* out) const {
  const auto count = static_cast<std::size_t>(round_up_to_quad(components()));
  std::vector<float> group(count), own(count);
  normal_row(group_topic_, static_cast<std::uint64_t>(index), components(), group.data());
  normal_row(head_topic_, static_cast<std::uint64_t>(index), components(), own.data());
  blend(owner_.model.settings.group_corr, group, own, out);
}

void Drift::tile(std::int64_t first, float* out) const {
  fresh_part(first, out);
  const std::int64_t length = owner_.model.settings.topic_length;
  const double drifting = std::sqrt(1 - owner_.model.settings.fresh);
  const auto count = static_cast<std::size_t>(round_up_to_quad(components()));
  std::vector<float> from(count), to(count);
  for (std::int64_t begin = 0; begin < kTileRows;) {
    const std::int64_t index = (first + begin) / length;
    const std::int64_t end = std::min(kTileRows, (index + 1) * length - first);
    knot(index, from.data());
    knot(index + 1, to.data());
    // A quarter turn from knot to knot keeps the variance at 1 on the way.
    std::array<float, kTileRows> cosine, sine;
    for (std::int64_t r = begin; r < end; ++r) {
      const auto into = static_cast<double>(first + r - index * length);
      const auto angle = portable::sine_cosine(into / (4 * static_cast<double>(length)));
      cosine[static_cast<std::size_t>(r)] = static_cast<float>(drifting * angle.cosine);
      sine[static_cast<std::size_t>(r)] = static_cast<float>(drifting * angle.sine);
    }
    for (std::size_t c = 0; c < count; ++c) {
      float* row = out + c * kTileRows;
      for (auto r = static_cast<std::size_t>(begin); r < static_cast<std::size_t>(end); ++r)
        row[r] += cosine[r] * from[c] + sine[r] * to[c];
    }
    begin = end;
  }
}

}  // namespace attnscope::llm
