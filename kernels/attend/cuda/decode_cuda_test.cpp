// SPDX-License-Identifier: Apache-2.0
// What decode methods ask of attend::cuda: paged caches, weighted keys, lists of very different lengths, and results in
// parts.
#include <cmath>
#include <string>

#include "harness/base/error.hpp"
#include "kernels/attend/attend.hpp"
#include "kernels/attend/cuda/cuda_case.hpp"

namespace attnscope::attend {
namespace {

Shape decode_shape(Dtype dtype, std::int64_t kv_len) {
  return {.batch = 3, .q_heads = 8, .kv_heads = 2, .head_dim = 128, .q_len = 1, .kv_len = kv_len, .dtype = dtype};
}

class DecodeCuda : public GpuTest, public ::testing::WithParamInterface<Dtype> {};
using DecodeCudaLists = GpuTest;

INSTANTIATE_TEST_SUITE_P(Dtypes, DecodeCuda, ::testing::Values(Dtype::bf16, Dtype::f16, Dtype::f32),
                         [](const auto& dtype) { return std::string(to_string(dtype.param)); });

TEST_P(DecodeCuda, PagesInAnyOrderChangeNoBit) {
  const HostLists tokens = random_lists(3 * 8, 777, 0.3), pages = random_lists(3 * 2, 49, 0.3);
  const DeviceLists device_tokens(tokens), device_pages(pages);
  for (const Selection& selection : {Selection(Dense{}), Selection(Band{4, 40}), Selection(device_tokens.view(8, 1)),
                                     Selection(device_pages.view(2, 16))}) {
    Shape shape = decode_shape(GetParam(), 777);
    const CudaResult contiguous = Case(shape).run(selection);
    for (const std::int64_t page : {1, 16, 64, 256, 1024}) {
      shape.cache_page = page;
      EXPECT_EQ(Case(shape).run(selection), contiguous) << "pages of " << page;
    }
  }
}

TEST_P(DecodeCuda, PagedEqualsReference) {
  for (const std::int64_t head_dim : {64, 128}) {
    Shape shape = decode_shape(GetParam(), 333);
    shape.head_dim = head_dim;
    shape.q_len = 3;
    shape.cache_page = 16;
    const Case c(shape);
    c.expect_equal(Dense{});
    c.expect_equal(Band{5, 100});
    c.expect_equal_tokens(random_lists(3 * 8 * 3, 333, 0.3), 8, 1);
    c.expect_equal_tokens(random_lists(3 * 2 * 3, 67, 0.5), 2, 5);
  }
}

TEST_P(DecodeCuda, LogWeightsAreAddedToTheLogits) {
  Shape shape = decode_shape(GetParam(), 700);
  shape.cache_page = 16;
  for (const std::int64_t heads : {8, 2}) {
    HostLists lists = random_lists(3 * heads, shape.kv_len, 0.4);
    lists.draw_log_weights();
    Case(shape).expect_equal_tokens(lists, heads, 1);
  }
}

TEST_P(DecodeCuda, ListsOfVeryDifferentLengths) {
  const Case c(decode_shape(GetParam(), 20'000));
  for (const std::int64_t heads : {8, 2}) {
    c.expect_equal_tokens(lists_of_lengths({0, 1, 17, 5000, 20'000}, 3 * heads, 20'000), heads, 1);
    c.expect_equal_tokens(lists_of_lengths({0, 0, 0, 0, 0, 1}, 3 * heads, 20'000), heads, 1);
    c.expect_equal_tokens(lists_of_lengths({0}, 3 * heads, 20'000), heads, 1);
  }
}

TEST_P(DecodeCuda, MoreListsThanWarps) {
  Shape shape = decode_shape(GetParam(), 300);
  shape.batch = 70;
  shape.q_heads = 40;  // a group of 20 rows: two tiles
  shape.head_dim = 64;
  for (const std::int64_t heads : {40, 2})
    Case(shape).expect_equal_tokens(lists_of_lengths({0, 1, 17, 300, 33}, 70 * heads, 300), heads, 1);
}

TEST_P(DecodeCuda, PartsMergeToTheWhole) {
  const Shape shape = decode_shape(GetParam(), 700);
  const Case c(shape);
  const HostLists even = every_other_key(3 * 8, 700, 0), odd = every_other_key(3 * 8, 700, 1);
  const HostLists none = random_lists(3 * 8, 700, 0.0);
  const DeviceLists device[3] = {DeviceLists(even), DeviceLists(none), DeviceLists(odd)};
  std::vector<Buffer> buffers;
  std::vector<AttentionOutputs> parts;
  c.on_device([&](const AttentionInputs& in) {
    for (const DeviceLists& lists : device) {
      const Buffer workspace = device_bytes(cuda_workspace(shape, lists.view(8, 1)));
      buffers.push_back(device_bytes(static_cast<std::size_t>(shape.q_elements()) * sizeof(float)));
      buffers.push_back(device_bytes(static_cast<std::size_t>(shape.rows()) * sizeof(float)));
      parts.push_back({buffers.end()[-2].data(), buffers.back().as<float>(), true});
      cuda(in, lists.view(8, 1), parts.back(), workspace.data(), nullptr);
      finish();
    }
  });
  const auto merge = [&](std::vector<AttentionOutputs> of) {
    const Buffer o = device_bytes(c.q.size()),
                 lse = device_bytes(static_cast<std::size_t>(shape.rows()) * sizeof(float));
    cuda_merge(shape, of, {o.data(), lse.as<float>()}, nullptr);
    finish();
    EXPECT_TRUE(o.guards_intact() && lse.guards_intact());
    return CudaResult{to_host<std::byte>(o, static_cast<std::int64_t>(o.bytes())), to_host<float>(lse, shape.rows())};
  };
  c.expect_equal(Dense{}, merge(parts));
  c.expect_equal(none.view(8, 1), merge({parts[1], parts[1]}));
  for (const Buffer& buffer : buffers) EXPECT_TRUE(buffer.guards_intact());
}

TEST_P(DecodeCuda, ADensePartIsTheWhole) {
  Shape shape = decode_shape(GetParam(), 5000);
  const Case c(shape);
  const Buffer o = device_bytes(static_cast<std::size_t>(shape.q_elements()) * sizeof(float));
  const Buffer lse = device_bytes(static_cast<std::size_t>(shape.rows()) * sizeof(float));
  const Buffer workspace = device_bytes(cuda_workspace(shape, Dense{}));
  const Buffer merged = device_bytes(c.q.size()), merged_lse = device_bytes(lse.bytes());
  c.on_device([&](const AttentionInputs& in) {
    const AttentionOutputs part{o.data(), lse.as<float>(), true};
    cuda(in, Dense{}, part, workspace.data(), nullptr);
    cuda_merge(shape, {&part, 1}, {merged.data(), merged_lse.as<float>()}, nullptr);
    finish();
  });
  c.expect_equal(Dense{}, CudaResult{to_host<std::byte>(merged, static_cast<std::int64_t>(merged.bytes())),
                                     to_host<float>(merged_lse, shape.rows())});
}

TEST_F(DecodeCudaLists, RepeatedRunsGiveTheSameBits) {
  const Case c(decode_shape(Dtype::bf16, 20'000));
  const DeviceLists lists(lists_of_lengths({0, 1, 17, 5000, 20'000}, 3 * 8, 20'000));
  const CudaResult first = c.run(lists.view(8, 1));
  for (int n = 0; n < 5; ++n) EXPECT_EQ(c.run(lists.view(8, 1)), first);
}

TEST_F(DecodeCudaLists, ACapturedCallFollowsItsLists) {
  // The graph is captured on one set of lengths and replayed on another.
  const Case c(decode_shape(Dtype::bf16, 5000));
  const HostLists before = lists_of_lengths({5000, 0, 17}, 3 * 8, 5000);
  const HostLists after = lists_of_lengths({1, 5000, 300}, 3 * 8, 5000);
  const DeviceLists expected_lists(after);
  const CudaResult expected = c.run(expected_lists.view(8, 1));
  DeviceLists lists(before);
  const std::size_t entries = std::max(before.indices.size(), after.indices.size());
  lists.indices = Buffer(Space::device, entries * sizeof(std::int32_t));
  const TokenList view{8, 1, device_span<std::int64_t>(lists.begin, 24), device_span<std::int32_t>(lists.count, 24),
                       device_span<std::int32_t>(lists.indices, entries)};
  const auto set = [&](const HostLists& to) {
    lists.begin.copy_from_host(to.begin.data(), to.begin.size() * sizeof(std::int64_t));
    lists.count.copy_from_host(to.count.data(), to.count.size() * sizeof(std::int32_t));
    lists.indices.copy_from_host(to.indices.data(), to.indices.size() * sizeof(std::int32_t));
  };
  const Buffer o = device_bytes(c.q.size()), lse = device_bytes(24 * sizeof(float));
  const Buffer workspace = device_bytes(cuda_workspace(c.shape, view));
  c.on_device([&](const AttentionInputs& in) {
    cudaStream_t stream;
    cudaGraph_t graph;
    cudaGraphExec_t executable;
    set(before);
    ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
    ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), cudaSuccess);
    cuda(in, view, {o.data(), lse.as<float>()}, workspace.data(), stream);
    ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    ASSERT_EQ(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
    ASSERT_EQ(cudaGraphLaunch(executable, stream), cudaSuccess);
    finish();
    set(after);
    ASSERT_EQ(cudaGraphLaunch(executable, stream), cudaSuccess);
    finish();
    EXPECT_EQ(cudaGraphExecDestroy(executable), cudaSuccess);
    EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
    EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  });
  EXPECT_EQ((CudaResult{to_host<std::byte>(o, static_cast<std::int64_t>(o.bytes())), to_host<float>(lse, 24)}),
            expected);
}

TEST_F(DecodeCudaLists, PagesPast2To31ElementsAreReached) {
  // Pools of 2.15e9 elements each, of which a sequence of 300 keys has the last pages.
  const std::int64_t page = 16, pool_pages = 1'050'000, head_dim = 128;
  std::size_t free_bytes = 0, total_bytes = 0;
  ASSERT_EQ(cudaMemGetInfo(&free_bytes, &total_bytes), cudaSuccess);
  const auto pool_bytes = static_cast<std::size_t>(pool_pages * page * head_dim) * 2;
  if (free_bytes < 2 * pool_bytes + (std::size_t{1} << 30)) GTEST_SKIP() << "needs 10 GB";
  const Case c({.q_heads = 4, .head_dim = head_dim, .q_len = 1, .kv_len = 300, .cache_page = page});
  const std::int64_t pages = c.shape.cache_pages();
  std::vector<std::int32_t> table(static_cast<std::size_t>(pages));
  for (std::size_t p = 0; p < table.size(); ++p)
    table[p] = static_cast<std::int32_t>(pool_pages - 1 - static_cast<std::int64_t>(p));
  const auto pool = [&](const std::vector<std::byte>& tensor) {
    Buffer buffer(Space::device, pool_bytes);
    buffer.poison();
    const std::size_t page_bytes = page * head_dim * 2;
    for (std::size_t p = 0; p < table.size(); ++p)
      buffer.copy_from_host(tensor.data() + p * page_bytes, std::min(page_bytes, tensor.size() - p * page_bytes),
                            static_cast<std::size_t>(table[p]) * page_bytes);
    return buffer;
  };
  const Buffer q = to_device(c.q), k = pool(c.k), v = pool(c.v), device_table = to_device(table);
  AttentionInputs in = c.inputs();
  in.q = q.data();
  in.k = k.data();
  in.v = v.data();
  in.page_table = device_table.as<std::int32_t>();
  const HostLists lists = random_lists(4, 300, 0.5);
  const DeviceLists device_lists(lists);
  const auto expect = [&](const Selection& host, const Selection& device) {
    const Buffer o = device_bytes(c.q.size()), lse = device_bytes(4 * sizeof(float));
    const Buffer workspace = device_bytes(cuda_workspace(c.shape, device));
    cuda(in, device, {o.data(), lse.as<float>()}, workspace.data(), nullptr);
    finish();
    c.expect_equal(host,
                   CudaResult{to_host<std::byte>(o, static_cast<std::int64_t>(o.bytes())), to_host<float>(lse, 4)});
  };
  expect(Dense{}, Dense{});
  expect(lists.view(4, 1), device_lists.view(4, 1));
}

TEST(DecodeCudaContract, WhatIsNotDecodeIsNamed) {
  EXPECT_TRUE(cuda_unsupported({.q_len = 200, .kv_len = 200, .cache_page = 16}));
  EXPECT_FALSE(cuda_unsupported({.q_len = 100, .kv_len = 200, .cache_page = 16}));
  const AttentionInputs in{Shape{.q_len = 200, .kv_len = 200}, nullptr, nullptr, nullptr, 1.0f};
  EXPECT_THROW(cuda(in, Dense{}, {nullptr, nullptr, true}, nullptr, nullptr), InputError);
  const std::vector<float> weights(2);
  EXPECT_THROW(cuda(in, TokenList{1, 16, {}, {}, {}, weights}, {}, nullptr, nullptr), InputError);
  EXPECT_THROW(cuda_merge(Shape{}, {}, {}, nullptr), InputError);
  const AttentionOutputs part{nullptr, nullptr, true};
  EXPECT_THROW(cuda_merge(Shape{}, std::vector<AttentionOutputs>(9, part), {}, nullptr), InputError);
}

}  // namespace
}  // namespace attnscope::attend
