// SPDX-License-Identifier: Apache-2.0
// The index by itself. That its tables and lists are those of the method, the room's tests say.
#include "kernels/select/lsh.hpp"

#include <numeric>

#include "harness/base/error.hpp"
#include "kernels/select/lsh/collision.hpp"
#include "kernels/select/lsh/planes.hpp"
#include "kernels/select/lsh/projections.hpp"
#include "kernels/select/testing.hpp"

namespace attnscope::select {
namespace {

constexpr float kFloor = 1e-4f;

/// Everything that an index made of a problem.
struct Indexed {
  std::vector<float> centre;
  std::vector<std::int32_t> begin, keys;
  std::vector<std::uint16_t> query_codes;
  HostLists lists;
  std::vector<float> log_weight;
  bool operator==(const Indexed&) const = default;
};

template <typename T>
std::vector<T> read([[maybe_unused]] const Queue& on, const T* data, std::int64_t count) {
#if ATTNSCOPE_CUDA
  if (on.space() == Space::device) {
    std::vector<T> host(count);
    EXPECT_EQ(cudaMemcpy(host.data(), data, count * sizeof(T), cudaMemcpyDeviceToHost), cudaSuccess);
    return host;
  }
#endif
  return {data, data + count};
}

void decode(LshIndex& index, const Lists& lists, float* log_weight) {
  index.hash_queries();
  index.find_collisions();
  index.list(lists);
  index.weigh(lists, kFloor, log_weight);
}

std::unique_ptr<LshIndex> build(const Queue& on, const AttentionInputs& in, const Lsh& lsh) {
  auto index = make_lsh_index(on, in, lsh);
  index->centre();
  for (std::int64_t pass = 0; pass < index->passes(); ++pass) {
    index->hash_keys(pass);
    index->sort_keys(pass);
  }
  return index;
}

Indexed index_of(const Queue& on, const AttentionInputs& in, const Lsh& lsh) {
  const Shape& shape = in.shape;
  const std::int64_t heads = shape.batch * shape.kv_heads;
  const auto index = build(on, in, lsh);
  const OutputLists lists(on, shape.rows(), shape.kv_len);
  const Buffer log_weight = room_for<float>(on, shape.rows() * shape.kv_len);
  decode(*index, lists.view(), log_weight.as<float>());
  decode(*index, lists.view(), log_weight.as<float>());  // nothing of a step is left over for the next
  const LshTables tables = index->tables();
  return {.centre = read(on, tables.centre, heads * shape.head_dim),
          .begin = read(on, tables.begin, heads * lsh.tables * (lsh.buckets() + 1)),
          .keys = read(on, tables.keys, heads * lsh.tables * lsh.keys()),
          .query_codes = read(on, tables.query_codes, lsh.tables * shape.rows()),
          .lists = lists.read(),
          .log_weight = [&] {
            std::vector<float> weights = download<float>(log_weight);
            for (float& weight : weights) weight = std::isnan(weight) ? -1.0f : weight;  // behind the lists
            return weights;
          }()};
}

TEST(Lsh, ProjectionsAreNormalAndExactInBothHalfTypes) {
  const Lsh lsh{.bits = 10, .tables = 30, .seed = 3};
  const std::vector<float> projections = draw_projections(lsh, 128);
  ASSERT_EQ(projections.size(), 300u * 128);
  double sum = 0, squares = 0;
  for (const float w : projections) {
    EXPECT_EQ(bf16_to_float(float_to_bf16(w)), w);
    EXPECT_EQ(f16_to_float(float_to_f16(w)), w);
    sum += w;
    squares += static_cast<double>(w) * w;
  }
  // Four standard errors: of the mean 1/√n, of the variance √(2/n); rounding to bf16 moves a square by 2⁻⁸ at most.
  const auto n = static_cast<double>(projections.size());
  EXPECT_NEAR(sum / n, 0, 4 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 1, 4 * std::sqrt(2 / n) + 0x1p-8);
}

TEST(Lsh, MoreTablesExtendFewerAndSeedsDiffer) {
  const std::vector<float> few = draw_projections({.bits = 4, .tables = 3, .seed = 1}, 64);
  const std::vector<float> many = draw_projections({.bits = 4, .tables = 9, .seed = 1}, 64);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin()));
  EXPECT_NE(few, draw_projections({.bits = 4, .tables = 3, .seed = 2}, 64));
}

TEST(Lsh, AnOrthogonalKeyIsSampledOnceInAHundredTimes) {
  // p = 1/2, m = 2^-10, u = 0.97 % at (K, L) = (10, 150).
  EXPECT_NEAR(std::exp(-log_weight(0, 10, 150, 0)), 0.0097, 5e-5);
  EXPECT_NEAR(log_weight(1, 10, 150, 0), 0, 1e-6);
  // One bit, two tables: both must agree, u = p².
  EXPECT_NEAR(log_weight(0, 1, 2, 0), 2 * std::log(2.0), 1e-6);
  // Never sampled, were it not for rounding: the floor bounds the weight.
  EXPECT_NEAR(log_weight(-1, 10, 150, kFloor), -std::log(kFloor), 1e-5);
}

TEST(Lsh, KeysOutsideTheIndexAreAlwaysListed) {
  const Planes planes{.words = 3, .kv_len = 70, .indexed = {3, 66}};
  EXPECT_EQ(planes.always(0), 0b111u);
  EXPECT_EQ(planes.always(1), 0u);
  EXPECT_EQ(planes.always(2), 0b111100u);
  const Planes whole{.words = 1, .kv_len = 32, .indexed = {0, 32}};
  EXPECT_EQ(whole.always(0), 0u);
}

