// SPDX-License-Identifier: Apache-2.0
// Codes bit for bit against quantized.hpp in obvious loops, scores against q · k̂ in double.
#include "kernels/select/quantized.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "harness/base/error.hpp"
#include "kernels/select/testing.hpp"

namespace attnscope::select {
namespace {

/// What to keep: channel lists belong to KV heads, or to query heads, or there are none.
struct Kept {
  int bits;
  std::int64_t channels;
  enum { all, per_kv_head, per_q_head } lists;
};

/// The quantised copy of a problem in the memory of a backend, and its definition.
class Copy {
 public:
  Copy(const Queue& on, const Problem& problem, const UploadedProblem& uploaded, const Kept& kept)
      : problem_(problem), shape_(uploaded.inputs().shape), in_(uploaded.inputs()) {
    keys.bits = kept.bits;
    keys.channels = kept.channels;
    keys.heads = kept.lists == Kept::per_q_head ? shape_.q_heads : shape_.kv_heads;
    keys.rows = key_rows(in_);
    if (kept.lists != Kept::all) {
      std::mt19937 random(9);
      for (std::int64_t h = 0; h < keys.heads; ++h) {
        std::vector<std::int32_t> order(static_cast<std::size_t>(shape_.head_dim));
        std::iota(order.begin(), order.end(), 0);
        std::ranges::shuffle(order, random);
        channels_.insert(channels_.end(), order.begin(), order.begin() + kept.channels);
      }
      channel_buffer_ = upload(on, channels_);
      keys.channel = channel_buffer_.as<std::int32_t>();
    }
    codes_ = room_for<std::byte>(on, static_cast<std::int64_t>(code_bytes(keys, shape_)));
    ranges_ = room_for<std::byte>(on, static_cast<std::int64_t>(range_bytes(keys, shape_)));
    keys.codes = codes_.as<std::byte>();
    keys.ranges = kept.bits == 16 ? nullptr : ranges_.as<QuantizedKeys::Range>();
    quantize_keys(on, in_, keys);
    host_codes_ = download<std::byte>(codes_);
    host_ranges_ = download<QuantizedKeys::Range>(ranges_);
    if (in_.page_table != nullptr) table_ = copy_table(on);
  }

  std::int64_t per_kv() const { return keys.heads / shape_.kv_heads; }
  std::int64_t channel(std::int64_t head, std::int64_t n) const {
    return channels_.empty() ? n : channels_[static_cast<std::size_t>(head * keys.channels + n)];
  }
  /// Row of key j in the arrays, for head h of keys.heads.
  std::int64_t row(std::int64_t b, std::int64_t h, std::int64_t j) const {
    AttentionInputs host = in_;
    host.page_table = table_.empty() ? nullptr : table_.data();
    return h % per_kv() * keys.rows + host.kv_rows(b, h / per_kv()).row(j);
  }
  QuantizedKeys::Range range(std::int64_t row) const { return host_ranges_[static_cast<std::size_t>(row)]; }
  /// Code n, or the element where channels are kept as they are.
  double code(std::int64_t row, std::int64_t n) const {
    const std::byte* bytes = host_codes_.data() + row * row_bytes(keys, shape_.dtype);
    if (keys.bits == 16) return load_element(bytes, shape_.dtype, n);
    const auto byte = std::to_integer<unsigned>(bytes[n * keys.bits / 8]);
    return byte >> (n * keys.bits % 8) & ((1u << keys.bits) - 1);
  }
  double k(std::int64_t b, std::int64_t h, std::int64_t j, std::int64_t n) const {
    return problem_.k(b * shape_.kv_heads + h / per_kv(), j, channel(h, n));
  }

  QuantizedKeys keys;

 private:
  std::vector<std::int32_t> copy_table(const Queue& on) const {
    std::vector<std::int32_t> table(static_cast<std::size_t>(shape_.batch * shape_.cache_pages()));
    if (on.backend == Backend::cpu) std::copy_n(in_.page_table, table.size(), table.begin());
#if ATTNSCOPE_CUDA
    if (on.backend == Backend::cuda) {
      EXPECT_EQ(cudaMemcpy(table.data(), in_.page_table, table.size() * 4, cudaMemcpyDeviceToHost), cudaSuccess);
    }
#endif
    return table;
  }

