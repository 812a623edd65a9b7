// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/device/cuda_check.hpp"
#include "kernels/select/lsh/backends.hpp"
#include "kernels/select/lsh/cuda/kernels.hpp"
#include "kernels/select/lsh/projections.hpp"

namespace attnscope::select {
namespace {

class CudaLshIndex final : public LshIndex {
 public:
  CudaLshIndex(const Queue& on, const AttentionInputs& in, const Lsh& lsh)
      : LshIndex(on, in, lsh),
        stream_(static_cast<cudaStream_t>(on.stream)),
        columns_{.bits = static_cast<int>(lsh.bits), .tables = static_cast<int>(lsh.tables)},
        ordered_(Space::device, columns_.count() * dim() * sizeof(float)),
        lanes_(Space::device, columns_.count() * dim() * sizeof(std::uint16_t)),
        thresholds_(Space::device, (heads() + 1) * columns_.count() * sizeof(float)),
        partial_(Space::device, cuda::centre_partials(in.shape, lsh) * sizeof(double)),
        collisions_(Space::device, collision_bytes(in.shape)) {
    const std::vector<float> ordered = cuda::ordered_projections(draw_projections(lsh, dim()), columns_, dim());
    ordered_.copy_from_host(ordered.data(), ordered_.bytes());
    if (in.shape.dtype != Dtype::f32) {
      const std::vector<std::uint16_t> lanes = cuda::lane_projections(ordered, dim(), in.shape.dtype);
      lanes_.copy_from_host(lanes.data(), lanes_.bytes());
    }
    thresholds_.zero();
    centre_.zero();
  }

  void centre() override {
    if (!lsh_.centred) return;
    cuda::centre(in_, lsh_, partial_.as<double>(), centre_.as<float>(), stream_);
    cuda::thresholds(columns_, ordered_.as<float>(), centre_.as<float>(), heads(), dim(), thresholds_.as<float>(),
                     stream_);
  }

  void hash_keys(std::int64_t pass) override {
    const Heads heads = heads_of(pass);
    cuda::hash_keys(in_, lsh_, heads.first, heads.count, hash_args(heads.first, codes_), stream_);
  }

  void sort_keys(std::int64_t pass) override {
    const Heads heads = heads_of(pass);
    const std::int64_t first = heads.first * lsh_.tables;
    cuda::sort_tables(codes_.as<std::uint16_t>(), heads.count * lsh_.tables, lsh_,
                      begin_.as<std::int32_t>() + first * (lsh_.buckets() + 1),
                      keys_.as<std::int32_t>() + first * lsh_.keys(), stream_);
  }

  void hash_queries() override {
    // Queries have no centre: the thresholds after those of the last head are zero.
    cuda::hash_queries(in_, hash_args(heads(), query_codes_), stream_);
  }

  void find_collisions() override {
    cuda_check(cudaMemsetAsync(collisions_.data(), 0, collisions_.bytes(), stream_), "lsh: cudaMemsetAsync");
    cuda::find_collisions(in_.shape, lsh_, tables(), collisions(), stream_);
  }

  void list(const Lists& lists) override { cuda::list_collisions(in_.shape, collisions(), lists, stream_); }

  void weigh(const Lists& lists, float floor, float* log_weight) override {
    cuda::weigh(in_, lsh_, centre_.as<float>(), lists, floor, log_weight, stream_);
  }

 private:
  std::int64_t dim() const { return in_.shape.head_dim; }

  cuda::HashArgs hash_args(std::int64_t head, const Buffer& codes) const {
    return {.columns = columns_,
            .projections = in_.shape.dtype == Dtype::f32 ? ordered_.data() : lanes_.data(),
            .thresholds = thresholds_.as<float>() + head * columns_.count(),
            .codes = codes.as<std::uint16_t>()};
  }

  // One buffer for both planes and the counts, so that one fill clears them.
  cuda::Collisions collisions() const {
    const std::int64_t words = Planes::words_of(in_.shape.kv_len);
    auto* const first = collisions_.as<std::uint32_t>();
    return {.planes = {.once = first,
                       .twice = first + rows() * words,
                       .words = words,
                       .kv_len = in_.shape.kv_len,
                       .indexed = lsh_.indexed},
            .counts = reinterpret_cast<std::int32_t*>(first + 2 * rows() * words)};
  }
  static std::size_t collision_bytes(const Shape& shape) {
    const std::int64_t words = Planes::words_of(shape.kv_len);
    const cuda::Collisions layout{.planes = {.words = words}};
    return shape.batch * shape.q_heads * (2 * words + layout.sections()) * sizeof(std::uint32_t);
  }

  const cudaStream_t stream_;
  const cuda::Columns columns_;
  Buffer ordered_;     // float [columns, dim]
  Buffer lanes_;       // 16-bit projections for tensor cores
  Buffer thresholds_;  // float [heads + 1, columns]: projection · centre, and zeros
  Buffer partial_;     // double, of the mean
  Buffer collisions_;  // uint32 [2, rows, words], int32 [rows, sections]
};

}  // namespace

std::unique_ptr<LshIndex> make_lsh_index_cuda(const Queue& on, const AttentionInputs& in, const Lsh& lsh) {
  if (in.shape.head_dim != 64 && in.shape.head_dim != 128)
    throw InputError(fmt::format("lsh: expected head_dim 64 or 128, found {}", in.shape.head_dim));
  return std::make_unique<CudaLshIndex>(on, in, lsh);
}

}  // namespace attnscope::select
