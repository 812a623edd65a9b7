// SPDX-License-Identifier: Apache-2.0
// attend::cuda against the reference in double, at awkward shapes and in every form.
#include <string>

#include "harness/base/error.hpp"
#include "kernels/attend/attend.hpp"
#include "kernels/attend/cuda/cuda_case.hpp"

namespace attnscope::attend {
namespace {

HostLists random_blocks(const Shape& shape, std::int64_t block_q, std::int64_t block_k, double density) {
  const std::int64_t q_blocks = (shape.q_len + block_q - 1) / block_q;
  HostLists lists =
      random_lists(shape.batch * shape.q_heads * q_blocks, (shape.kv_len + block_k - 1) / block_k, density);
  lists.begin.push_back(static_cast<std::int64_t>(lists.indices.size()));
  return lists;
}

std::string name_of(const Shape& s) {
  return "batch " + std::to_string(s.batch) + " heads " + std::to_string(s.q_heads) + "/" + std::to_string(s.kv_heads) +
         " d " + std::to_string(s.head_dim) + " q_len " + std::to_string(s.q_len) + " kv_len " +
         std::to_string(s.kv_len) + (s.causal ? " causal " : " full ") + std::string(to_string(s.dtype));
}

/// One row, odd lengths, one head, groups of 1, 4, 8 and 20, both head_dims; prefill and decode.
std::vector<Shape> awkward_shapes(Dtype dtype) {
  std::vector<Shape> shapes;
  for (const bool causal : {true, false}) {
    shapes.push_back({1, 1, 1, 128, 1, 1, causal, dtype});
    shapes.push_back({1, 1, 1, 64, 1, 77, causal, dtype});
    shapes.push_back({2, 8, 2, 128, 1, 1000, causal, dtype});
    shapes.push_back({1, 20, 1, 64, 1, 4099, causal, dtype});
    shapes.push_back({1, 8, 1, 128, 5, 333, causal, dtype});
    shapes.push_back({1, 2, 2, 128, 129, 129, causal, dtype});
    shapes.push_back({2, 4, 1, 64, 150, 411, causal, dtype});
    shapes.push_back({1, 1, 1, 128, 257, 640, causal, dtype});
  }
  return shapes;
}

using AttendCuda = GpuTest;

class AttendCudaOf : public GpuTest, public ::testing::WithParamInterface<Dtype> {};

INSTANTIATE_TEST_SUITE_P(Dtypes, AttendCudaOf, ::testing::Values(Dtype::bf16, Dtype::f16, Dtype::f32),
                         [](const auto& dtype) { return std::string(to_string(dtype.param)); });

TEST_P(AttendCudaOf, DenseEqualsReference) {
  for (const Shape& shape : awkward_shapes(GetParam())) {
    SCOPED_TRACE(name_of(shape));
    Case(shape).expect_equal(Dense{});
  }
}

TEST_P(AttendCudaOf, RowsWhoseLogitsAllLieFarBelowZeroAreNotEmpty) {
  // q · k / √d = −16 √d for every pair, −181 at d = 128: e^−181 is zero in fp32, so the maximum has to be the row's
  // own.
  for (const std::int64_t q_len : {1, 300}) {
    Case low({1, 2, 1, 128, q_len, 300, true, GetParam()});
    for (std::int64_t i = 0; i < low.shape.q_elements(); ++i) store_element(low.q.data(), GetParam(), i, 4);
    for (std::int64_t i = 0; i < low.shape.kv_elements(); ++i) store_element(low.k.data(), GetParam(), i, -4);
    low.expect_equal(Dense{});
  }
}

TEST_F(AttendCuda, FullAttentionTakesMoreQueriesThanKeys) {
  for (const Dtype dtype : {Dtype::bf16, Dtype::f32}) Case({1, 2, 1, 128, 200, 33, false, dtype}).expect_equal(Dense{});
}

TEST_P(AttendCudaOf, BandEqualsReference) {
  for (const Shape& shape : awkward_shapes(GetParam()))
    for (const Band band :
         {Band{0, 1}, Band{4, 64}, Band{100, 37}, Band{0, 0}, Band{5, 0}, Band{1'000'000, 1'000'000}}) {
      SCOPED_TRACE(name_of(shape) + " sink " + std::to_string(band.sink) + " window " + std::to_string(band.window));
      Case(shape).expect_equal(band);
    }
}

TEST_P(AttendCudaOf, BlockListEqualsReference) {
  struct Blocks {
    std::int64_t q, k;
    double density;
  };
  for (const Shape& shape : awkward_shapes(GetParam()))
    for (const Blocks& blocks :
         {Blocks{64, 64, 0.4}, {64, 64, 0.0}, {128, 128, 0.4}, {256, 32, 1.0}, {16, 16, 0.4}, {100, 48, 0.4}}) {
      SCOPED_TRACE(name_of(shape) + " blocks " + std::to_string(blocks.q) + "×" + std::to_string(blocks.k) +
                   " density " + std::to_string(blocks.density));
      Case(shape).expect_equal_blocks(random_blocks(shape, blocks.q, blocks.k, blocks.density), blocks.q, blocks.k);
    }
}

TEST_P(AttendCudaOf, TokenListEqualsReference) {
  struct Pages {
    std::int64_t keys;
    double density;
  };
  for (const Shape& shape : awkward_shapes(GetParam()))
    for (const Pages& page : {Pages{1, 0.3}, {1, 0.0}, {16, 0.3}, {5, 1.0}})
      for (const std::int64_t heads : {shape.q_heads, shape.kv_heads}) {
        SCOPED_TRACE(name_of(shape) + " page " + std::to_string(page.keys) + " density " +
                     std::to_string(page.density) + " lists of " + std::to_string(heads) + " heads");
        const HostLists lists =
            random_lists(shape.batch * heads * shape.q_len, (shape.kv_len + page.keys - 1) / page.keys, page.density);
        Case(shape).expect_equal_tokens(lists, heads, page.keys);
      }
}

TEST_F(AttendCuda, EveryBlockSelectedIsDense) {
  const Case c({1, 4, 2, 128, 300, 300, true, Dtype::bf16});
  const HostLists lists = random_blocks(c.shape, 64, 64, 1.0);
  const Buffer begin = to_device(lists.begin), indices = to_device(lists.indices);
  c.expect_equal(Dense{}, BlockList{64, 64, device_span<std::int64_t>(begin, lists.begin.size()),
                                    device_span<std::int32_t>(indices, lists.indices.size())});
}

TEST_F(AttendCuda, KeysPast2To31ElementsAreReached) {
  // K and V have 2.15e9 elements, zero but for the first 40 and the last 300 keys. A band over just those must give
  // what it gives on the short problem that holds nothing else.
  std::size_t free_bytes = 0, total_bytes = 0;
  ASSERT_EQ(cudaMemGetInfo(&free_bytes, &total_bytes), cudaSuccess);
  const std::int64_t long_kv = 16'800'000, head_dim = 128, sink = 40, tail = 300;
  if (free_bytes < static_cast<std::size_t>(long_kv) * head_dim * 4 + (1u << 30)) GTEST_SKIP() << "needs 10 GB";
  for (const std::int64_t q_len : {1, 200}) {
    SCOPED_TRACE(q_len);
    Case short_case({1, 4, 1, head_dim, q_len, sink + tail, true, Dtype::bf16});
    Shape shape = short_case.shape;
    shape.kv_len = long_kv;
    const float scale = default_scale(shape);
    const Selection band = Band{sink, 100};
    std::vector<std::byte> o(short_case.q.size());
    std::vector<float> lse(static_cast<std::size_t>(shape.rows()));
    reference({short_case.shape, short_case.q.data(), short_case.k.data(), short_case.v.data(), scale}, band,
              {o.data(), lse.data()});

    const std::size_t row_bytes = head_dim * 2;
    const auto lengthen = [&](const std::vector<std::byte>& source) {
      Buffer buffer(Space::device, static_cast<std::size_t>(long_kv) * row_bytes);
      buffer.zero();
      auto* target = buffer.as<std::byte>();
      EXPECT_EQ(cudaMemcpy(target, source.data(), sink * row_bytes, cudaMemcpyHostToDevice), cudaSuccess);
      EXPECT_EQ(cudaMemcpy(target + (long_kv - tail) * row_bytes, source.data() + sink * row_bytes, tail * row_bytes,
                           cudaMemcpyHostToDevice),
                cudaSuccess);
      return buffer;
    };
    const Buffer k = lengthen(short_case.k), v = lengthen(short_case.v), q = to_device(short_case.q);
    const Buffer workspace = device_bytes(cuda_workspace(shape, band));
    const Buffer found = device_bytes(o.size()), found_lse = device_bytes(lse.size() * sizeof(float));
    cuda({shape, q.data(), k.data(), v.data(), scale}, band, {found.data(), found_lse.as<float>()}, workspace.data(),
         nullptr);
    finish();
    const auto device_o = to_host<std::byte>(found, static_cast<std::int64_t>(o.size()));
    const auto device_lse = to_host<float>(found_lse, shape.rows());
    for (std::size_t r = 0; r < lse.size(); ++r) ASSERT_NEAR(device_lse[r], lse[r], 1e-4) << "row " << r;
    for (std::int64_t e = 0; e < shape.q_elements(); ++e)
      ASSERT_NEAR(load_element(device_o.data(), Dtype::bf16, e), load_element(o.data(), Dtype::bf16, e), 0.05);
  }
}

TEST_F(AttendCuda, ACapturedCallCanBeReplayed) {
  const Case c({1, 8, 2, 128, 1, 5000, true, Dtype::bf16});
  const Buffer q = to_device(c.q), k = to_device(c.k), v = to_device(c.v);
  const Buffer o = device_bytes(c.q.size()), again = device_bytes(c.q.size()), lse = device_bytes(8 * sizeof(float));
  const Buffer workspace = device_bytes(cuda_workspace(c.shape, Dense{}));
  const AttentionInputs in{c.shape, q.data(), k.data(), v.data(), default_scale(c.shape)};
  cuda(in, Dense{}, {o.data(), lse.as<float>()}, workspace.data(), nullptr);
  cudaStream_t stream;
  cudaGraph_t graph;
  cudaGraphExec_t executable;
  ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
  ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), cudaSuccess);
  cuda(in, Dense{}, {again.data(), lse.as<float>()}, workspace.data(), stream);
  ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
  ASSERT_EQ(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
  finish();
  ASSERT_EQ(cudaGraphLaunch(executable, stream), cudaSuccess);
  finish();
  EXPECT_EQ(to_host<std::uint16_t>(o, c.shape.q_elements()), to_host<std::uint16_t>(again, c.shape.q_elements()));
  EXPECT_EQ(cudaGraphExecDestroy(executable), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
}

TEST(AttendCudaContract, UnsupportedShapesAndFormsAreNamed) {
  EXPECT_TRUE(cuda_unsupported({.head_dim = 96}));
  EXPECT_FALSE(cuda_unsupported({.head_dim = 64}));
  const AttentionInputs in{Shape{}, nullptr, nullptr, nullptr, 1.0f};
  EXPECT_THROW(cuda(in, ChunkList{}, {}, nullptr, nullptr), InputError);
  EXPECT_THROW(cuda(in, BlockList{64, 24, {}, {}}, {}, nullptr, nullptr), InputError);
  EXPECT_THROW(cuda(in, TokenList{3, 1, {}, {}, {}}, {}, nullptr, nullptr), InputError);
}

}  // namespace
}  // namespace attnscope::attend
