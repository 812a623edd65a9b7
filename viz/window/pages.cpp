// SPDX-License-Identifier: Apache-2.0
#include "viz/window/pages.hpp"

#include <array>

#include "viz/views/accuracy_page.hpp"
#include "viz/views/table_page.hpp"

namespace attnscope::viz {
namespace {

template <typename View>
Page* make(Session& session) {
  return new View(session);
}

constexpr std::array kPages{
    PageEntry{"accuracy", "Accuracy", "What accuracy costs, the Pareto front, and the best method within a budget.",
              make<AccuracyPage>},
    PageEntry{"table", "Table", "Every point as a row.", make<TablePage>},
};

}  // namespace

std::span<const PageEntry> pages() { return kPages; }

}  // namespace attnscope::viz
