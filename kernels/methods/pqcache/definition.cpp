// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "harness/base/error.hpp"
#include "harness/base/half.hpp"
#include "harness/base/parallel.hpp"
#include "kernels/compose/exact.hpp"
#include "kernels/compose/group_weights.hpp"
#include "kernels/methods/pqcache/settings.hpp"

namespace attnscope::pqcache {
namespace {

using Vector = std::vector<double>;

/// Centroids and the codes of keys, numbered from the first behind the sinks; made in double, or built by a backend.
struct Index {
  std::vector<std::byte> centroids;  // K's dtype [heads, parts, 2^bits, head_dim / parts]
  std::vector<std::uint16_t> codes;  // [heads, keys]
};

class PqCacheDefinition final : public Definition {
 public:
  PqCacheDefinition(const AttentionInputs& host, const Settings& settings, const std::vector<SideTensor>& built)
      : host_(host), settings_(settings), given_(!built.empty()) {
    const std::int64_t heads = host.shape.batch * host.shape.kv_heads;
    index_.centroids.resize(heads * plan().centroids() * host.shape.head_dim * size_of(host.shape.dtype));
    index_.codes.resize(heads * plan().keys);
    if (given_) {
      read(built, "centroids", index_.centroids);
      read(built, "codes", index_.codes);
      for (const std::uint16_t code : index_.codes)
        if (code >= plan().codes()) throw Error(fmt::format("pqcache: a key has code {} of {}", code, plan().codes()));
    } else {
      parallel_for(heads * plan().parts, hardware_threads(),
                   [&](std::int64_t group) { cluster(group / plan().parts, group % plan().parts); });
      parallel_for(heads, hardware_threads(), [&](std::int64_t head) { encode(head); });
    }
  }

  RowSelection select_row(const Row& row) const override {
    const std::int64_t head = row.batch * host_.shape.kv_heads + row.head / host_.shape.group();
    RowSelection selection;
    if (given_) selection.fault = fault(head, row.batch * host_.shape.q_heads + row.head);
    const auto add = [&](std::vector<std::int32_t>& keys, std::int64_t key) {
      keys.push_back(static_cast<std::int32_t>(key));
    };
    const compose::Choice choice = compose::largest(weights(row, head), plan().choose);
    for (std::int64_t key = 0; key < plan().first; ++key) add(selection.keys, key);
    for (const std::int32_t candidate : choice.certain) add(selection.keys, plan().first + candidate);
    for (std::int64_t key = host_.shape.kv_len - settings_.recent; key < host_.shape.kv_len; ++key)
      add(selection.keys, key);
    for (const std::int32_t candidate : choice.open) add(selection.borderline, plan().first + candidate);
    selection.borderline_min = selection.borderline_max = choice.take;
    return selection;
  }

 private:
  const select::CodePlan& plan() const { return settings_.plan; }
  std::int64_t dim() const { return host_.shape.head_dim / plan().parts; }

  Vector sub_key(std::int64_t head, std::int64_t part, std::int64_t key) const {
    Vector x(dim());
    compose::load(host_.k, host_.shape.dtype,
                  (head * host_.shape.kv_len + plan().first + key) * host_.shape.head_dim + part * dim(), x);
    return x;
  }
  std::int64_t centroid_at(std::int64_t head, std::int64_t part, std::int64_t c) const {
    return ((head * plan().parts + part) * plan().centroids() + c) * dim();
  }
  Vector centroid(std::int64_t head, std::int64_t part, std::int64_t c) const {
    Vector x(dim());
    compose::load(index_.centroids.data(), host_.shape.dtype, centroid_at(head, part, c), x);
    return x;
  }

  /// −|x − c|² / 2 less −|x|² / 2, as backends compute it; the largest is the nearest.
  static compose::Bounded closeness(const Vector& x, const Vector& c) {
    compose::Bounded score;
    double magnitude = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      score.value += x[i] * c[i] - c[i] * c[i] / 2;
      magnitude += std::abs(x[i] * c[i]) + c[i] * c[i] / 2;
    }
    score.error = compose::dot_error(std::ssize(x) + 1) * magnitude;
    return score;
  }

  std::vector<Vector> centroids(std::int64_t head, std::int64_t part) const {
    std::vector<Vector> all;
    for (std::int64_t c = 0; c < plan().centroids(); ++c) all.push_back(centroid(head, part, c));
    return all;
  }

  static std::int64_t nearest(const Vector& x, const std::vector<Vector>& centroids) {
    return std::ranges::max_element(centroids, {}, [&](const Vector& c) { return closeness(x, c).value; }) -
           centroids.begin();
  }

  void store(std::int64_t head, std::int64_t part, std::int64_t c, const Vector& x) {
    for (std::int64_t i = 0; i < dim(); ++i)
      store_element(index_.centroids.data(), host_.shape.dtype, centroid_at(head, part, c) + i,
                    static_cast<float>(x[i]));
  }

