// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/needle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "harness/base/error.hpp"
#include "harness/base/half.hpp"
#include "harness/workload/gaussian.hpp"
#include "harness/workload/needle_placement.hpp"
#include "harness/workload/portable_math.hpp"

namespace attnscope {
namespace {

enum Source : std::uint64_t { kQuery, kKey, kValue, kDirection, kPlantedValue, kDecoy, kProbe };

NoiseStream stream_of(std::uint64_t seed, Source source, std::int64_t batch, std::int64_t head) {
  return NoiseStream{seed}.child({source, static_cast<std::uint64_t>(batch), static_cast<std::uint64_t>(head)});
}

std::vector<float> normal_vector(NoiseStream stream, std::int64_t row, std::int64_t dims) {
  std::vector<float> z(static_cast<std::size_t>(round_up_to_quad(dims)));
  normal_row(stream, static_cast<std::uint64_t>(row), dims, z.data());
  z.resize(static_cast<std::size_t>(dims));
  return z;
}

/// `count` orthonormal directions, by modified Gram–Schmidt on Gaussian vectors.
std::vector<std::vector<double>> directions(NoiseStream stream, std::int64_t count, std::int64_t dims) {
  std::vector<std::vector<double>> basis;
  for (std::int64_t m = 0; m < count; ++m) {
    const std::vector<float> z = normal_vector(stream, m, dims);
    std::vector<double> u(z.begin(), z.end());
    const auto dot = [&](const std::vector<double>& a) {
      double sum = 0;
      for (std::size_t c = 0; c < a.size(); ++c) sum += a[c] * u[c];
      return sum;
    };
    for (const auto& earlier : basis) {
      const double along = dot(earlier);
      for (std::size_t c = 0; c < u.size(); ++c) u[c] -= along * earlier[c];
    }
    const double length = std::sqrt(dot(u));
    for (double& x : u) x /= length;
    basis.push_back(std::move(u));
  }
  return basis;
}

void store_row(const Buffer& tensor, const Shape& shape, std::int64_t row, double scale, const auto& values) {
  std::int64_t at = row * shape.head_dim;
  for (const auto x : values)
    store_element(tensor.data(), shape.dtype, at++, static_cast<float>(scale * static_cast<double>(x)));
}

class NeedleWorkload : public Workload {
 public:
  const WorkloadInfo& info() const override {
    static const WorkloadInfo info{
        .name = "needle",
        .title = "Needle",
        .help = "Planted key–value pairs that exact attention provably retrieves: task score is the share retrieved.",
        .parameters = {
            {"needles", ParameterType::integer, 8, 1, 256, {}, "Planted pairs per KV head."},
            {"placement",
             ParameterType::choice,
             "spread",
             0,
             0,
             {"spread", "at_depth"},
             "Spread evenly over the context, or side by side at `depth`."},
            {"depth", ParameterType::real, 0.5, 0, 1, {}, "Where, with placement at_depth: 1 is the end."},
            {"strength", ParameterType::real, 2.0, 0.1, 16, {}, "Length of a needle's key over an ordinary key's."},
            {"mass",
             ParameterType::real,
             0.95,
             0.5,
             0.9999,
             {},
             "Softmax mass that a needle holds at least in a row that asks for it."}}};
    return info;
  }

  Problem make(const Shape& shape, Phase phase, const Params& params, std::uint64_t seed, int threads) const override {
    Problem problem = allocate_problem(shape, phase);
    const NeedlePlacement placement(shape, phase, params);
    const std::int64_t probes = placement.probes_per_head() * shape.batch * shape.q_heads;
    const double strength = params.real("strength");
    const double sigma = needle_sigma(shape, probes, strength, params.real("mass"));

    RetrievalTask task;
    for (std::int64_t b = 0; b < shape.batch; ++b) {
      for (std::int64_t kv = 0; kv < shape.kv_heads; ++kv) {
        fill_distractors(problem, b, kv, seed, threads);
        const auto basis = directions(stream_of(seed, kDirection, b, kv), placement.count(), shape.head_dim);
        plant(problem, placement, b, kv, basis, strength, seed, task);
        for (std::int64_t h = kv * shape.group(); h < (kv + 1) * shape.group(); ++h)
          ask(problem, placement, b, h, basis, sigma, seed, task);
      }
    }
    const std::int64_t planted = shape.batch * shape.kv_heads * placement.count();
    for (std::int64_t decoy = 0; decoy < planted; ++decoy) {
      const std::vector<float> value = normal_vector(stream_of(seed, kDecoy, 0, 0), decoy, shape.head_dim);
      task.candidates.insert(task.candidates.end(), value.begin(), value.end());
    }
    problem.task = std::move(task);
    problem.provenance = {{"generator", "needle"},
                          {"seed", seed},
                          {"params", params.json()},
                          {"positions", placement.positions()},
                          {"sigma", sigma}};
    return problem;
  }

