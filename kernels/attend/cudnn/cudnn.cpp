// SPDX-License-Identifier: Apache-2.0
#include "kernels/attend/cudnn/cudnn.hpp"

#include <cudnn_frontend.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <unordered_map>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/device/buffer.hpp"

// The front end reaches every cuDNN function through this handle (NV_CUDNN_FRONTEND_USE_DYNAMIC_LOADING).
namespace cudnn_frontend {
void* cudnn_dlhandle = nullptr;
}

namespace attnscope::attend {
namespace {

namespace fe = cudnn_frontend;

constexpr const char* kLibrary = "libcudnn.so.9";
enum Uid : std::int64_t { kQ = 1, kK, kV, kO, kStats };

bool load_library() {
  static const bool loaded = [] {
    fe::cudnn_dlhandle = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
    return fe::cudnn_dlhandle != nullptr;
  }();
  return loaded;
}

void check(fe::error_t error, const char* step) {
  if (error.is_bad()) throw Error(fmt::format("cuDNN attention: {}: {}", step, error.get_message()));
}

void check(cudnnStatus_t status, const char* step) {
  if (status != CUDNN_STATUS_SUCCESS)
    throw Error(fmt::format("cuDNN attention: {}: status {}", step, static_cast<int>(status)));
}

// Row-major strides, as in Shape.
std::vector<std::int64_t> strides(const std::vector<std::int64_t>& dims) {
  return {dims[1] * dims[2] * dims[3], dims[2] * dims[3], dims[3], 1};
}

fe::graph::Tensor_attributes tensor(const char* name, Uid uid, const std::vector<std::int64_t>& dims) {
  return fe::graph::Tensor_attributes().set_name(name).set_uid(uid).set_dim(dims).set_stride(strides(dims));
}

}  // namespace

std::optional<std::string> cudnn_unsupported(const Shape& shape) {
  if (!load_library()) return fmt::format("{} not found by the loader: {}", kLibrary, dlerror());
  if (shape.dtype == Dtype::f32) return "cuDNN attention takes f16 and bf16, not f32";
  if (shape.head_dim % 8 != 0 || shape.head_dim > 128)
    return fmt::format("cuDNN attention takes head_dim up to 128 in steps of 8, found {}", shape.head_dim);
  if (shape.cache_page > 0) return "cuDNN attention takes a contiguous cache here, not pages";
  return std::nullopt;
}

struct CudnnAttention::Plan {
  cudnnHandle_t handle = nullptr;
  fe::graph::Graph graph;
  std::unordered_map<std::int64_t, void*> pointers;
  Buffer workspace;

  ~Plan() {
    if (handle) fe::detail::destroy_handle(handle);
  }
};

CudnnAttention::CudnnAttention(const AttentionInputs& inputs, const AttentionOutputs& outputs, void* stream)
    : plan_(std::make_unique<Plan>()) {
  if (!load_library()) throw MachineError(fmt::format("{} not found by the loader", kLibrary));
  const Shape& shape = inputs.shape;
  const std::vector<std::int64_t> q_dims{shape.batch, shape.q_heads, shape.q_len, shape.head_dim};
  const std::vector<std::int64_t> kv_dims{shape.batch, shape.kv_heads, shape.kv_len, shape.head_dim};
  const std::vector<std::int64_t> lse_dims{shape.batch, shape.q_heads, shape.q_len, 1};

  auto& graph = plan_->graph;
  graph.set_io_data_type(shape.dtype == Dtype::bf16 ? fe::DataType_t::BFLOAT16 : fe::DataType_t::HALF)
      .set_intermediate_data_type(fe::DataType_t::FLOAT)
      .set_compute_data_type(fe::DataType_t::FLOAT);
  auto options =
      fe::graph::SDPA_attributes().set_name("attention").set_generate_stats(true).set_attn_scale(inputs.scale);
  // One query row at the end sees every key, masked or not; cuDNN has faster plans without a mask.
  if (shape.causal && shape.q_len > 1) {
    if (shape.q_len == shape.kv_len)
      options.set_causal_mask(true);
    else
      options.set_causal_mask_bottom_right(true);
  }
  const auto [o, stats] = graph.sdpa(graph.tensor(tensor("q", kQ, q_dims)), graph.tensor(tensor("k", kK, kv_dims)),
                                     graph.tensor(tensor("v", kV, kv_dims)), options);
  o->set_output(true).set_uid(kO).set_dim(q_dims).set_stride(strides(q_dims));
  stats->set_output(true)
      .set_uid(kStats)
      .set_data_type(fe::DataType_t::FLOAT)
      .set_dim(lse_dims)
      .set_stride(strides(lse_dims));

  check(fe::detail::create_handle(&plan_->handle), "create handle");
  check(fe::detail::set_stream(plan_->handle, static_cast<cudaStream_t>(stream)), "set stream");
  check(graph.build(plan_->handle, {fe::HeurMode_t::A}), "build plan");
  std::int64_t bytes = 0;
  check(graph.get_workspace_size(bytes), "workspace size");
  if (bytes > 0) plan_->workspace = Buffer(Space::device, static_cast<std::size_t>(bytes));

  plan_->pointers = {{kQ, const_cast<void*>(inputs.q)},
                     {kK, const_cast<void*>(inputs.k)},
                     {kV, const_cast<void*>(inputs.v)},
                     {kO, outputs.o},
                     {kStats, outputs.lse}};
}

CudnnAttention::~CudnnAttention() = default;

void CudnnAttention::run() {
  check(plan_->graph.execute(plan_->handle, plan_->pointers, plan_->workspace.data()), "execute");
}

}  // namespace attnscope::attend