  const Problem& problem_;
  Shape shape_;
  AttentionInputs in_;
  std::vector<std::int32_t> channels_, table_;
  Buffer channel_buffer_, codes_, ranges_;
  std::vector<std::byte> host_codes_;
  std::vector<QuantizedKeys::Range> host_ranges_;
};

std::vector<Kept> ways_to_keep(std::int64_t head_dim) {
  std::vector<Kept> ways{
      {4, 32, Kept::per_q_head}, {16, 8, Kept::per_q_head}, {8, 32, Kept::per_kv_head}, {2, 64, Kept::per_kv_head}};
  for (const int bits : {2, 4, 8, 16}) ways.push_back({bits, head_dim, Kept::all});
  return ways;
}

std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (const Dtype dtype : {Dtype::bf16, Dtype::f16, Dtype::f32}) {
    all.push_back({.q_heads = 1, .kv_heads = 1, .kv_len = 1, .dtype = dtype});
    all.push_back({.q_heads = 20, .kv_heads = 1, .head_dim = 64, .kv_len = 17, .dtype = dtype});
    all.push_back({.batch = 2, .q_heads = 8, .kv_heads = 2, .kv_len = 131, .dtype = dtype, .cache_page = 16});
  }
  all.push_back({.batch = 2, .q_heads = 2, .kv_heads = 2, .head_dim = 64, .kv_len = 1300, .dtype = Dtype::bf16});
  return all;
}

template <typename F>
void for_every_copy(F f) {
  for (const Shape& shape : shapes()) {
    const Problem problem(shape);
    on_every_backend([&](const Queue& on) {
      const UploadedProblem uploaded(on, problem);
      for (const Kept& kept : ways_to_keep(shape.head_dim)) {
        SCOPED_TRACE("kv_len " + std::to_string(shape.kv_len) + " " + std::string(to_string(shape.dtype)) + " bits " +
                     std::to_string(kept.bits) + " channels " + std::to_string(kept.channels));
        f(on, problem, uploaded, Copy(on, problem, uploaded, kept));
        if (testing::Test::HasFatalFailure()) return;
      }
    });
  }
}

void expect_codes(const Shape& shape, const Copy& copy) {
  const float levels = static_cast<float>((1 << copy.keys.bits) - 1);
  for (std::int64_t b = 0; b < shape.batch; ++b)
    for (std::int64_t h = 0; h < copy.keys.heads; ++h)
      for (std::int64_t j = 0; j < shape.kv_len; ++j) {
        const std::int64_t row = copy.row(b, h, j);
        float min = INFINITY, max = -INFINITY;
        for (std::int64_t n = 0; n < copy.keys.channels; ++n) {
          min = std::min(min, static_cast<float>(copy.k(b, h, j, n)));
          max = std::max(max, static_cast<float>(copy.k(b, h, j, n)));
        }
        min += 0.0f;
        const float step = std::max(max - min, 1e-9f) / levels;
        for (std::int64_t n = 0; n < copy.keys.channels; ++n) {
          const float k = static_cast<float>(copy.k(b, h, j, n));
          const double expected = copy.keys.bits == 16 ? k : std::min(std::nearbyint((k - min) / step), levels);
          ASSERT_EQ(copy.code(row, n), expected) << "head " << h << " key " << j << " channel " << n;
        }
        if (copy.keys.bits == 16) continue;
        ASSERT_EQ(copy.range(row).step, float_to_f16(step)) << "head " << h << " key " << j;
        ASSERT_EQ(copy.range(row).min, float_to_f16(min)) << "head " << h << " key " << j;
      }
}

TEST(QuantizedKeys, EqualTheDefinitionBitForBit) {
  for_every_copy([](const Queue&, const Problem&, const UploadedProblem& uploaded, const Copy& copy) {
    expect_codes(uploaded.inputs().shape, copy);
  });
}

// Elements that are halves of whole numbers from 0 to 15: with 4 bits the step is 1 and half of the codes are ties.
TEST(QuantizedKeys, RoundTiesToEvenAndKeepConstantKeysAndNegativeZeros) {
  const Shape shape{.q_heads = 1, .kv_heads = 1, .head_dim = 64, .kv_len = 40};
  Problem problem(shape);
  for (std::int64_t j = 0; j < 40; ++j)
    for (std::int64_t c = 0; c < 64; ++c) {
      const float half = static_cast<float>((c * 7 + j) % 31) / 2;
      problem.set_k(j * 64 + c, j < 20 ? half : j < 30 ? 3.25f : c % 2 ? -0.0f : 0.0f);
    }
  on_every_backend([&](const Queue& on) {
    const UploadedProblem uploaded(on, problem);
    const Copy copy(on, problem, uploaded, {4, 64, Kept::all});
    expect_codes(shape, copy);
    EXPECT_EQ(f16_to_float(copy.range(0).step), 1.0f);
    EXPECT_EQ(copy.range(35).min, 0);
  });
}

// |k − k̂| ≤ step / 2, and what the half-precision step and min add: 2^-11 of levels · step and of min.
TEST(QuantizedKeys, LieWithinHalfAStepOfK) {
  for_every_copy([](const Queue&, const Problem&, const UploadedProblem& uploaded, const Copy& copy) {
    const Shape& shape = uploaded.inputs().shape;
    if (copy.keys.bits == 16) return;
    for (std::int64_t h = 0; h < copy.keys.heads; ++h)
      for (std::int64_t j = 0; j < shape.kv_len; ++j) {
        const std::int64_t row = copy.row(0, h, j);
        const double step = f16_to_float(copy.range(row).step), min = f16_to_float(copy.range(row).min);
        const double bound = step * (0.5 + (1 << copy.keys.bits) * 0x1p-10) + std::abs(min) * 0x1p-10;
        for (std::int64_t n = 0; n < copy.keys.channels; ++n)
          ASSERT_NEAR(copy.code(row, n) * step + min, copy.k(0, h, j, n), bound) << "key " << j << " channel " << n;
      }
  });
}

/// Scores one call and compares: `lists` are the candidates of each of `heads` heads per sequence, null for every key.
void expect_scores(const Queue& on, const Problem& problem, const AttentionInputs& in, const Copy& copy,
                   const HostLists* lists, std::int64_t heads, std::int64_t page) {
  const Shape& shape = in.shape;
  const std::int64_t rows = shape.rows(), stride = shape.kv_len + 3;
  const Buffer data = room_for<float>(on, rows * stride), length = room_for<std::int32_t>(on, rows);
  const Scores scores{data.as<float>(), rows, stride, nullptr};
  if (lists == nullptr)
    quantized_scores(on, in, copy.keys, scores, length.as<std::int32_t>());
  else
    quantized_scores(on, in, copy.keys, UploadedLists(on, *lists, heads, page).view(), scores,
                     length.as<std::int32_t>());
  const auto found = download<float>(data);
  const auto lengths = download<std::int32_t>(length);
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t b = r / shape.q_heads, h = r % shape.q_heads;
    std::vector<std::int64_t> keys;
    if (lists == nullptr) {
      keys.resize(static_cast<std::size_t>(shape.kv_len));
      std::iota(keys.begin(), keys.end(), 0);
    } else {
      for (const std::int64_t index : (*lists)[static_cast<std::size_t>(b * heads + h / (shape.q_heads / heads))])
        for (std::int64_t j = index * page; j < std::min((index + 1) * page, shape.kv_len); ++j) keys.push_back(j);
    }
    ASSERT_EQ(lengths[r], keys.size()) << "row " << r;
    const std::int64_t head = h / (shape.q_heads / copy.keys.heads);
    for (std::int64_t n = 0; n < stride; ++n) {
      if (n >= lengths[r]) {
        ASSERT_TRUE(std::isnan(found[r * stride + n])) << "written behind row " << r;
        continue;
      }
      const std::int64_t row = copy.row(b, head, keys[static_cast<std::size_t>(n)]);
      const bool raw = copy.keys.bits == 16;
      const double step = raw ? 1 : f16_to_float(copy.range(row).step),
                   min = raw ? 0 : f16_to_float(copy.range(row).min);
      double expected = 0, size = 0;
      for (std::int64_t c = 0; c < copy.keys.channels; ++c) {
        const double q = problem.q(r, copy.channel(head, c));
        expected += in.scale * q * (step * copy.code(row, c) + min);
        size += in.scale * std::abs(q) * (step * std::abs(copy.code(row, c)) + std::abs(min));
      }
      // Both sums run over `channels` exact products and are rounded at every step, to 2^-23 on tensor cores, which
      // truncate; a few roundings follow.
      ASSERT_NEAR(found[r * stride + n], expected, size * 0x1p-23 * static_cast<double>(copy.keys.channels + 4))
          << "row " << r << " position " << n;
    }
  }
}

