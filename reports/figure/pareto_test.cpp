// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/pareto.hpp"

#include <gtest/gtest.h>

#include "harness/base/error.hpp"
#include "harness/record/testing.hpp"

namespace attnscope::reports {
namespace {

using record::Record;
using record::testing::point;

// Three configurations of one method: cheap and bad, dear and good, and one that the last beats in both.
Record three() {
  Record record{.context = {}, .points = std::vector(3, point("quest", 1024, 0.5, 100))};
  const double flops[] = {10, 40, 20};
  const double errors[] = {0.5, 0.3, 0.1};
  for (std::size_t i = 0; i < 3; ++i) {
    record.points[i].params["budget"] = i;
    record.points[i].flops.useful = flops[i];
    record.points[i].flops.select = 0;
    record.points[i].accuracy.rel_l2 = errors[i];
    record.points[i].accuracy.mass_recall = 1 - errors[i];
  }
  return record;
}

Figure figure_of(const Record& record, const char* what) {
  const Wording wording(record);
  return pareto_figure(wording, facets(wording, Across::nothing).at(0), cost("flops"), accuracy(what));
}

TEST(Pareto, DimsWhatIsBeatenAndDrawsTheStaircaseThroughTheRest) {
  const Record record = three();
  for (const char* what : {"error", "mass"}) {  // lower and higher is better
    const Figure figure = figure_of(record, what);
    ASSERT_EQ(figure.series.size(), 2u) << what;
    for (const DataPoint& one : figure.series[0].points) EXPECT_EQ(one.dimmed, one.source == 1u) << what;
    const std::vector<DataPoint>& steps = figure.series[1].points;
    ASSERT_EQ(steps.size(), 3u) << what;
    EXPECT_EQ(steps[0].x, 10);
    EXPECT_EQ(steps[1].x, 20);
    EXPECT_EQ(steps[1].y, steps[0].y);
    EXPECT_EQ(steps[2].x, 20);
  }
}

TEST(Pareto, NamesTheBestWithinABudget) {
  const Record record = three();
  const Figure figure = figure_of(record, "error");
  EXPECT_EQ(best_within(figure, 9, false), std::nullopt);
  EXPECT_EQ(best_within(figure, 10, false), 0u);
  EXPECT_EQ(best_within(figure, 100, false), 2u);
  EXPECT_EQ(best_within(figure_of(record, "mass"), 100, true), 2u);
}

TEST(Pareto, BackendsAreOneCurveWhereTheCostIsTheMethods) {
  Record record = three();
  record.points.push_back(record.points[0]);
  record.points.back().backend = Backend::reference;
  const Wording wording(record);
  const Facet facet = facets(wording, Across::nothing).at(0);
  EXPECT_EQ(pareto_figure(wording, facet, cost("flops"), accuracy("error")).series.size(), 2u);
  EXPECT_EQ(pareto_figure(wording, facet, cost("time"), accuracy("error")).series.size(), 3u);
}

TEST(Pareto, WithoutTheQuantityThereIsNothing) {
  EXPECT_TRUE(figure_of(three(), "task").series.empty());
  EXPECT_THROW(cost("price"), InputError);
  EXPECT_THROW(accuracy("beauty"), InputError);
}

}  // namespace
}  // namespace attnscope::reports
