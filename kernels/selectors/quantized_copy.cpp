// SPDX-License-Identifier: Apache-2.0
#include "kernels/selectors/quantized_copy.hpp"

#include <utility>

namespace attnscope::selectors {
namespace {

SideTensor copy_of(const Buffer& buffer, std::string name, std::string dtype, std::vector<std::int64_t> dims) {
  SideTensor tensor{.name = std::move(name),
                    .dtype = std::move(dtype),
                    .dims = std::move(dims),
                    .bytes = std::vector<std::byte>(buffer.bytes())};
  buffer.copy_to_host(tensor.bytes.data(), tensor.bytes.size());
  return tensor;
}

}  // namespace

QuantizedCopy::QuantizedCopy(const Queue& on, const AttentionInputs& in, int bits) {
  keys_.bits = bits;
  keys_.channels = in.shape.head_dim;
  keys_.heads = in.shape.kv_heads;
  allocate(on, in);
}

QuantizedCopy::QuantizedCopy(const Queue& on, const AttentionInputs& in, int bits,
                             const std::vector<std::vector<std::int32_t>>& channels) {
  keys_.bits = bits;
  keys_.channels = std::ssize(channels.front());
  keys_.heads = std::ssize(channels);
  std::vector<std::int32_t> flat;
  for (const auto& head : channels) flat.insert(flat.end(), head.begin(), head.end());
  channel_ = Buffer(on.space(), flat.size() * sizeof(std::int32_t));
  channel_.copy_from_host(flat.data(), channel_.bytes());
  keys_.channel = channel_.as<std::int32_t>();
  allocate(on, in);
}

void QuantizedCopy::allocate(const Queue& on, const AttentionInputs& in) {
  keys_.rows = select::key_rows(in);
  codes_ = Buffer(on.space(), select::code_bytes(keys_, in.shape));
  keys_.codes = codes_.as<std::byte>();
  if (keys_.bits == 16) return;
  ranges_ = Buffer(on.space(), select::range_bytes(keys_, in.shape));
  keys_.ranges = ranges_.as<select::QuantizedKeys::Range>();
}

double QuantizedCopy::key_bytes(const Shape& shape) const {
  const auto codes = static_cast<double>(select::row_bytes(keys_, shape.dtype));
  return keys_.bits == 16 ? codes : codes + sizeof(select::QuantizedKeys::Range);
}

StageCost QuantizedCopy::build_cost(std::string name, const Shape& shape) const {
  const auto kept = static_cast<double>(shape.batch * keys_.heads * shape.kv_len);
  const double flops_per_element = keys_.bits == 16 ? 0 : 6;
  return {.name = std::move(name),
          .kind = StageKind::build,
          .flops = flops_per_element * kept * static_cast<double>(keys_.channels),
          .bytes = static_cast<double>(shape.kv_elements() * size_of(shape.dtype)) + kept * key_bytes(shape)};
}

StageCost QuantizedCopy::scores_cost(std::string name, const Shape& shape, double pairs, double keys) const {
  // A multiply-add per kept channel, then two more for step and minimum. Q and the copy in, a float per score and a
  // length per row out.
  return {.name = std::move(name),
          .kind = StageKind::select,
          .flops = (2 * static_cast<double>(keys_.channels) + 4) * pairs,
          .bytes = static_cast<double>(shape.q_elements() * size_of(shape.dtype)) + keys * key_bytes(shape) +
                   4 * (pairs + static_cast<double>(shape.rows()))};
}

std::vector<SideTensor> QuantizedCopy::side_tensors(const std::string& prefix, const Shape& shape) const {
  const std::int64_t planes = keys_.heads / shape.kv_heads;
  std::vector<SideTensor> tensors{
      copy_of(codes_, prefix + "codes", "U8", {planes, keys_.rows, select::row_bytes(keys_, shape.dtype)})};
  if (keys_.bits < 16) tensors.push_back(copy_of(ranges_, prefix + "ranges", "F16", {planes, keys_.rows, 2}));
  return tensors;
}

}  // namespace attnscope::selectors