TEST(QuantizedScores, AreScaledProductsWithTheQuantisedKeys) {
  for_every_copy([](const Queue& on, const Problem& problem, const UploadedProblem& uploaded, const Copy& copy) {
    expect_scores(on, problem, uploaded.inputs(), copy, nullptr, 0, 1);
  });
}

TEST(QuantizedScores, OfCandidatesPerHeadAndPerGroupTokensAndPages) {
  for_every_copy([](const Queue& on, const Problem& problem, const UploadedProblem& uploaded, const Copy& copy) {
    const Shape& shape = uploaded.inputs().shape;
    std::mt19937 random(4);
    for (const std::int64_t page : {1, 16, 7})
      for (const std::int64_t heads : {shape.q_heads, shape.kv_heads}) {
        HostLists lists(static_cast<std::size_t>(shape.batch * heads));
        for (std::size_t r = 0; r < lists.size(); ++r) {
          std::bernoulli_distribution listed(r == 0 ? 1.0 : r == 1 ? 0.0 : 0.3);  // everything, nothing, some
          for (std::int32_t i = 0; i < (shape.kv_len + page - 1) / page; ++i)
            if (listed(random)) lists[r].push_back(i);
        }
        expect_scores(on, problem, uploaded.inputs(), copy, &lists, heads, page);
        if (testing::Test::HasFatalFailure()) return;
      }
  });
}

TEST(QuantizedKeys, RefuseWhatTheyHaveNoFormFor) {
  const AttentionInputs in{.shape = {.q_heads = 4, .kv_heads = 2, .kv_len = 10}};
  const QuantizedKeys good{.bits = 4, .channels = 128, .heads = 2, .rows = 20};
  const auto refuses = [&](auto change) {
    QuantizedKeys keys = good;
    change(keys);
    EXPECT_THROW(quantize_keys({}, in, keys), InputError);
  };
  refuses([](QuantizedKeys& k) { k.bits = 3; });
  refuses([](QuantizedKeys& k) { k.channels = 64; });  // some of the channels, but which
  refuses([](QuantizedKeys& k) { k.channels = 96; });
  refuses([](QuantizedKeys& k) { k.heads = 1; });
  refuses([](QuantizedKeys& k) { k.rows = 19; });
}

}  // namespace
}  // namespace attnscope::select
