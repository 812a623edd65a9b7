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
  bool identity;  // part of what the point is called
  QString (*text)(const Dataset& dataset, std::size_t i);
  QVariant (*sortKey)(const Dataset& dataset, std::size_t i);  // invalid where there is no value
};

std::span<const PointColumn> pointColumns();

/// What a point is called and everything that was measured of it, as rich text.
QString pointFacts(const Dataset& dataset, std::size_t i);

}  // namespace attnscope::viz
