// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "harness/record/derive.hpp"
#include "reports/formats/escape.hpp"
#include "reports/formats/formats.hpp"

namespace attnscope::reports {
namespace {

using record::Derived;
using record::Point;

class Line {
 public:
  void add(const std::string& text) { text_ += fmt::format("{}{}", text_.empty() ? "" : ",", escape_csv(text)); }
  void add(double value) { text_ += fmt::format(",{}", value); }
  void add(std::int64_t value) { text_ += fmt::format(",{}", value); }
  template <typename T>
  void add(const std::optional<T>& value) {
    text_ += value ? fmt::format(",{}", *value) : ",";
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

constexpr std::string_view kHeader =
    "method,backend,phase,status,workload,workload_params,seed,"
    "batch,q_heads,kv_heads,head_dim,q_len,kv_len,cache_page,history,causal,dtype,params,contract,density,"
    "attended_pairs,rel_l2,cosine,max_abs,mass_recall,mass_recall_non_sink,key_sets,task_score,"
    "flops_dense,flops_useful,flops_select,flops_executed,bytes_model,dram_read,dram_write,"
    "median_ns,ci_low_ns,ci_high_ns,samples,useful_flops_per_s,executed_flops_per_s,model_bytes_per_s,"
    "dram_bytes_per_s,waste,speedup_over_dense,flop_share,bandwidth_share,workspace_bytes,tier,reason\n";

/// Mean mass by name, as JSON.
std::string key_sets(const Point& point) {
  nlohmann::json masses = nlohmann::json::object();
  for (const auto& [name, set] : point.accuracy.key_sets)
    masses[name] = set.mass_mean ? nlohmann::json(*set.mass_mean) : nlohmann::json(nullptr);
  return masses.dump();
}

}  // namespace

std::string csv(const record::Record& record) {
  std::string text(kHeader);
  for (const Point& point : record.points) {
    Line line;
    for (const std::string_view word :
         {std::string_view(point.method), to_string(point.backend), to_string(point.phase), to_string(point.status)})
      line.add(std::string(word));
    line.add(point.workload.name);
    line.add(point.workload.params.dump());
    line.add(std::to_string(point.workload.seed));
    for (const std::int64_t extent :
         {point.shape.batch, point.shape.q_heads, point.shape.kv_heads, point.shape.head_dim, point.shape.q_len,
          point.shape.kv_len, point.shape.cache_page, point.shape.history})
      line.add(extent);
    line.add(std::string(point.shape.causal ? "true" : "false"));
    line.add(std::string(to_string(point.shape.dtype)));
    line.add(point.params.dump());
    line.add(point.contract);
    line.add(point.density);
    line.add(point.attended_pairs);
    for (const auto& value : {point.accuracy.rel_l2, point.accuracy.cosine, point.accuracy.max_abs,
                              point.accuracy.mass_recall, point.accuracy.mass_recall_non_sink})
      line.add(value);
    line.add(key_sets(point));
    line.add(point.accuracy.task_score);
    line.add(point.flops.dense);
    line.add(point.flops.useful);
    line.add(point.flops.select);
    line.add(point.flops.executed);
    line.add(point.bytes.model);
    line.add(point.bytes.dram_read);
    line.add(point.bytes.dram_write);
    const auto timed = [&](double record::Time::*member) {
      return point.time ? std::optional((*point.time).*member) : std::nullopt;
    };
    line.add(timed(&record::Time::median_ns));
    line.add(timed(&record::Time::ci_low_ns));
    line.add(timed(&record::Time::ci_high_ns));
    line.add(static_cast<std::int64_t>(point.time ? point.time->samples_ns.size() : 0));
    const Derived derived = record::derive(record, point);
    for (const auto& value :
         {derived.useful_flops_per_s, derived.executed_flops_per_s, derived.model_bytes_per_s, derived.dram_bytes_per_s,
          derived.waste, derived.speedup_over_dense, derived.flop_share, derived.bandwidth_share})
      line.add(value);
    line.add(point.workspace_bytes);
    line.add(std::string(to_string(point.tier)));
    line.add(point.reason);
    text += line.text() + "\n";
  }
  return text;
}

}  // namespace attnscope::reports
