// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/dump_outputs.hpp"

#include <vector>

#include "harness/workload/safetensors.hpp"

namespace attnscope {
namespace {

constexpr std::int64_t kMaxMaskPairs = std::int64_t{1} << 24;

std::vector<std::uint8_t> attended_mask(const CompletedCall& call) {
  const Shape& shape = call.inputs.shape;
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(shape.rows() * shape.kv_len));
  std::vector<std::int32_t> keys;
  for (std::int64_t r = 0; r < shape.rows(); ++r) {
    const Row row{r / (shape.q_heads * shape.q_len), r / shape.q_len % shape.q_heads, r % shape.q_len};
    call.execution.attended_keys(row, keys);
    for (const std::int32_t key : keys) mask[static_cast<std::size_t>(r * shape.kv_len + key)] = 1;
  }
  return mask;
}

}  // namespace

void dump_outputs(const std::string& path, const CompletedCall& call) {
  const AttentionInputs& inputs = call.inputs;
  const Shape& shape = inputs.shape;
  const std::string dtype{safetensors_dtype(shape.dtype)};
  const std::vector<std::int64_t> q_dims{shape.batch, shape.q_heads, shape.q_len, shape.head_dim};
  const std::vector<std::int64_t> kv_dims{shape.batch, shape.kv_heads, shape.kv_len, shape.head_dim};
  std::vector<TensorToWrite> tensors{{"q", dtype, q_dims, inputs.q},
                                     {"k", dtype, kv_dims, inputs.k},
                                     {"v", dtype, kv_dims, inputs.v},
                                     {"o", dtype, q_dims, call.outputs.o},
                                     {"lse", "F32", {shape.batch, shape.q_heads, shape.q_len}, call.outputs.lse}};
  if (inputs.past_q)
    tensors.push_back({"past_q", dtype, {shape.batch, shape.q_heads, shape.history, shape.head_dim}, inputs.past_q});
  std::vector<std::uint8_t> mask;
  if (shape.kv_len <= kMaxMaskPairs / shape.q_len) {
    mask = attended_mask(call);
    tensors.push_back({"mask", "U8", {shape.batch, shape.q_heads, shape.q_len, shape.kv_len}, mask.data()});
  }
  const std::vector<SideTensor> side = call.execution.side_tensors();
  for (const SideTensor& tensor : side)
    tensors.push_back({"side." + tensor.name, tensor.dtype, tensor.dims, tensor.bytes.data()});
  write_safetensors(path, tensors, {{"method", call.method.info().name}, {"params", call.params.json().dump()}});
}

}  // namespace attnscope
