// SPDX-License-Identifier: Apache-2.0
// top_k and top_p against a stable sort in double.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "harness/device/buffer.hpp"
#include "kernels/core/every_target.hpp"
#include "kernels/select/select.hpp"

namespace attnscope::select {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Rows of different lengths with garbage behind them, and lists between guard bands.
class Rows {
 public:
  explicit Rows(std::vector<std::vector<float>> rows) : rows_(std::move(rows)) {
    for (const auto& row : rows_) stride_ = std::max(stride_, row.size() + 3);
    data_.assign(rows_.size() * stride_, NAN);  // what lies beyond a row's length must never be read as a score
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      std::copy(rows_[r].begin(), rows_[r].end(), data_.begin() + static_cast<std::ptrdiff_t>(r * stride_));
      length_.push_back(static_cast<std::int32_t>(rows_[r].size()));
    }
  }

  std::int64_t stride() const { return static_cast<std::int64_t>(stride_); }
  const std::vector<float>& row(std::size_t r) const { return rows_[r]; }
  std::size_t count() const { return rows_.size(); }

  using Select = std::function<void(const Scores&, const Lists&)>;
  std::vector<std::vector<std::int32_t>> select(std::int64_t capacity, const Select& select_rows) {
    Buffer indices(Space::host, rows_.size() * static_cast<std::size_t>(capacity) * 4),
        count(Space::host, rows_.size() * 4);
    indices.poison();
    count.poison();
    select_rows({data_.data(), static_cast<std::int64_t>(rows_.size()), stride(), length_.data()},
                {indices.as<std::int32_t>(), count.as<std::int32_t>(), capacity});
    EXPECT_TRUE(indices.guards_intact() && count.guards_intact());
    std::vector<std::vector<std::int32_t>> out;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      const auto* first = indices.as<std::int32_t>() + r * static_cast<std::size_t>(capacity);
      EXPECT_LE(count.as<std::int32_t>()[r], capacity);
      out.emplace_back(first, first + count.as<std::int32_t>()[r]);
      EXPECT_TRUE(std::all_of(first + out.back().size(), first + capacity, [](auto i) { return i == -1; }))
          << "something was written behind list " << r;
    }
    return out;
  }

  std::vector<std::vector<std::int32_t>> top_k(std::int64_t k) {
    return select(std::max<std::int64_t>(k, 1), [k](const Scores& s, const Lists& l) { cpu::top_k(s, k, l); });
  }
  std::vector<std::vector<std::int32_t>> top_p(double p) {
    return select(stride(), [p](const Scores& s, const Lists& l) { cpu::top_p(s, p, l); });
  }

 private:
  std::vector<std::vector<float>> rows_;
  std::size_t stride_ = 1;
  std::vector<float> data_;
  std::vector<std::int32_t> length_;
};

Rows one_row(std::vector<float> row) { return Rows(std::vector<std::vector<float>>(1, std::move(row))); }

// Indices by descending score, lowest index first among equals.
std::vector<std::int32_t> ranking(const std::vector<float>& row) {
  std::vector<std::int32_t> order(row.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return row[a] > row[b]; });
  return order;
}

std::vector<std::int32_t> ascending_prefix(std::vector<std::int32_t> order, std::size_t count) {
  order.resize(std::min(order.size(), count));
  std::sort(order.begin(), order.end());
  return order;
}

std::vector<std::int32_t> sorted_top_k(const std::vector<float>& row, std::int64_t k) {
  return ascending_prefix(ranking(row), static_cast<std::size_t>(k));
}

// `tie` is set when the mass lies so close to p that rounding may decide.
std::vector<std::int32_t> sorted_top_p(const std::vector<float>& row, double p, bool& tie) {
  const auto order = ranking(row);
  double total = 0, mass = 0;
  for (const float s : row) total += std::exp(static_cast<double>(s) - row[order[0]]);
  std::size_t count = 0;
  while (count < order.size() && mass < p * total)
    mass += std::exp(static_cast<double>(row[order[count++]]) - row[order[0]]);
  const double last = std::exp(static_cast<double>(row[order[count - 1]]) - row[order[0]]);
  // Weights carry a relative error of 2^-22 plus that of their exponent, |s − max| 2^-24.
  const double error = total * (0x1p-22 + 0x1p-23 * 40);
  tie = mass - p * total < error || mass - last > p * total - error;
  return ascending_prefix(order, count);
}

std::vector<float> normal_row(std::size_t length, unsigned seed, float spread) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, spread);
  std::vector<float> row(length);
  for (float& s : row) s = normal(random);
  return row;
}

// Few distinct values, so that ties cross every boundary.
std::vector<float> coarse_row(std::size_t length, unsigned seed) {
  auto row = normal_row(length, seed, 2.0f);
  for (float& s : row) s = std::round(s);
  return row;
}