 private:
  static void fill_distractors(Problem& problem, std::int64_t b, std::int64_t kv, std::uint64_t seed, int threads) {
    const Shape& s = problem.shape;
    const std::int64_t keys = (b * s.kv_heads + kv) * s.kv_len * s.head_dim;
    fill_gaussian(s, stream_of(seed, kKey, b, kv), 0, s.kv_len, 1, problem.k.data(), keys, threads);
    fill_gaussian(s, stream_of(seed, kValue, b, kv), 0, s.kv_len, 1, problem.v.data(), keys, threads);
    for (std::int64_t h = kv * s.group(); h < (kv + 1) * s.group(); ++h) {
      const NoiseStream stream = stream_of(seed, kQuery, b, h);
      const std::int64_t head = (b * s.q_heads + h) * s.head_dim, first = s.position(0);
      fill_gaussian(s, stream, first, s.q_len, 1, problem.q.data(), head * s.q_len, threads);
      // Earlier queries ask for nothing: what they attended says nothing about the needles.
      fill_gaussian(s, stream, first - s.history, s.history, 1, problem.past_q.data(), head * s.history, threads);
    }
  }

  static void plant(Problem& problem, const NeedlePlacement& placement, std::int64_t b, std::int64_t kv,
                    std::span<const std::vector<double>> basis, double strength, std::uint64_t seed,
                    RetrievalTask& task) {
    const Shape& s = problem.shape;
    const double length = strength * std::sqrt(static_cast<double>(s.head_dim));
    for (std::int64_t m = 0; m < placement.count(); ++m) {
      const auto index = static_cast<std::size_t>(m);
      const std::int64_t row = (b * s.kv_heads + kv) * s.kv_len + placement.positions()[index];
      const std::vector<float> value = normal_vector(stream_of(seed, kPlantedValue, b, kv), m, s.head_dim);
      store_row(problem.k, s, row, length, basis[index]);
      store_row(problem.v, s, row, 1, value);
      task.candidates.insert(task.candidates.end(), value.begin(), value.end());
    }
  }

  static void ask(Problem& problem, const NeedlePlacement& placement, std::int64_t b, std::int64_t h,
                  std::span<const std::vector<double>> basis, double sigma, std::uint64_t seed, RetrievalTask& task) {
    const Shape& s = problem.shape;
    const std::int64_t first_answer = (b * s.kv_heads + h / s.group()) * placement.count();
    for (const auto& [query, needle] : placement.probes(h, stream_of(seed, kProbe, b, h))) {
      store_row(problem.q, s, (b * s.q_heads + h) * s.q_len + query, sigma * std::sqrt(static_cast<double>(s.head_dim)),
                basis[static_cast<std::size_t>(needle)]);
      task.rows.push_back({.batch = b, .head = h, .query = query});
      task.answers.push_back(first_answer + needle);
    }
  }
};

}  // namespace

double needle_sigma(const Shape& shape, std::int64_t probes, double strength, double mass) {
  constexpr double kFailure = 1e-6;
  const auto n = static_cast<double>(shape.kv_len);
  const double root = std::sqrt(static_cast<double>(shape.head_dim));
  const double tail = std::sqrt(2 * portable::log(n * static_cast<double>(probes) / kFailure));
  const double r = unit_roundoff(shape.dtype);
  const double rounding = 2 * r + r * r;
  const double lost = tail + rounding * (root + tail);
  const double margin = strength * root * (1 - rounding) - lost;
  if (margin < 1)
    throw InputError(fmt::format("workload needle: strength: expected at least {:.3g} at this shape, found {}",
                                 (1 + lost) / (root * (1 - rounding)), strength));
  return portable::log(n * mass / (1 - mass)) / margin;
}

const Workload& needle_workload() {
  static const NeedleWorkload workload;
  return workload;
}

}  // namespace attnscope
