// SPDX-License-Identifier: Apache-2.0
// What the attention of a problem looks like, whatever workload it came from: exact softmax in double on sampled rows.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "harness/base/attention.hpp"

namespace attnscope {

/// One row's attention. Masses are shares of its softmax; those of token 0, of the window and of the columns are
/// disjoint, a key counting in the first of them that holds it. The window is the last keys that the row sees.
struct RowStatistics {
  Row row;
  std::int64_t visible = 0;
  double first_mass = 0;  // on token 0
  double window_mass = 0;
  double column_mass = 0;    // on the columns asked about
  std::int64_t keys_90 = 0;  // fewest keys that hold .90 of the mass
  std::int64_t keys_95 = 0;
  std::int64_t keys_98 = 0;
  double best_512 = 0;  // mass of the 512 heaviest keys
  double best_4096 = 0;
  double entropy = 0;                  // nats
  std::optional<double> query_cosine;  // to the query one row earlier; nothing for the first row

  double share_95() const { return static_cast<double>(keys_95) / static_cast<double>(visible); }
  /// (mass − first_mass) / (1 − first_mass): what a mass that includes token 0 says about the other keys.
  double without_first(double mass) const { return (mass - first_mass) / (1 - first_mass); }
};

struct StatisticsOptions {
  std::int64_t window = 256;
  /// Key positions ("verticals") of a row's head, ascending; none when empty.
  std::function<std::span<const std::int64_t>(const Row&)> columns;
  int threads = 1;
};

/// Weights of the keys that `row` sees; they sum to 1.
std::vector<double> attention_weights(const AttentionInputs& host, const Row& row);

/// Statistics of `rows`, in their order. Costs visible · head_dim and a sort per row.
std::vector<RowStatistics> measure_rows(const AttentionInputs& host, std::span<const Row> rows,
                                        const StatisticsOptions& options = {});

/// `per_head` rows of every batch entry and query head, evenly spaced over the last half of the query rows, the last
/// one included.
std::vector<Row> rows_to_measure(const Shape& shape, std::int64_t per_head);

/// The `count` keys with the largest mean weight over the last 64 rows of a head, token 0 and the window left out,
/// ascending: verticals as a prefill method would find them.
std::vector<std::int64_t> heaviest_columns(const AttentionInputs& host, std::int64_t batch, std::int64_t head,
                                           std::int64_t count, std::int64_t window);

/// Means over rows; medians where counts are very unequal. The query cosine is over the rows that have one.
struct StatisticsSummary {
  double first_mass = 0, window_mass = 0, column_mass = 0;
  double keys_90 = 0, keys_95 = 0, keys_98 = 0, keys_95_median = 0;
  double share_95 = 0, best_512 = 0, best_4096 = 0, best_512_without_first = 0;
  double entropy = 0;
  double query_cosine_p10 = 0, query_cosine_median = 0;
};

/// `rows` must not be empty.
StatisticsSummary summarise(std::span<const RowStatistics> rows);

}  // namespace attnscope