TEST(Lsh, APagedCacheGivesTheSameIndexAndListsBitForBit) {
  for (const Dtype dtype : {Dtype::bf16, Dtype::f16, Dtype::f32})
    for (const std::int64_t page : {1, 16, 256}) {
      const Shape plain{.batch = 2, .q_heads = 4, .kv_heads = 2, .head_dim = 64, .kv_len = 700, .dtype = dtype};
      Shape scattered = plain;
      scattered.cache_page = page;
      const Problem contiguous(plain), paged(scattered);
      const Lsh lsh{.bits = 3, .tables = 7, .seed = 4, .indexed = {5, 690}};
      on_every_backend([&](const Queue& on) {
        const Indexed one = index_of(on, UploadedProblem(on, contiguous).inputs(), lsh);
        EXPECT_EQ(one, index_of(on, UploadedProblem(on, paged).inputs(), lsh)) << "page " << page;
        EXPECT_EQ(one, index_of(on, UploadedProblem(on, contiguous).inputs(), lsh)) << "built again";
      });
    }
}

TEST(Lsh, QueriesFindTheirOwnDirectionAndNotTheOpposite) {
  // Keys are the query and its opposite by turns, so that their mean vanishes.
  const Shape shape{.q_heads = 1, .kv_heads = 1, .head_dim = 128, .kv_len = 300};
  Problem problem(shape);
  for (std::int64_t key = 0; key < 300; ++key)
    for (std::int64_t c = 0; c < 128; ++c)
      problem.set_k(key * 128 + c, key % 2 == 0 ? problem.q(0, c) : -problem.q(0, c));
  std::vector<std::int32_t> expected{0, 1};
  for (std::int32_t key = 2; key < 298; key += 2) expected.push_back(key);
  expected.insert(expected.end(), {298, 299});
  on_every_backend([&](const Queue& on) {
    for (const std::int64_t bits : {1, 2, 7, 10, 15}) {
      const Lsh lsh{.bits = bits, .tables = 9, .indexed = {2, 298}};
      const Indexed index = index_of(on, UploadedProblem(on, problem).inputs(), lsh);
      EXPECT_EQ(index.lists, HostLists{expected}) << bits << " bits";
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const bool sampled = expected[i] >= 2 && expected[i] < 298;
        EXPECT_NEAR(index.log_weight[i], sampled ? -std::log1p(kFloor) : 0, 1e-3) << bits << " bits, key " << i;
      }
    }
  });
}

TEST(Lsh, LongRowsOfEveryLengthAreListedInOrder) {
  // One bit: half of the keys share the query's code in each table, so that lists are long and words are full.
  for (const std::int64_t kv_len : {33, 8191, 8192, 8193, 40'000}) {
    const Shape shape{.q_heads = 2, .kv_heads = 1, .head_dim = 64, .kv_len = kv_len};
    const Problem problem(shape);
    const Lsh lsh{.bits = 1, .tables = 3, .indexed = {1, kv_len - 2}};
    on_every_backend([&](const Queue& on) {
      const Indexed index = index_of(on, UploadedProblem(on, problem).inputs(), lsh);
      for (std::int64_t row = 0; row < 2; ++row) {
        std::vector<int> matches(kv_len, 0);
        for (std::int64_t table = 0; table < 3; ++table) {
          const std::int32_t* begin = &index.begin[table * 3 + index.query_codes[table * 2 + row]];
          for (std::int32_t i = begin[0]; i < begin[1]; ++i) ++matches[index.keys[table * lsh.keys() + i]];
        }
        std::vector<std::int32_t> expected;
        for (std::int32_t key = 0; key < kv_len; ++key)
          if (key < 1 || key >= kv_len - 2 || matches[key] >= 2) expected.push_back(key);
        EXPECT_EQ(index.lists[row], expected) << "kv_len " << kv_len << " row " << row;
      }
    });
  }
}

#if ATTNSCOPE_CUDA
TEST(Lsh, AStepOfDecodingCanBeCapturedAndReplayed) {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) GTEST_SKIP() << "no GPU";
  cudaStream_t stream;
  ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
  const Queue on{.backend = Backend::cuda, .stream = stream};
  const Shape shape{.q_heads = 8, .kv_heads = 2, .kv_len = 5000};
  const UploadedProblem problem(on, Problem(shape));
  const auto index = build(on, problem.inputs(), {.bits = 5, .tables = 20, .indexed = {4, 4936}});
  const OutputLists direct(on, shape.rows(), shape.kv_len), replayed(on, shape.rows(), shape.kv_len);
  const Buffer log_weight = room_for<float>(on, shape.rows() * shape.kv_len);
  decode(*index, direct.view(), log_weight.as<float>());
  cudaGraph_t graph;
  cudaGraphExec_t executable;
  ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), cudaSuccess);
  decode(*index, replayed.view(), log_weight.as<float>());
  ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
  ASSERT_EQ(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
  ASSERT_EQ(cudaGraphLaunch(executable, stream), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(direct.read(), replayed.read());
  EXPECT_EQ(cudaGraphExecDestroy(executable), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
}
#endif

TEST(Lsh, WhatHasNoMeaningIsRefused) {
  const Shape shape{.kv_len = 100};
  const Problem problem(shape);
  const auto make = [&](const Lsh& lsh) { return make_lsh_index({}, problem.host(), lsh); };
  EXPECT_THROW(make({.bits = 16, .indexed = {0, 100}}), Error);
  EXPECT_THROW(make({.tables = 1, .indexed = {0, 100}}), Error);
  EXPECT_THROW(make({.indexed = {0, 101}}), Error);
  EXPECT_THROW(make({.indexed = {50, 50}}), Error);
}

}  // namespace
}  // namespace attnscope::select