  /// The k-means of one part of a head's keys.
  void cluster(std::int64_t head, std::int64_t part) {
    for (std::int64_t c = 0; c < plan().centroids(); ++c)
      store(head, part, c, sub_key(head, part, select::seed_point(c, plan().keys, plan().centroids())));
    for (std::int64_t round = 0; round < plan().iterations; ++round) {
      const std::vector<Vector> now = centroids(head, part);
      std::vector<Vector> sum(now.size(), Vector(dim()));
      std::vector<double> count(now.size());
      for (std::int64_t key = 0; key < plan().keys; ++key) {
        const Vector x = sub_key(head, part, key);
        const std::int64_t c = nearest(x, now);
        ++count[c];
        for (std::int64_t i = 0; i < dim(); ++i) sum[c][i] += x[i];
      }
      for (std::int64_t c = 0; c < plan().centroids(); ++c) {
        if (count[c] == 0) continue;  // stays where it is
        for (double& x : sum[c]) x /= count[c];
        store(head, part, c, sum[c]);
      }
    }
  }

  void encode(std::int64_t head) {
    for (std::int64_t part = 0; part < plan().parts; ++part) {
      const std::vector<Vector> all = centroids(head, part);
      for (std::int64_t key = 0; key < plan().keys; ++key)
        index_.codes[head * plan().keys + key] |=
            static_cast<std::uint16_t>(nearest(sub_key(head, part, key), all) << part * plan().bits);
    }
  }

  template <typename T>
  static void read(const std::vector<SideTensor>& built, const std::string& name, std::vector<T>& values) {
    const auto tensor = std::ranges::find(built, name, &SideTensor::name);
    if (tensor == built.end()) throw Error(fmt::format("pqcache: built tensor {} is missing", name));
    if (tensor->bytes.size() != values.size() * sizeof(T))
      throw Error(fmt::format("pqcache: built tensor {} has {} bytes, expected {}", name, tensor->bytes.size(),
                              values.size() * sizeof(T)));
    std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
  }

  /// What the codes of a few keys say: that each part is nearest to its centroid, up to rounding.
  std::string fault(std::int64_t head, std::int64_t sample) const {
    constexpr std::int64_t kSampled = 32;
    for (std::int64_t i = 0; i < kSampled; ++i) {
      const std::int64_t key = (i * plan().keys / kSampled + sample) % plan().keys;
      for (std::int64_t part = 0; part < plan().parts; ++part) {
        const Vector x = sub_key(head, part, key);
        const std::int64_t own =
            index_.codes[head * plan().keys + key] >> part * plan().bits & (plan().centroids() - 1);
        const compose::Bounded found = closeness(x, centroid(head, part, own));
        for (std::int64_t c = 0; c < plan().centroids(); ++c)
          if (closeness(x, centroid(head, part, c)).low() > found.high())
            return fmt::format("part {} of key {} has code {}, but centroid {} is nearer", part, plan().first + key,
                               own, c);
      }
    }
    return {};
  }

  /// Σ over the query heads of the group of softmax over the candidates.
  std::vector<compose::Bounded> weights(const Row& row, std::int64_t head) const {
    const Shape& shape = host_.shape;
    std::vector<compose::Bounded> sums(plan().candidates), logits(plan().candidates);
    for (std::int64_t g = 0; g < shape.group(); ++g) {
      const std::int64_t q_row = row.batch * shape.q_heads + row.head / shape.group() * shape.group() + g;
      std::vector<compose::Bounded> table;  // [parts, 2^bits], errors of a dot product over all parts
      for (std::int64_t part = 0; part < plan().parts; ++part) {
        Vector q(dim());
        compose::load(host_.q, shape.dtype, q_row * shape.head_dim + part * dim(), q);
        for (std::int64_t c = 0; c < plan().centroids(); ++c) {
          const Vector y = centroid(head, part, c);
          compose::Bounded entry;
          for (std::int64_t i = 0; i < dim(); ++i) {
            entry.value += host_.scale * q[i] * y[i];
            entry.error += compose::dot_error(shape.head_dim) * host_.scale * std::abs(q[i] * y[i]);
          }
          table.push_back(entry);
        }
      }
      for (std::int64_t key = 0; key < plan().candidates; ++key) {
        logits[key] = {};
        for (std::int64_t part = 0; part < plan().parts; ++part) {
          const std::int64_t c =
              index_.codes[head * plan().keys + key] >> part * plan().bits & (plan().centroids() - 1);
          logits[key].value += table[part * plan().centroids() + c].value;
          logits[key].error += table[part * plan().centroids() + c].error;
        }
      }
      compose::add_softmax(logits, sums);
    }
    return sums;
  }

  const AttentionInputs host_;
  const Settings settings_;
  const bool given_;
  Index index_;
};

}  // namespace

std::unique_ptr<const Definition> define(const AttentionInputs& host, const Settings& settings,
                                         std::vector<SideTensor> built) {
  return std::make_unique<const PqCacheDefinition>(host, settings, built);
}

}  // namespace attnscope::pqcache