// Lengths around the vector width, a row longer than the parts it is cut into, and zero.
Rows mixed_rows() {
  std::vector<std::vector<float>> rows;
  for (const std::size_t length : {1u, 2u, 15u, 16u, 17u, 100u, 1000u, 0u, 70000u}) {
    rows.push_back(normal_row(length, static_cast<unsigned>(length), 3.0f));
    rows.push_back(coarse_row(length, static_cast<unsigned>(length)));
  }
  return Rows(std::move(rows));
}

TEST(TopK, IsThePrefixOfAStableSort) {
  Rows rows = mixed_rows();
  for (const std::int64_t k : {0, 1, 2, 16, 17, 99, 1000, 69999, 80000})
    on_every_target([&] {
      const auto lists = rows.top_k(k);
      for (std::size_t r = 0; r < rows.count(); ++r)
        ASSERT_EQ(lists[r], sorted_top_k(rows.row(r), k)) << "row " << r << " k " << k;
    });
}

TEST(TopK, BreaksTiesTowardsTheLowestIndexAndTakesZerosAsEqual) {
  EXPECT_THAT(one_row({1, 2, 2, 2, 0}).top_k(2)[0], ElementsAre(1, 2));
  EXPECT_THAT(one_row({-0.0f, 0.0f, -0.0f, -1.0f}).top_k(2)[0], ElementsAre(0, 1));
  EXPECT_THAT(one_row({-1.0f, 0.0f, -0.0f}).top_k(1)[0], ElementsAre(1));
}

TEST(TopK, TakesInfinitiesForWhatTheyAre) {
  EXPECT_THAT(one_row({-kInfinity, 3, -kInfinity, kInfinity}).top_k(3)[0], ElementsAre(0, 1, 3));
  EXPECT_THAT(one_row({-kInfinity, -kInfinity, -kInfinity}).top_k(2)[0], ElementsAre(0, 1));
}

TEST(TopP, IsTheShortestPrefixOfAStableSortWithTheMass) {
  Rows rows = mixed_rows();
  int compared = 0;
  for (const double p : {0.013, 0.31, 0.5, 0.77, 0.9, 0.95, 0.997})
    on_every_target([&] {
      const auto lists = rows.top_p(p);
      for (std::size_t r = 0; r < rows.count(); ++r) {
        bool tie = false;
        if (rows.row(r).empty()) {
          EXPECT_THAT(lists[r], IsEmpty());
          continue;
        }
        const auto expected = sorted_top_p(rows.row(r), p, tie);
        if (tie) {  // rounding decides about one key
          EXPECT_LE(std::abs(static_cast<double>(lists[r].size()) - static_cast<double>(expected.size())), 1);
          continue;
        }
        ASSERT_EQ(lists[r], expected) << "row " << r << " p " << p;
        ++compared;
      }
    });
  EXPECT_GT(compared, 80);
}

TEST(TopP, OneSelectsEverythingAndAWholeRowOfEqualsIsCutByCount) {
  EXPECT_THAT(one_row({1, -kInfinity, 0}).top_p(1.0)[0], ElementsAre(0, 1, 2));
  EXPECT_THAT(one_row({5, 5, 5, 5}).top_p(0.6)[0], ElementsAre(0, 1, 2));
  EXPECT_THAT(one_row({5}).top_p(0.001)[0], ElementsAre(0));
}

TEST(TopP, NeverTakesAKeyWithoutMass) {
  EXPECT_THAT(one_row({-kInfinity, 2, -kInfinity, 2}).top_p(0.999999)[0], ElementsAre(1, 3));
  EXPECT_THAT(one_row({-kInfinity, -kInfinity}).top_p(0.5)[0], IsEmpty());
  EXPECT_THAT(one_row({0, -1000}).top_p(0.999999)[0], ElementsAre(0));  // e^-1000 is 0
}

TEST(Lists, DoNotDependOnTheNumberOfThreads) {
  const int threads = omp_get_max_threads();
  Rows long_row = one_row(normal_row(300000, 1, 4.0f));
  omp_set_num_threads(1);
  const auto k_alone = long_row.top_k(12345);
  const auto p_alone = long_row.top_p(0.9);
  for (const int n : {2, 5, 16}) {
    omp_set_num_threads(n);
    EXPECT_EQ(long_row.top_k(12345), k_alone) << n << " threads";
    EXPECT_EQ(long_row.top_p(0.9), p_alone) << n << " threads";
  }
  omp_set_num_threads(threads);
  EXPECT_EQ(k_alone[0], sorted_top_k(long_row.row(0), 12345));
}

}  // namespace
}  // namespace attnscope::select
