// SPDX-License-Identifier: Apache-2.0
#include "kernels/methods/retroinfer/index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "harness/base/error.hpp"
#include "harness/base/half.hpp"
#include "harness/base/parallel.hpp"
#include "kernels/compose/exact.hpp"

namespace attnscope::retroinfer {
namespace {

using Vector = std::vector<double>;

/// The clustered keys or values of one (batch, KV head).
struct Rows {
  const void* data;
  Dtype dtype;
  std::int64_t dim, first;

  Rows(const AttentionInputs& host, const Zones& zones, std::int64_t head, const void* data_)
      : data(data_),
        dtype(host.shape.dtype),
        dim(host.shape.head_dim),
        first(head * host.shape.kv_len + zones.plan.first) {}
  Vector operator[](std::int64_t key) const {
    Vector x(dim);
    compose::load(data, dtype, (first + key) * dim, x);
    return x;
  }
};

Vector cluster_vector(const std::vector<std::byte>& vectors, const AttentionInputs& host, std::int64_t at) {
  Vector x(host.shape.head_dim);
  compose::load(vectors.data(), host.shape.dtype, at * host.shape.head_dim, x);
  return x;
}

void store(std::vector<std::byte>& vectors, const AttentionInputs& host, std::int64_t at, const Vector& x) {
  for (std::size_t c = 0; c < x.size(); ++c)
    store_element(vectors.data(), host.shape.dtype, at * host.shape.head_dim + static_cast<std::int64_t>(c),
                  static_cast<float>(x[c]));
}

double dot(const Vector& x, const Vector& y) {
  double sum = 0;
  for (std::size_t c = 0; c < x.size(); ++c) sum += x[c] * y[c];
  return sum;
}

Vector minus(Vector x, const Vector& y) {
  for (std::size_t c = 0; c < x.size(); ++c) x[c] -= y[c];
  return x;
}

Vector average(const Rows& rows, std::span<const std::int32_t> keys) {
  Vector sum(rows.dim);
  for (const std::int32_t key : keys) {
    const Vector x = rows[key];
    for (std::int64_t c = 0; c < rows.dim; ++c) sum[c] += x[c] / static_cast<double>(keys.size());
  }
  return sum;
}

Vector mean_of(const Index& index, std::int64_t head, std::int64_t dim) {
  return {index.mean.begin() + head * dim, index.mean.begin() + (head + 1) * dim};
}

void collect_members(const Zones& zones, std::int64_t head, Index& index) {
  const std::int64_t clusters = zones.plan.clusters;
  for (std::int64_t c = 0; c < clusters; ++c) index.members[head * clusters + c].clear();
  for (std::int64_t key = 0; key < zones.plan.keys; ++key)
    index.members[head * clusters + index.assignment[head * zones.plan.keys + key]].push_back(
        static_cast<std::int32_t>(key));
}

void assign(const AttentionInputs& host, const Zones& zones, const select::Segments& segments, std::int64_t head,
            Index& index) {
  const Rows keys(host, zones, head, host.k);
  const Vector mean = mean_of(index, head, keys.dim);
  for (std::int64_t segment = 0; segment < segments.count; ++segment) {
    std::vector<Vector> directions;
    for (std::int64_t c = 0; c < segments.clusters_each(); ++c)
      directions.push_back(
          cluster_vector(index.directions, host, head * zones.plan.clusters + segment * segments.clusters_each() + c));
    const KeyRange range = segments.points_of(segment);
    for (std::int64_t key = range.begin; key < range.end; ++key) {
      const Vector x = minus(keys[key], mean);
      double best = -INFINITY;
      for (std::size_t c = 0; c < directions.size(); ++c)
        if (const double score = dot(x, directions[c]); score > best) {
          best = score;
          index.assignment[head * zones.plan.keys + key] =
              static_cast<std::int32_t>(segment * segments.clusters_each() + static_cast<std::int64_t>(c));
        }
    }
  }
  collect_members(zones, head, index);
}

void update_directions(const AttentionInputs& host, const Zones& zones, std::int64_t head, Index& index) {
  const Rows keys(host, zones, head, host.k);
  const Vector mean = mean_of(index, head, keys.dim);
  for (std::int64_t at = head * zones.plan.clusters; at < (head + 1) * zones.plan.clusters; ++at) {
    if (index.members[at].empty()) continue;  // keeps its direction
    Vector direction = minus(average(keys, index.members[at]), mean);
    const double norm = std::sqrt(dot(direction, direction));
    for (double& x : direction) x = norm > 0 ? x / norm : 0;
    store(index.directions, host, at, direction);
  }
}

void cluster_head(const AttentionInputs& host, const Zones& zones, std::int64_t head, Index& index) {
  const select::ClusterPlan& plan = zones.plan;
  const Rows keys(host, zones, head, host.k), values(host, zones, head, host.v);
  Vector mean(keys.dim);
  for (std::int64_t key = 0; key < plan.keys; ++key) {
    const Vector x = keys[key];
    for (std::int64_t c = 0; c < keys.dim; ++c) mean[c] += x[c] / static_cast<double>(plan.keys);
  }
  std::ranges::copy(mean, index.mean.begin() + head * keys.dim);
  mean = mean_of(index, head, keys.dim);
  for (std::int64_t c = 0; c < plan.clusters; ++c)
    store(index.directions, host, head * plan.clusters + c,
          minus(keys[select::seed_point(c, plan.keys, plan.clusters)], mean));
  for (std::int64_t round = 0; round < plan.iterations; ++round) {
    if (round > 0) update_directions(host, zones, head, index);
    assign(host, zones, plan.segments_of(round), head, index);
  }
  for (std::int64_t at = head * plan.clusters; at < (head + 1) * plan.clusters; ++at) {
    const auto& members = index.members[at];
    Vector centroid = members.empty() ? cluster_vector(index.directions, host, at) : average(keys, members);
    if (members.empty())
      for (std::int64_t c = 0; c < keys.dim; ++c) centroid[c] += mean[c];
    store(index.centroids, host, at, centroid);
    store(index.values, host, at, average(values, members));
  }
}

template <typename T>
std::vector<T> read(std::span<const SideTensor> built, const std::string& name, std::int64_t count) {
  const auto tensor = std::ranges::find(built, name, &SideTensor::name);
  if (tensor == built.end()) throw Error(fmt::format("retroinfer: built tensor {} is missing", name));
  std::vector<T> values(count);
  if (tensor->bytes.size() != values.size() * sizeof(T))
    throw Error(fmt::format("retroinfer: built tensor {} has {} bytes, expected {}", name, tensor->bytes.size(),
                            values.size() * sizeof(T)));
  std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
  return values;
}

/// |found − exact| that rounding explains: the average of `count` values of mean magnitude `magnitude`, summed in float
/// in any order, then rounded to `dtype`.
double average_error(Dtype dtype, double exact, double magnitude, double count) {
  const double sum = (count + 2) * 0x1p-24 * magnitude;
  const double smallest = dtype == Dtype::f16 ? 0x1p-25 : 0;  // half a subnormal
  return sum + unit_roundoff(dtype) * (std::abs(exact) + sum) + smallest;
}

std::string mean_fault(const AttentionInputs& host, const Zones& zones, const Index& index, std::int64_t head,
                       std::int64_t channel) {
  const std::int64_t dim = host.shape.head_dim, first = head * host.shape.kv_len + zones.plan.first;
  double sum = 0, magnitude = 0;
  for (std::int64_t key = 0; key < zones.plan.keys; ++key) {
    const double x = load_element(host.k, host.shape.dtype, (first + key) * dim + channel);
    sum += x;
    magnitude += std::abs(x);
  }
  const auto count = static_cast<double>(zones.plan.keys);
  const double found = index.mean[head * dim + channel];
  // No more than 1024 keys are summed in float, the rest in double.
  if (std::abs(found - sum / count) <= average_error(Dtype::f32, sum / count, magnitude / count, 1024)) return {};
  return fmt::format("mean of channel {} is {}, expected {}", channel, found, sum / count);
}

std::string assignment_fault(const AttentionInputs& host, const Zones& zones, const Index& index, std::int64_t head,
                             std::int64_t key) {
  const std::int64_t clusters = zones.plan.clusters, dim = host.shape.head_dim;
  const select::Segments segments = zones.plan.segments_of(zones.plan.iterations - 1);
  const std::int64_t segment = std::min(key / (segments.points / segments.count), segments.count - 1);
  const std::int64_t first = segment * segments.clusters_each(), last = first + segments.clusters_each();
  const std::int64_t assigned = index.assignment[head * zones.plan.keys + key];
  if (assigned < first || assigned >= last)
    return fmt::format("key {} is in cluster {}, outside its segment's [{}, {})", key, assigned, first, last);

  const Vector x = Rows(host, zones, head, host.k)[key], mean = mean_of(index, head, dim);
  compose::Bounded own;
  double best = -INFINITY;
  for (std::int64_t c = first; c < last; ++c) {
    const Vector direction = cluster_vector(index.directions, host, head * clusters + c);
    compose::Bounded score;  // x · c − μ · c, two dot products and their difference
    double magnitude = 0;
    for (std::int64_t i = 0; i < dim; ++i) {
      score.value += (x[i] - mean[i]) * direction[i];
      magnitude += std::abs(x[i] * direction[i]) + std::abs(mean[i] * direction[i]);
    }
    score.error = compose::dot_error(dim + 1) * magnitude;
    best = std::max(best, score.low());
    if (c == assigned) own = score;
  }
  if (own.high() >= best) return {};
  return fmt::format("key {} is in cluster {} with score {} where another has {}", key, assigned, own.value, best);
}

std::string average_fault(const AttentionInputs& host, const Index& index, const Rows& rows, std::int64_t at,
                          const std::vector<std::byte>& vectors, const char* name) {
  const auto& members = index.members[at];
  if (members.empty()) return {};
  const Vector exact = average(rows, members), found = cluster_vector(vectors, host, at);
  Vector magnitude(rows.dim);
  for (const std::int32_t key : members) {
    const Vector x = rows[key];
    for (std::int64_t c = 0; c < rows.dim; ++c) magnitude[c] += std::abs(x[c]) / static_cast<double>(members.size());
  }
  for (std::int64_t c = 0; c < rows.dim; ++c)
    if (!(std::abs(found[c] - exact[c]) <=
          average_error(host.shape.dtype, exact[c], magnitude[c], static_cast<double>(members.size()))))
      return fmt::format("{} {} has {} in channel {}, expected {}", name, at, found[c], c, exact[c]);
  return {};
}

}  // namespace

Index make_index(const AttentionInputs& host, const Zones& zones) {
  const std::int64_t heads = host.shape.batch * host.shape.kv_heads, dim = host.shape.head_dim;
  const std::size_t bytes = heads * zones.plan.clusters * dim * size_of(host.shape.dtype);
  Index index{.mean = std::vector<float>(heads * dim),
              .directions = std::vector<std::byte>(bytes),
              .centroids = std::vector<std::byte>(bytes),
              .values = std::vector<std::byte>(bytes),
              .assignment = std::vector<std::int32_t>(heads * zones.plan.keys),
              .members = std::vector<std::vector<std::int32_t>>(heads * zones.plan.clusters),
              .retrieved = {},
              .ranked = {}};
  parallel_for(heads, hardware_threads(), [&](std::int64_t head) { cluster_head(host, zones, head, index); });
  return index;
}

Index read_index(const AttentionInputs& host, const Zones& zones, std::span<const SideTensor> built) {
  const std::int64_t heads = host.shape.batch * host.shape.kv_heads, dim = host.shape.head_dim;
  const std::int64_t clusters = heads * zones.plan.clusters, bytes = clusters * dim * size_of(host.shape.dtype);
  Index index{.mean = read<float>(built, "mean", heads * dim),
              .directions = read<std::byte>(built, "directions", bytes),
              .centroids = read<std::byte>(built, "centroids", bytes),
              .values = read<std::byte>(built, "values", bytes),
              .assignment = read<std::int32_t>(built, "assignment", heads * zones.plan.keys),
              .members = std::vector<std::vector<std::int32_t>>(clusters),
              .retrieved = read<std::int32_t>(built, "retrieved", heads * zones.retrieved),
              .ranked = read<std::int32_t>(built, "ranked", heads * zones.ranked())};
  for (const std::int32_t cluster : index.assignment)
    if (cluster < 0 || cluster >= zones.plan.clusters)
      throw Error(fmt::format("retroinfer: a key is in cluster {} of {}", cluster, zones.plan.clusters));
  for (std::int64_t head = 0; head < heads; ++head) collect_members(zones, head, index);
  return index;
}

std::string index_fault(const AttentionInputs& host, const Zones& zones, const Index& index, std::int64_t head,
                        std::int64_t sample) {
  constexpr std::int64_t kSampled = 16;  // keys, and as many clusters
  const std::int64_t clusters = zones.plan.clusters, keys = zones.plan.keys;
  std::string fault = mean_fault(host, zones, index, head, sample % host.shape.head_dim);
  for (std::int64_t i = 0; i < kSampled && fault.empty(); ++i)
    fault = assignment_fault(host, zones, index, head, (i * keys / kSampled + sample) % keys);
  for (std::int64_t i = 0; i < kSampled && fault.empty(); ++i) {
    const std::int64_t at = head * clusters + (i * clusters / kSampled + sample) % clusters;
    fault = average_fault(host, index, Rows(host, zones, head, host.k), at, index.centroids, "centroid");
    if (fault.empty())
      fault = average_fault(host, index, Rows(host, zones, head, host.v), at, index.values, "mean value");
  }
  return fault;
}

}  // namespace attnscope::retroinfer
