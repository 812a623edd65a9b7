// SPDX-License-Identifier: Apache-2.0
#include "kernels/selectors/list_tensors.hpp"

#include <algorithm>
#include <cstring>

namespace attnscope::selectors {
namespace {

template <typename T>
SideTensor tensor_of(std::string name, std::string dtype, const std::vector<T>& values) {
  SideTensor tensor{.name = std::move(name),
                    .dtype = std::move(dtype),
                    .dims = {std::ssize(values)},
                    .bytes = std::vector<std::byte>(values.size() * sizeof(T))};
  std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

template <typename T>
bool take_values(const std::string& name, std::vector<SideTensor>& tensors, std::vector<T>& values) {
  const auto found = std::ranges::find(tensors, name, &SideTensor::name);
  if (found == tensors.end()) return false;
  values.resize(found->bytes.size() / sizeof(T));
  std::memcpy(values.data(), found->bytes.data(), found->bytes.size());
  tensors.erase(found);
  return true;
}

}  // namespace

std::vector<SideTensor> list_tensors(const std::string& name, const HostLists& lists, const Shape& shape) {
  const TokenList view = lists.view();
  const std::int64_t share = shape.q_heads / view.heads;
  std::vector<std::int64_t> begin{0};
  std::vector<std::int32_t> all, keys;
  for (std::int64_t b = 0; b < shape.batch; ++b)
    for (std::int64_t h = 0; h < view.heads; ++h) {
      attended_keys(view, shape, {.batch = b, .head = h * share, .query = 0}, keys);
      all.insert(all.end(), keys.begin(), keys.end());
      begin.push_back(std::ssize(all));
    }
  return {tensor_of(name + "_begin", "I64", begin), tensor_of(name, "I32", all)};
}

std::optional<GivenLists> GivenLists::take(const std::string& name, std::vector<SideTensor>& tensors) {
  GivenLists lists;
  if (!take_values(name + "_begin", tensors, lists.begin_) || !take_values(name, tensors, lists.keys_))
    return std::nullopt;
  return lists;
}

std::span<const std::int32_t> GivenLists::keys(const Shape& shape, const Row& row) const {
  const std::int64_t heads = size() / shape.batch;
  const std::int64_t list = row.batch * heads + row.head / (shape.q_heads / heads);
  return std::span(keys_).subspan(begin_[list], begin_[list + 1] - begin_[list]);
}

}  // namespace attnscope::selectors
