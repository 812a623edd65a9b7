// SPDX-License-Identifier: Apache-2.0
// Definitions without state of their own.
#pragma once

#include <concepts>
#include <memory>
#include <numeric>
#include <utility>

#include "harness/method/method.hpp"

namespace attnscope {

/// A definition whose selection is `select(row)` and whose output is softmax attention over it.
template <std::invocable<const Row&> Select>
std::unique_ptr<const Definition> define_rows(Select select) {
  class RowDefinition final : public Definition {
   public:
    explicit RowDefinition(Select select) : select_(std::move(select)) {}
    RowSelection select_row(const Row& row) const override { return select_(row); }

   private:
    const Select select_;
  };
  return std::make_unique<const RowDefinition>(std::move(select));
}

/// Exact attention: every visible key.
inline std::unique_ptr<const Definition> define_dense(const Shape& shape) {
  return define_rows([shape](const Row& row) {
    RowSelection all;
    all.keys.resize(static_cast<std::size_t>(shape.visible(row.query)));
    std::iota(all.keys.begin(), all.keys.end(), 0);
    return all;
  });
}

}  // namespace attnscope
