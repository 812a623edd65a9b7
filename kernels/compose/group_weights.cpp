// SPDX-License-Identifier: Apache-2.0
#include "kernels/compose/group_weights.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace attnscope::compose {

void add_softmax(std::span<const Bounded> logits, std::span<Bounded> sums) {
  if (logits.empty()) return;
  const double maximum = std::ranges::max_element(logits, {}, &Bounded::value)->value;
  std::vector<double> weight(logits.size()), relative(logits.size());
  double total = 0, error = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    weight[i] = std::exp(logits[i].value - maximum);
    relative[i] = logits[i].error + 0x1p-22 * (1 + maximum - logits[i].value);
    total += weight[i];
    error += weight[i] * relative[i];
  }
  const double common = error / total + (4 * std::sqrt(static_cast<double>(logits.size())) + 3) * 0x1p-24;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    sums[i].value += weight[i] / total;
    sums[i].error += weight[i] / total * (relative[i] + common) + 0x1p-24 * sums[i].value + 0x1p-124;
  }
}

}  // namespace attnscope::compose
