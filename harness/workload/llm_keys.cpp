// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/llm_keys.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "harness/workload/llm_sphere.hpp"
#include "harness/workload/portable_math.hpp"
#include "harness/workload/tile.hpp"

namespace attnscope::llm {
namespace {

using Lanes = std::array<float, kTileRows>;

// out[c][r] += weight · m(c), m the standard normal vector of the stretch of `partition` that holds token first + r.
void add_stretch_means(const Partition& partition, NoiseStream stream, std::int64_t first, float weight,
                       std::int64_t dims, float* out) {
  std::vector<float> mean(static_cast<std::size_t>(round_up_to_quad(dims)));
  std::int64_t begin = 0;
  while (begin < kTileRows) {
    const std::int64_t stretch = partition.index(first + begin);
    std::int64_t end = begin + 1;
    while (end < kTileRows && partition.index(first + end) == stretch) ++end;
    normal_row(stream, static_cast<std::uint64_t>(stretch), dims, mean.data());
    for (std::int64_t c = 0; c < dims; ++c)
      for (std::int64_t r = begin; r < end; ++r) out[c * kTileRows + r] += weight * mean[static_cast<std::size_t>(c)];
    begin = end;
  }
}

class KeyTile {
 public:
  KeyTile(const KvHead& head, std::int64_t first, float* keys)
      : head_(head),
        layout_(head.model.layout),
        settings_(head.model.settings),
        first_(first),
        keys_(keys),
        pairs_(keys, layout_.pairs) {}

  void fill() {
    const std::int64_t noisy_pairs = layout_.position + layout_.sinks;
    const std::int64_t dims = layout_.content_dims();
    std::vector<float> noise = make_tile(2 * noisy_pairs + dims);
    normal_tile(head_.stream(kKeyNoise), static_cast<std::uint64_t>(first_), 2 * noisy_pairs + dims, noise.data());
    std::fill(keys_, keys_ + 2 * layout_.pairs * kTileRows, 0.0f);
    position(noise.data());
    sink(noise.data() + 2 * layout_.position * kTileRows);
    content(noise.data() + 2 * noisy_pairs * kTileRows);
    outlier();
    heavy();
    head_.model.rotation.rotate(first_, keys_);
  }

 private:
  // One mean direction per pair plus noise: real pre-rotation keys are that concentrated.
  void position(const float* noise) {
    const auto sigma = static_cast<float>(settings_.key_noise);
    for (std::int64_t f = 0; f < layout_.position; ++f) {
      const float x = kPositionKey * head_.cosine(f), y = kPositionKey * head_.sine(f);
      const float* noise_x = noise + 2 * f * kTileRows;
      const float* noise_y = noise_x + kTileRows;
      for (std::int64_t r = 0; r < kTileRows; ++r) pairs_.re(f)[r] = x + sigma * noise_x[r];
      for (std::int64_t r = 0; r < kTileRows; ++r) pairs_.im(f)[r] = y + sigma * noise_y[r];
    }
  }

  // All keys but token 0 point away from the query, so that the sink stands out with a norm no larger than theirs.
  void sink(const float* noise) {
    Lanes amplitude, sigma;
    for (std::int64_t r = 0; r < kTileRows; ++r) {
      const std::int64_t token = first_ + r;
      amplitude[r] = token == 0 ? kSinkKey : token < 4 ? kNearSinkKey : kOrdinarySinkKey;
      sigma[r] = token == 0 ? 0.0f : static_cast<float>(settings_.key_noise);
    }
    for (std::int64_t s = 0; s < layout_.sinks; ++s) {
      const std::int64_t f = layout_.sink + s;
      const float x = head_.cosine(f), y = head_.sine(f);
      const float* noise_x = noise + 2 * s * kTileRows;
      const float* noise_y = noise_x + kTileRows;
      for (std::int64_t r = 0; r < kTileRows; ++r) pairs_.re(f)[r] = amplitude[r] * x + sigma[r] * noise_x[r];
      for (std::int64_t r = 0; r < kTileRows; ++r) pairs_.im(f)[r] = amplitude[r] * y + sigma[r] * noise_y[r];
    }
  }

