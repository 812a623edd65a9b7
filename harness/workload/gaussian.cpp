// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/gaussian.hpp"

#include <algorithm>

#include "harness/base/parallel.hpp"
#include "harness/workload/tile.hpp"

namespace attnscope {
namespace {

enum Tensor : std::uint64_t { kQuery, kKey, kValue };

class Gaussian : public Workload {
 public:
  const WorkloadInfo& info() const override {
    static const WorkloadInfo info{
        .name = "gaussian",
        .title = "Gaussian",
        .help = "Independent standard normals: the control in which no key matters more than another.",
        .parameters = {{.name = "sigma",
                        .type = ParameterType::real,
                        .default_value = 1.0,
                        .min = 0,
                        .max = 64,
                        .choices = {},
                        .help = "Standard deviation of the scaled logits; queries are drawn as N(0, sigma²)."}}};
    return info;
  }

  Problem make(const Shape& shape, Phase phase, const Params& params, std::uint64_t seed, int threads) const override {
    Problem problem = allocate_problem(shape, phase);
    const NoiseStream root{seed};
    const auto sigma = static_cast<float>(params.real("sigma"));
    for (std::int64_t b = 0; b < shape.batch; ++b) {
      // By position, not by row: the rows of a decode step are the last rows of the prefill of the same length.
      for (std::int64_t h = 0; h < shape.q_heads; ++h) {
        const NoiseStream stream = head_stream(root, kQuery, b, h);
        const std::int64_t head = (b * shape.q_heads + h) * shape.head_dim, first = shape.position(0);
        fill_gaussian(shape, stream, first, shape.q_len, sigma, problem.q.data(), head * shape.q_len, threads);
        fill_gaussian(shape, stream, first - shape.history, shape.history, sigma, problem.past_q.data(),
                      head * shape.history, threads);
      }
      for (std::int64_t h = 0; h < shape.kv_heads; ++h) {
        const std::int64_t offset = (b * shape.kv_heads + h) * shape.kv_len * shape.head_dim;
        fill_gaussian(shape, head_stream(root, kKey, b, h), 0, shape.kv_len, 1, problem.k.data(), offset, threads);
        fill_gaussian(shape, head_stream(root, kValue, b, h), 0, shape.kv_len, 1, problem.v.data(), offset, threads);
      }
    }
    problem.provenance = {{"generator", "gaussian"}, {"seed", seed}, {"params", params.json()}};
    return problem;
  }

 private:
  static NoiseStream head_stream(NoiseStream root, Tensor tensor, std::int64_t batch, std::int64_t head) {
    return root.child({tensor, static_cast<std::uint64_t>(batch), static_cast<std::uint64_t>(head)});
  }
};

}  // namespace

const Workload& gaussian_workload() {
  static const Gaussian workload;
  return workload;
}

void fill_gaussian(const Shape& shape, NoiseStream stream, std::int64_t first_position, std::int64_t rows, float scale,
                   void* tensor, std::int64_t offset, int threads) {
  const std::int64_t tiles = (rows + kTileRows - 1) / kTileRows;
  parallel_for(tiles, threads, [&](std::int64_t t) {
    std::vector<float> tile = make_tile(shape.head_dim);
    const std::int64_t first = t * kTileRows;
    normal_tile(stream, static_cast<std::uint64_t>(first_position + first), shape.head_dim, tile.data());
    for (float& z : tile) z *= scale;
    store_tile(tile.data(), 0, std::min(kTileRows, rows - first), shape.head_dim, shape.dtype, tensor,
               offset + first * shape.head_dim);
  });
}

}  // namespace attnscope
