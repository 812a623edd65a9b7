// SPDX-License-Identifier: Apache-2.0
#include "harness/record/derive.hpp"

#include <string>
#include <unordered_map>

namespace attnscope::record {
namespace {

constexpr double kNsPerSecond = 1e9;

std::optional<double> ratio(std::optional<double> numerator, std::optional<double> denominator) {
  if (!numerator || !denominator || *denominator <= 0) return std::nullopt;
  return *numerator / *denominator;
}

std::optional<double> ceiling(const nlohmann::json& context, const std::string& device, const std::string& name) {
  const nlohmann::json::json_pointer median("/ceilings/" + device + "/" + name + "/median");
  if (!context.contains(median) || !context[median].is_number()) return std::nullopt;
  return context[median].get<double>();
}

// Cheap comparisons first: this runs for every point and every dense one.
bool same_task(const Point& a, const Point& b) {
  return a.shape == b.shape && a.phase == b.phase && on_device(a.backend) == on_device(b.backend) &&
         a.contract == b.contract && a.workload == b.workload;
}

bool can_be_baseline(const Point& point) {
  return point.method == "dense" && point.backend != Backend::reference && point.status == Status::ok && point.time;
}

// The faster of `best` and `candidate` for `point`.
const Point* better_baseline(const Point* best, const Point& candidate, const Point& point) {
  if (best && best->time->median_ns <= candidate.time->median_ns) return best;
  return same_task(candidate, point) ? &candidate : best;
}

Derived derive(const Record& record, const Point& point, const Point* dense) {
  std::optional<double> seconds;
  if (point.time) seconds = point.time->median_ns / kNsPerSecond;
  const DeviceCeilings ceilings = device_ceilings(record, point);

  Derived out;
  out.useful_flops_per_s = ratio(point.flops.useful, seconds);
  out.executed_flops_per_s = ratio(point.flops.executed, seconds);
  out.model_bytes_per_s = ratio(point.bytes.model, seconds);
  out.dram_bytes_per_s = ratio(dram_bytes(point), seconds);
  out.waste = ratio(point.flops.executed, needed_flops(point));
  out.dram_over_model = ratio(dram_bytes(point), point.bytes.model);
  out.intensity = ratio(needed_flops(point), point.bytes.model);
  if (dense && point.time) out.speedup_over_dense = ratio(dense->time->median_ns, point.time->median_ns);
  out.flop_share = ratio(out.useful_flops_per_s, ceilings.flops_per_s);
  out.bandwidth_share = ratio(out.model_bytes_per_s, ceilings.read_bytes_per_s);
  return out;
}

}  // namespace

double needed_flops(const Point& point) { return point.flops.useful + point.flops.select; }

std::optional<double> dram_bytes(const Point& point) {
  if (!point.bytes.dram_read || !point.bytes.dram_write) return std::nullopt;
  return *point.bytes.dram_read + *point.bytes.dram_write;
}

const Point* dense_baseline(std::span<const Point> points, const Point& point) {
  const Point* best = nullptr;
  for (const Point& candidate : points)
    if (can_be_baseline(candidate)) best = better_baseline(best, candidate, point);
  return best;
}

DeviceCeilings device_ceilings(const Record& record, const Point& point) {
  if (!on_device(point.backend))
    return {.flops_per_s = ceiling(record.context, "cpu", "fma_f32_flops_per_s"),
            .read_bytes_per_s = ceiling(record.context, "cpu", "read_bytes_per_s")};
  DeviceCeilings gpu{.flops_per_s = std::nullopt,
                     .read_bytes_per_s = ceiling(record.context, "gpu", "read_bytes_per_s")};
  if (point.shape.dtype != Dtype::f32) gpu.flops_per_s = ceiling(record.context, "gpu", "matmul_bf16_flops_per_s");
  return gpu;
}

Derived derive(const Record& record, const Point& point) {
  return derive(record, point, dense_baseline(record.points, point));
}

std::vector<Derived> derive_all(const Record& record) {
  std::unordered_map<std::int64_t, std::vector<const Point*>> candidates;  // by context length
  for (const Point& point : record.points)
    if (can_be_baseline(point)) candidates[point.shape.kv_len].push_back(&point);
  std::vector<Derived> out;
  out.reserve(record.points.size());
  for (const Point& point : record.points) {
    const Point* dense = nullptr;
    for (const Point* candidate : candidates[point.shape.kv_len]) dense = better_baseline(dense, *candidate, point);
    out.push_back(derive(record, point, dense));
  }
  return out;
}

}  // namespace attnscope::record
