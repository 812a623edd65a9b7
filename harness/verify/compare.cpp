// SPDX-License-Identifier: Apache-2.0
#include "harness/verify/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "harness/base/half.hpp"
#include "harness/base/parallel.hpp"
#include "harness/verify/terms.hpp"
#include "harness/verify/tolerance.hpp"

namespace attnscope {
namespace {

/// Definitions are obvious loops in double: this bounds the keys that it visits for one point to a few seconds.
constexpr std::int64_t kDefinedKeys = std::int64_t{1} << 27;
constexpr std::int64_t kMinDefinedRows = 8;

std::int64_t row_index(const Shape& shape, const Row& row) {
  return (row.batch * shape.q_heads + row.head) * shape.q_len + row.query;
}

std::string name_of(const Row& row) { return fmt::format("batch {} head {} query {}", row.batch, row.head, row.query); }

void append(AttentionRows& all, const AttentionRows& one) {
  all.rows.insert(all.rows.end(), one.rows.begin(), one.rows.end());
  all.o.insert(all.o.end(), one.o.begin(), one.o.end());
  all.lse.insert(all.lse.end(), one.lse.begin(), one.lse.end());
  all.scale.insert(all.scale.end(), one.scale.begin(), one.scale.end());
}

AttentionRows row_of(const AttentionRows& all, std::size_t r) {
  const auto output = all.output(r);
  return {.rows = {all.rows[r]}, .o = {output.begin(), output.end()}, .lse = {all.lse[r]}, .scale = {all.scale[r]}};
}

/// How many rows apart the rows stand whose selection is checked.
std::size_t defined_stride(const Shape& shape, std::size_t rows) {
  const auto affordable = static_cast<std::size_t>(std::max(kMinDefinedRows, kDefinedKeys / shape.kv_len));
  return (rows + affordable - 1) / affordable;
}

}  // namespace

std::optional<std::string> unwritten_output(const Shape& shape, const AttentionOutputs& host) {
  for (std::int64_t i = 0; i < shape.q_elements(); ++i)
    if (std::isnan(load_element(host.o, shape.dtype, i)))
      return fmt::format("o: element {} of {} is NaN or was not written", i, shape.q_elements());
  for (std::int64_t i = 0; i < shape.rows(); ++i)
    if (std::isnan(host.lse[i])) return fmt::format("lse: row {} of {} is NaN or was not written", i, shape.rows());
  return std::nullopt;
}

std::optional<std::string> selection_fault(const RowSelection& defined, std::span<const std::int32_t> attended) {
  if (std::ranges::adjacent_find(attended, std::greater_equal{}) != attended.end())
    return "attended keys are not ascending and distinct";
  if (!defined.fault.empty()) return defined.fault;
  std::vector<std::int32_t> missing, extra;
  std::ranges::set_difference(defined.keys, attended, std::back_inserter(missing));
  if (!missing.empty()) return fmt::format("key {} must be attended and is not", missing.front());
  std::ranges::set_difference(attended, defined.keys, std::back_inserter(extra));
  const auto taken = std::ssize(extra);
  for (const std::int32_t key : extra)
    if (!std::ranges::binary_search(defined.borderline, key))
      return fmt::format("key {} is attended and must not be", key);
  if (taken < defined.borderline_min || taken > defined.borderline_max)
    return fmt::format("{} borderline keys are attended, expected {} to {}", taken, defined.borderline_min,
                       defined.borderline_max);
  return std::nullopt;
}

std::optional<std::string> compare_rows(const Shape& shape, const AttentionOutputs& host,
                                        const AttentionRows& reference, record::Verified& verified) {
  std::optional<std::string> fault;
  double worst = -1;
  for (std::size_t r = 0; r < reference.rows.size(); ++r) {
    const std::int64_t index = row_index(shape, reference.rows[r]);
    const auto expected = reference.output(r);
    double error2 = 0, norm2 = 0;
    for (std::int64_t c = 0; c < shape.head_dim; ++c) {
      const double difference = load_element(host.o, shape.dtype, index * shape.head_dim + c) - expected[c];
      error2 += difference * difference;
      norm2 += expected[c] * expected[c];
    }
    const double error = std::sqrt(error2), norm = std::sqrt(norm2);
    const RowTolerance limit = row_tolerance(shape.dtype, shape.head_dim, reference.scale[r], norm, reference.lse[r]);
    const double lse_error = host.lse[index] == reference.lse[r] ? 0 : std::abs(host.lse[index] - reference.lse[r]);
    if (!fault && !(error <= limit.o))
      fault = fmt::format("o of {}: error {:.3g}, tolerance {:.3g}, norm {:.3g}", name_of(reference.rows[r]), error,
                          limit.o, norm);
    if (!fault && !(lse_error <= limit.lse))
      fault = fmt::format("lse of {}: found {:.9g}, expected {:.9g}, tolerance {:.3g}", name_of(reference.rows[r]),
                          host.lse[index], reference.lse[r], limit.lse);
    if (norm > 0 && error / limit.o > worst) {
      worst = error / limit.o;
      verified.reference_rel_l2 = error / norm;
      verified.tolerance = limit.o / norm;
    }
  }
  verified.rows = std::ssize(reference.rows);
  return fault;
}

Comparison compare_with_reference(const CompletedCall& call, const AttentionRows& exact, int threads) {
  const Shape& shape = call.inputs.shape;
  Comparison result;
  result.fault = unwritten_output(shape, call.outputs);
  const auto note = [&](const Row& row, const std::optional<std::string>& fault) {
    if (fault && !result.fault) result.fault = fmt::format("{}: {}", name_of(row), *fault);
  };

  const auto definition = call.method.define(call.inputs, call.phase, call.params, call.execution.built());
  const std::size_t stride = defined_stride(shape, exact.rows.size());
  std::uint64_t pairs = 0;
  // One batch of rows at a time, so that the lists of a long context do not add up.
  for (std::size_t begin = 0; begin < exact.rows.size(); begin += static_cast<std::size_t>(threads)) {
    const std::size_t count = std::min<std::size_t>(threads, exact.rows.size() - begin);
    std::vector<std::vector<std::int32_t>> keys(count);
    for (std::size_t r = 0; r < count; ++r) call.execution.attended_keys(exact.rows[begin + r], keys[r]);

    std::vector<std::optional<std::string>> faults(count);
    parallel_for(std::ssize(keys), threads, [&](std::int64_t r) {
      if ((begin + static_cast<std::size_t>(r)) % stride != 0) return;
      faults[r] = selection_fault(definition->select_row(exact.rows[begin + r]), keys[r]);
    });
    for (std::size_t r = 0; r < count; ++r) {
      const Row& row = exact.rows[begin + r];
      note(row, faults[r]);
      const std::int64_t visible = shape.visible(row.query);
      if (!keys[r].empty() && (keys[r].front() < 0 || keys[r].back() >= visible)) {
        note(row, "a key beyond the visible ones is attended");
        return result;  // double attention over such a list would read out of bounds
      }
      pairs += keys[r].size();
      result.attends_first.push_back(!keys[r].empty() && keys[r].front() == 0);
      const bool all = std::ssize(keys[r]) == visible;
      const AttentionRows plain = all ? row_of(exact, begin + r) : attention_over(call.inputs, row, keys[r], threads);
      result.attended_lse.push_back(plain.lse[0]);
      const RowTerms terms = definition->terms(row, keys[r]);
      append(result.attended, terms.plain() ? plain : attention_with(call.inputs, row, keys[r], terms, threads));
      for (const KeySet& set : call.execution.key_sets(row))
        result.key_sets_lse[set.name].push_back(attention_over(call.inputs, row, set.keys, threads).lse[0]);
    }
  }
  if (std::ssize(exact.rows) == shape.rows() && pairs != call.execution.attended_pairs() && !result.fault)
    result.fault = fmt::format("attended_pairs: {} counted, {} enumerated", call.execution.attended_pairs(), pairs);

  const auto fault = compare_rows(shape, call.outputs, result.attended, result.verified);
  if (!result.fault) result.fault = fault;
  return result;
}

}  // namespace attnscope
