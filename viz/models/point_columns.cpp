// SPDX-License-Identifier: Apache-2.0
#include "viz/models/point_columns.hpp"

#include <array>

#include "reports/figure/text.hpp"
#include "viz/data/words.hpp"
#include "viz/models/tables.hpp"

namespace attnscope::viz {
namespace {

using record::Point;
using Value = std::optional<double>;

// A column of words.
template <QString (*Text)(const Dataset&, std::size_t)>
constexpr PointColumn wordColumn(const char* title, const char* tooltip, bool identity = false) {
  return {.title = title,
          .tooltip = tooltip,
          .numeric = false,
          .identity = identity,
          .text = Text,
          .sortKey = [](const Dataset& dataset, std::size_t i) { return QVariant(Text(dataset, i)); }};
}

// A column of numbers, written by `Format`.
template <Value (*Get)(const Dataset&, std::size_t), std::string (*Format)(double)>
constexpr PointColumn numberColumn(const char* title, const char* tooltip, bool identity = false) {
  return {.title = title,
          .tooltip = tooltip,
          .numeric = true,
          .identity = identity,
          .text =
              [](const Dataset& dataset, std::size_t i) {
                const Value value = Get(dataset, i);
                return value ? words(Format(*value)) : QString();
              },
          .sortKey =
              [](const Dataset& dataset, std::size_t i) {
                const Value value = Get(dataset, i);
                return value ? QVariant(*value) : QVariant();
              }};
}

std::string milliseconds(double ns) { return reports::number(ns / 1e6); }
std::string percentNumber(double share) { return reports::number(100 * share); }
std::string mebibytes(double bytes) { return reports::number(bytes / (1 << 20)); }

Value medianNs(const Dataset& d, std::size_t i) {
  const auto& time = d.point(i).time;
  return time ? Value(time->median_ns) : std::nullopt;
}
// Half the width of the confidence interval over the median.
Value spread(const Dataset& d, std::size_t i) {
  const auto& time = d.point(i).time;
  return time ? Value((time->ci_high_ns - time->ci_low_ns) / 2 / time->median_ns) : std::nullopt;
}

constexpr std::array kColumns{
    wordColumn<[](const Dataset& d, std::size_t i) { return words(d.point(i).method); }>(
        "Method", "The sparse attention method, or dense.", true),
    wordColumn<[](const Dataset& d, std::size_t i) { return words(d.wording.variant(d.point(i))); }>(
        "Parameters", "The parameters of the method that vary in this record.", true),
    wordColumn<[](const Dataset& d, std::size_t i) { return words(to_string(d.point(i).backend)); }>(
        "Backend", "What executed it: the reference, the CPU engine, CUDA kernels or cuDNN.", true),
    wordColumn<[](const Dataset& d, std::size_t i) { return words(to_string(d.point(i).phase)); }>(
        "Phase", "Prefill: many queries at once. Decode: one new token per sequence.", true),
    wordColumn<[](const Dataset& d, std::size_t i) { return words(d.point(i).workload.name); }>(
        "Workload", "Where queries, keys and values come from.", true),
    numberColumn<[](const Dataset& d, std::size_t i) -> Value { return d.point(i).shape.kv_len; }, reports::binary>(
        "Context (keys)", "Keys per sequence, in units of 1024 (k) and 1024² (M).", true),
    numberColumn<[](const Dataset& d, std::size_t i) -> Value { return d.point(i).shape.batch; }, reports::si>(
        "Batch", "Sequences per call.", true),
    wordColumn<[](const Dataset& d, std::size_t i) { return words(to_string(d.point(i).shape.dtype)); }>(
        "Type", "Element type of queries, keys, values and output.", true),
    wordColumn<[](const Dataset& d, std::size_t i) { return words(record::to_string(d.point(i).status)); }>(
        "Status", "ok, skipped, wrong (the kernel disagrees with its own reference), oom, timeout or crashed."),
    numberColumn<[](const Dataset& d, std::size_t i) { return d.point(i).density; }, percentNumber>(
        "Density (%)", "Attended (query, key) pairs over the pairs that exact attention visits."),
    numberColumn<[](const Dataset& d, std::size_t i) { return d.point(i).accuracy.rel_l2; }, reports::number>(
        "Relative error", "L2 norm of the output's difference from exact attention, over that of exact attention."),
    numberColumn<[](const Dataset& d, std::size_t i) { return d.point(i).accuracy.cosine; }, reports::number>(
        "Cosine", "Cosine between the output and exact attention, mean over the evaluated rows."),
    numberColumn<[](const Dataset& d, std::size_t i) { return d.point(i).accuracy.mass_recall; }, percentNumber>(
        "Mass recall (%)", "True softmax mass on the attended keys, mean over the evaluated rows and heads."),
    numberColumn<[](const Dataset& d, std::size_t i) { return d.point(i).accuracy.task_score; }, percentNumber>(
        "Task score (%)", "Fraction of the planted key-value pairs that the output retrieves."),
    numberColumn<[](const Dataset& d, std::size_t i) -> Value { return d.point(i).flops.useful; }, reports::si>(
        "Useful FLOPs", "4 · head_dim FLOPs for each attended pair, counted exactly."),
    numberColumn<[](const Dataset& d, std::size_t i) -> Value { return d.point(i).flops.select; }, reports::si>(
        "Select FLOPs", "FLOPs spent on choosing the keys."),
    numberColumn<[](const Dataset& d, std::size_t i) { return d.point(i).flops.executed; }, reports::si>(
        "Executed FLOPs", "FLOPs that the hardware counted, all types."),
    numberColumn<[](const Dataset& d, std::size_t i) { return d.derived[i].waste; }, reports::number>(
        "Executed / needed", "Executed FLOPs over useful plus select FLOPs: work done per unit of work needed."),
    numberColumn<[](const Dataset& d, std::size_t i) -> Value { return d.point(i).bytes.model; }, reports::si>(
        "Model bytes", "Every input read once, every output written once."),
    numberColumn<[](const Dataset& d, std::size_t i) { return record::dram_bytes(d.point(i)); }, reports::si>(
        "DRAM bytes", "DRAM reads plus writes of one call, counted."),
    numberColumn<medianNs, milliseconds>("Time (ms)", "Median time of a whole call, choosing included."),
    numberColumn<spread, percentNumber>("± (%)", "Half the 95 % confidence interval of the median time, over it."),
    numberColumn<[](const Dataset& d, std::size_t i) { return d.derived[i].speedup_over_dense; }, reports::number>(
        "Speed-up", "Median time of the fastest dense backend on the same inputs and device, over this one's."),
    numberColumn<[](const Dataset& d, std::size_t i) { return d.derived[i].useful_flops_per_s; }, reports::si>(
        "Useful FLOP/s", "Useful FLOPs over the median time."),
    numberColumn<[](const Dataset& d, std::size_t i) { return d.derived[i].flop_share; }, percentNumber>(
        "Of peak (%)", "Useful FLOP/s over the arithmetic ceiling measured on that machine."),
    numberColumn<[](const Dataset& d, std::size_t i) { return d.derived[i].bandwidth_share; }, percentNumber>(
        "Of bandwidth (%)", "Modelled bytes per second over the read bandwidth measured on that machine."),
    numberColumn<roofShare, percentNumber>(
        "Of roof (%)", "Needed FLOP/s over what the measured bandwidth and arithmetic ceiling allow at its intensity."),
    numberColumn<[](const Dataset& d, std::size_t i) -> Value { return d.point(i).workspace_bytes; }, mebibytes>(
        "Workspace (MiB)", "Memory allocated for the method besides inputs and output."),
    wordColumn<[](const Dataset& d, std::size_t i) { return words(record::to_string(d.point(i).tier)); }>(
        "Tier", "T0 clock, T1 kernel activity, T2 hardware counters, T3 sampling inside kernels."),
    wordColumn<[](const Dataset& d, std::size_t i) { return words(d.point(i).contract); }>(
        "Contract", "cold: caches flushed before each call; warm: not; graph: as one CUDA graph.", true),
    wordColumn<[](const Dataset& d, std::size_t i) { return words(d.point(i).reason); }>("Reason",
                                                                                         "Why the point is not ok."),
};

}  // namespace

std::span<const PointColumn> pointColumns() { return kColumns; }

QString pointFacts(const Dataset& dataset, std::size_t i) {
  QString rows;
  for (const PointColumn& column : kColumns) {
    const QString text = column.text(dataset, i);
    if (!column.identity && !text.isEmpty())
      rows += QStringLiteral("<tr><td>%1&nbsp;&nbsp;</td><td align=\"right\">%2</td></tr>")
                  .arg(QString::fromUtf8(column.title).toHtmlEscaped(), text.toHtmlEscaped());
  }
  return QStringLiteral("<p><b>%1</b></p><table>%2</table>").arg(dataset.labels[i].toHtmlEscaped(), rows);
}

}  // namespace attnscope::viz
