// SPDX-License-Identifier: Apache-2.0
#include "harness/verify/accuracy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "harness/base/half.hpp"

namespace attnscope {
namespace {

std::vector<double> output_row(const Shape& shape, const AttentionOutputs& outputs, const Row& row) {
  const std::int64_t index = (row.batch * shape.q_heads + row.head) * shape.q_len + row.query;
  std::vector<double> o(shape.head_dim);
  for (std::int64_t c = 0; c < shape.head_dim; ++c)
    o[c] = load_element(outputs.o, shape.dtype, index * shape.head_dim + c);
  return o;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

void put_output_errors(const Shape& shape, const AttentionOutputs& outputs, const AttentionRows& exact,
                       record::Accuracy& result) {
  double error2 = 0, norm2 = 0, max_abs = 0;
  std::vector<double> cosines;
  for (std::size_t r = 0; r < exact.rows.size(); ++r) {
    const std::vector<double> found = output_row(shape, outputs, exact.rows[r]);
    const auto expected = exact.output(r);
    double dot = 0, found2 = 0, expected2 = 0;
    for (std::size_t c = 0; c < found.size(); ++c) {
      const double difference = found[c] - expected[c];
      error2 += difference * difference;
      max_abs = std::max(max_abs, std::abs(difference));
      dot += found[c] * expected[c];
      found2 += found[c] * found[c];
      expected2 += expected[c] * expected[c];
    }
    norm2 += expected2;
    if (expected2 > 0) cosines.push_back(found2 > 0 ? dot / std::sqrt(found2 * expected2) : 0);
  }
  result.max_abs = max_abs;
  if (norm2 > 0) result.rel_l2 = std::sqrt(error2 / norm2);
  if (!cosines.empty()) result.cosine = mean(cosines);
}

/// The weight that keys with the log-sum `lse` have in a row whose exact log-sum is `exact_lse`.
double mass_of(double lse, double exact_lse) { return std::min(1.0, std::exp(lse - exact_lse)); }

/// Means of `masses`, one per row of `rows`, over the rows of each query head; nothing for heads without rows.
std::vector<std::optional<double>> by_head(const Shape& shape, std::span<const Row> rows,
                                           std::span<const double> masses) {
  std::vector<std::vector<double>> of_head(static_cast<std::size_t>(shape.q_heads));
  for (std::size_t r = 0; r < rows.size(); ++r) of_head[rows[r].head].push_back(masses[r]);
  std::vector<std::optional<double>> means;
  for (const auto& some : of_head) means.push_back(some.empty() ? std::nullopt : std::optional(mean(some)));
  return means;
}

void put_key_sets(const Shape& shape, const AttentionRows& exact, const Comparison& comparison,
                  record::Accuracy& result) {
  for (const auto& [name, lse] : comparison.key_sets_lse) {
    std::vector<double> masses;
    for (std::size_t r = 0; r < lse.size(); ++r) masses.push_back(mass_of(lse[r], exact.lse[r]));
    result.key_sets[name] = {.mass_mean = mean(masses), .mass_by_head = by_head(shape, exact.rows, masses)};
  }
}

void put_mass(const AttentionInputs& inputs, const AttentionRows& exact, const Comparison& comparison,
              record::Accuracy& result) {
  std::vector<double> masses, non_sink;
  for (std::size_t r = 0; r < exact.rows.size(); ++r) {
    const double mass = mass_of(comparison.attended_lse[r], exact.lse[r]);
    masses.push_back(mass);
    const double sink = softmax_weight(inputs, exact.rows[r], exact.lse[r], 0);
    if (inputs.shape.visible(exact.rows[r].query) < 2 || sink >= 1) continue;
    const double kept = comparison.attends_first[r] ? mass - sink : mass;
    non_sink.push_back(std::clamp(kept / (1 - sink), 0.0, 1.0));
  }
  result.mass_recall = mean(masses);
  result.mass_by_head = by_head(inputs.shape, exact.rows, masses);
  std::ranges::sort(masses);
  result.mass_recall_min = masses.front();
  result.mass_recall_p10 = masses[(masses.size() - 1) / 10];
  if (!non_sink.empty()) result.mass_recall_non_sink = mean(non_sink);
}

}  // namespace

record::Accuracy accuracy(const AttentionInputs& inputs, const AttentionOutputs& outputs, const AttentionRows& exact,
                          const Comparison& comparison, const RetrievalTask* task) {
  record::Accuracy result;
  result.rows_sampled = std::ssize(exact.rows);
  put_output_errors(inputs.shape, outputs, exact, result);
  put_mass(inputs, exact, comparison, result);
  put_key_sets(inputs.shape, exact, comparison, result);
  if (task && !task->rows.empty()) result.task_score = task_score(inputs.shape, outputs, *task);
  return result;
}

double task_score(const Shape& shape, const AttentionOutputs& outputs, const RetrievalTask& task) {
  const std::int64_t candidates = std::ssize(task.candidates) / shape.head_dim;
  std::int64_t right = 0;
  for (std::size_t r = 0; r < task.rows.size(); ++r) {
    const std::vector<double> o = output_row(shape, outputs, task.rows[r]);
    std::int64_t nearest = -1;
    double best = -std::numeric_limits<double>::infinity();
    for (std::int64_t i = 0; i < candidates; ++i) {
      double dot = 0, norm2 = 0;
      for (std::int64_t c = 0; c < shape.head_dim; ++c) {
        const double value = task.candidates[i * shape.head_dim + c];
        dot += o[c] * value;
        norm2 += value * value;
      }
      const double cosine = dot / std::sqrt(norm2);  // times ‖o‖, the same for every candidate
      if (cosine > best) best = cosine, nearest = i;
    }
    right += nearest == task.answers[r];
  }
  return static_cast<double>(right) / static_cast<double>(task.rows.size());
}

}  // namespace attnscope
