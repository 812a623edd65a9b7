// SPDX-License-Identifier: Apache-2.0
// Which points of a dataset are shown.
#pragma once

#include <QString>
#include <set>
#include <string>
#include <vector>

#include "viz/data/dataset.hpp"

namespace attnscope::viz {

struct Filter {
  QString text = {};  // words that the label of a point has all of, in any case; -word: has not
  std::set<std::string> hiddenMethods = {};
  std::set<Backend> hiddenBackends = {};
  bool operator==(const Filter&) const = default;
};

/// Per point of `dataset`: whether `filter` lets it through.
std::vector<bool> accepted(const Dataset& dataset, const Filter& filter);

}  // namespace attnscope::viz
