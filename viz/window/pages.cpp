// SPDX-License-Identifier: Apache-2.0
#include "viz/window/pages.hpp"

#include <array>

#include "viz/views/accuracy_page.hpp"
#include "viz/views/attention_page.hpp"
#include "viz/views/compare_page.hpp"
#include "viz/views/environment_page.hpp"
#include "viz/views/plot_page.hpp"
#include "viz/views/run_page.hpp"
#include "viz/views/scaling_page.hpp"
#include "viz/views/table_page.hpp"
#include "viz/views/timeline_page.hpp"

namespace attnscope::viz {
namespace {

template <typename View>
Page* make(Session& session) {
  return new View(session);
}

Page* makeStages(Session& session) {
  return new PlotPage(session, {{"stage_time", "Time by stage"},
                                {"stage_flops", "FLOPs by stage"},
                                {"stage_bytes", "Bytes by stage"},
                                {"flops_waterfall", "FLOPs: dense, needed, executed"},
                                {"bytes_model_vs_dram", "Bytes: counted against modelled"}});
}

Page* makeRoofline(Session& session) {
  return new PlotPage(session, {{"roofline_accuracy", "Coloured by accuracy"}, {"roofline", "Coloured by method"}});
}

Page* makeMap(Session& session) { return new PlotPage(session, {{"break_even_map", "Break-even map"}}); }

constexpr std::array kPages{
    PageEntry{"accuracy", "Accuracy", "What accuracy costs, the Pareto front, and the best method within a budget.",
              make<AccuracyPage>},
    PageEntry{"scaling", "Scaling", "Time, FLOPs and memory against context length, and where a method breaks even.",
              make<ScalingPage>},
    PageEntry{"map", "Break-even", "Which method is fastest at which context length and density.", makeMap},
    PageEntry{"stages", "Where it goes", "Time, FLOPs and bytes of each point by stage.", makeStages},
    PageEntry{"roofline", "Roofline", "How near each point comes to the limits measured on its machine.", makeRoofline},
    PageEntry{"attention", "Attention map", "True attention beside what the method attended, on a small problem.",
              make<AttentionPage>},
    PageEntry{"timeline", "Timeline", "The kernels of the chosen point, per stream and stage.", make<TimelinePage>},
    PageEntry{"compare", "Compare", "The shown record against a baseline, the most important changes first.",
              make<ComparePage>},
    PageEntry{"table", "Table", "Every point as a row.", make<TablePage>},
    PageEntry{"run", "Run", "Measure, and watch the points arrive.", make<RunPage>},
    PageEntry{"environment", "Environment", "The machine, the build, the tiers reached.", make<EnvironmentPage>},
};

}  // namespace

std::span<const PageEntry> pages() { return kPages; }

}  // namespace attnscope::viz