  // A point on the sphere near those of its segment and paragraph; `own` is the token's own part and is overwritten.
  void content(float* own) {
    const std::int64_t dims = layout_.content_dims();
    const double segment = settings_.segment_share, paragraph = settings_.paragraph_share;
    const auto weight = static_cast<float>(std::sqrt(std::max(0.0, 1 - segment - paragraph)));
    for (std::int64_t x = 0; x < dims * kTileRows; ++x) own[x] *= weight;
    add_stretch_means(head_.paragraphs, head_.stream(kParagraphContent), first_,
                      static_cast<float>(std::sqrt(paragraph)), dims, own);
    add_stretch_means(head_.segments, head_.stream(kSegmentContent), first_, static_cast<float>(std::sqrt(segment)),
                      dims, own);
    normalise_rows(dims, own);
    aim_needle(own);
    for (std::int64_t c = 0; c < dims; ++c) {
      float* channel = keys_ + layout_.content_channel(c) * kTileRows;
      for (std::int64_t r = 0; r < kTileRows; ++r) channel[r] = kContentKey * own[c * kTileRows + r];
      if (first_ == 0) channel[0] = 0;
    }
  }

  // Needle tokens: cosine kNeedleAim to the needle's direction, the rest as it was.
  void aim_needle(float* unit) const {
    const std::int64_t begin = std::max<std::int64_t>(head_.needle.first - first_, 0);
    const std::int64_t end = std::min(head_.needle.last - first_, kTileRows);
    for (std::int64_t r = begin; r < end; ++r) aim_row(head_.needle_direction, kNeedleAim, unit + r);
  }

  void outlier() {
    const auto size = static_cast<float>(settings_.outlier);
    const std::int64_t f = layout_.outlier;
    for (std::int64_t r = 0; r < kTileRows; ++r) {
      const float mark = head_.needle.holds(first_ + r) ? kMarkKey : 0.0f;  // a quarter turn from the outlier
      pairs_.re(f)[r] = size * head_.cosine(f) - mark * head_.sine(f);
      pairs_.im(f)[r] = size * head_.sine(f) + mark * head_.cosine(f);
    }
  }

  // Rank r gives k = 8 (h + i), h = 1 − ln(1+r)/ln(1+count): the query's real part sets the slope, its imaginary part
  // the level.
  void heavy() {
    for (std::int64_t r = 0; r < kTileRows; ++r) {
      const std::int64_t rank = head_.heavy.rank(first_ + r);
      if (rank < 0) continue;
      const double height = 1 - portable::log(1.0 + static_cast<double>(rank)) /
                                    portable::log(1.0 + static_cast<double>(head_.heavy.count()));
      pairs_.re(layout_.heavy)[r] = kMarkKey * static_cast<float>(height);
      pairs_.im(layout_.heavy)[r] = kMarkKey;
    }
  }

  const KvHead& head_;
  const Layout& layout_;
  const Settings& settings_;
  std::int64_t first_;
  float* keys_;
  PairTile pairs_;
};

// v = s (√.4 segment + √.6 own): s small on token 0, as sinks carry no information, and .6 on heavy tokens.
void value_tile(const KvHead& head, std::int64_t first, float* values) {
  constexpr double kSegmentPart = .4;
  constexpr float kHeavyValue = .6f;
  const std::int64_t dims = head.model.head_dim;
  normal_tile(head.stream(kValueNoise), static_cast<std::uint64_t>(first), dims, values);
  const auto own = static_cast<float>(std::sqrt(1 - kSegmentPart));
  for (std::int64_t x = 0; x < dims * kTileRows; ++x) values[x] *= own;
  add_stretch_means(head.segments, head.stream(kSegmentValue), first, static_cast<float>(std::sqrt(kSegmentPart)), dims,
                    values);
  Lanes scale;
  for (std::int64_t r = 0; r < kTileRows; ++r) {
    scale[r] = head.heavy.rank(first + r) >= 0 ? kHeavyValue : 1.0f;
    if (first + r == 0) scale[r] = static_cast<float>(head.model.settings.sink_value);
  }
  for (std::int64_t c = 0; c < dims; ++c)
    for (std::int64_t r = 0; r < kTileRows; ++r) values[c * kTileRows + r] *= scale[r];
}

}  // namespace

void key_value_tile(const KvHead& head, std::int64_t first, float* keys, float* values) {
  KeyTile(head, first, keys).fill();
  value_tile(head, first, values);
}

}  // namespace attnscope::llm
