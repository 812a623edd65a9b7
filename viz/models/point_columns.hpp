// SPDX-License-Identifier: Apache-2.0
// What a table says of a point: titles with units, what they mean, and the values as text and as numbers to sort by.
#pragma once

#include <QString>
#include <QVariant>
#include <span>

#include "viz/data/dataset.hpp"

namespace attnscope::viz {

struct PointColumn {
  const char* title;    // with the unit
  const char* tooltip;  // one sentence
  bool numeric;
  QString (*text)(const Dataset& dataset, std::size_t i);
  QVariant (*sortKey)(const Dataset& dataset, std::size_t i);  // invalid where there is no value
};

std::span<const PointColumn> pointColumns();

/// Everything that is known about a point, as rich text: for tooltips and the details of the chosen point.
QString pointFacts(const Dataset& dataset, std::size_t i);

}  // namespace attnscope::viz
