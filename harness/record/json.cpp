// SPDX-License-Identifier: Apache-2.0
#include "harness/record/json.hpp"

#include <cmath>
#include <concepts>
#include <limits>
#include <utility>

#include "harness/base/error.hpp"

namespace attnscope::record {
namespace {

using nlohmann::json;

// One list of members per type serves both directions: `archive(name, member)` writes or reads it, and
// `archive.since_2(name, member)` does so for a member that records of version 1 lack.
template <typename T, typename Struct>
concept Is = std::same_as<std::remove_const_t<T>, Struct>;

template <typename Archive, Is<WorkloadId> T>
void members(Archive& archive, T& workload) {
  archive("name", workload.name);
  archive("params", workload.params);
  archive("seed", workload.seed);
  archive("hash", workload.hash);
}

template <typename Archive, Is<Shape> T>
void members(Archive& archive, T& shape) {
  archive("batch", shape.batch);
  archive("q_heads", shape.q_heads);
  archive("kv_heads", shape.kv_heads);
  archive("head_dim", shape.head_dim);
  archive("q_len", shape.q_len);
  archive("kv_len", shape.kv_len);
  archive("causal", shape.causal);
  archive("dtype", shape.dtype);
  archive.since_2("cache_page", shape.cache_page);
  archive.since_2("history", shape.history);
}

template <typename Archive, Is<KeySetMass> T>
void members(Archive& archive, T& mass) {
  archive("mass_mean", mass.mass_mean);
  archive("mass_by_head", mass.mass_by_head);
}

template <typename Archive, Is<Accuracy> T>
void members(Archive& archive, T& accuracy) {
  archive("rel_l2", accuracy.rel_l2);
  archive("cosine", accuracy.cosine);
  archive("max_abs", accuracy.max_abs);
  archive("mass_recall", accuracy.mass_recall);
  archive("mass_recall_p10", accuracy.mass_recall_p10);
  archive("mass_recall_min", accuracy.mass_recall_min);
  archive("mass_recall_non_sink", accuracy.mass_recall_non_sink);
  archive("task_score", accuracy.task_score);
  archive("rows_sampled", accuracy.rows_sampled);
  archive.since_2("mass_by_head", accuracy.mass_by_head);
  archive.since_2("key_sets", accuracy.key_sets);
}

template <typename Archive, Is<Flops> T>
void members(Archive& archive, T& flops) {
  archive("dense", flops.dense);
  archive("useful", flops.useful);
  archive("select", flops.select);
  archive("executed", flops.executed);
}

template <typename Archive, Is<Bytes> T>
void members(Archive& archive, T& bytes) {
  archive("model", bytes.model);
  archive("dram_read", bytes.dram_read);
  archive("dram_write", bytes.dram_write);
}

template <typename Archive, Is<Time> T>
void members(Archive& archive, T& time) {
  archive("median_ns", time.median_ns);
  archive("ci_low_ns", time.ci_low_ns);
  archive("ci_high_ns", time.ci_high_ns);
  archive("samples_ns", time.samples_ns);
  archive.since_2("process_samples", time.process_samples);
  archive.since_2("process_others", time.process_others);
  archive("stopped_because", time.stopped_because);
}

template <typename Archive, Is<Kernel> T>
void members(Archive& archive, T& kernel) {
  archive("name", kernel.name);
  archive("start_ns", kernel.start_ns);
  archive("duration_ns", kernel.duration_ns);
  archive("grid", kernel.grid);
  archive("block", kernel.block);
  archive("registers", kernel.registers);
  archive("static_shared_bytes", kernel.static_shared_bytes);
  archive("dynamic_shared_bytes", kernel.dynamic_shared_bytes);
  archive("stream", kernel.stream);
}

template <typename Archive, Is<Stage> T>
void members(Archive& archive, T& stage) {
  archive("name", stage.name);
  archive("kind", stage.kind);
  archive("median_ns", stage.median_ns);
  archive("flops", stage.flops);
  archive("bytes", stage.bytes);
  archive("kernels", stage.kernels);
  archive("counters", stage.counters);
}

template <typename Archive, Is<Verified> T>
void members(Archive& archive, T& verified) {
  archive("reference_rel_l2", verified.reference_rel_l2);
  archive("tolerance", verified.tolerance);
  archive("rows", verified.rows);
  archive("revalidated_after_timing", verified.revalidated_after_timing);
  archive("guards_intact", verified.guards_intact);
}

// All of a point but its time, which carries the contract too (see below).
template <typename Archive, Is<Point> T>
void members(Archive& archive, T& point) {
  archive("method", point.method);
  archive("backend", point.backend);
  archive("phase", point.phase);
  archive("workload", point.workload);
  archive("shape", point.shape);
  archive("params", point.params);
  archive("status", point.status);
  archive("reason", point.reason);
  archive("reconstructed", point.reconstructed);
  archive("accuracy", point.accuracy);
  archive("density", point.density);
  archive("attended_pairs", point.attended_pairs);
  archive("flops", point.flops);
  archive("bytes", point.bytes);
  archive("stages", point.stages);
  archive("counters", point.counters);
  archive("tier", point.tier);
  archive("tier_reason", point.tier_reason);
  archive("clocks", point.clocks);
  archive("verified", point.verified);
  archive("workspace_bytes", point.workspace_bytes);
  archive("peak_host_bytes", point.peak_host_bytes);
  archive("dump", point.dump);
}

class Writer {
 public:
  template <typename T>
  void operator()(const char* name, const T& value) {
    out_[name] = encode(value);
  }
  template <typename T>
  void since_2(const char* name, const T& value) {
    (*this)(name, value);
  }

  template <typename T>
  static json encode(const T& value) {
    if constexpr (std::floating_point<T>) {
      return std::isfinite(value) ? json(value) : json(nullptr);
    } else if constexpr (std::is_enum_v<T>) {
      return to_string(value);
    } else if constexpr (requires(Writer writer) { members(writer, value); }) {
      Writer writer;
      members(writer, value);
      return std::move(writer.out_);
    } else {
      return value;
    }
  }
  template <typename T>
  static json encode(const std::optional<T>& value) {
    return value ? encode(*value) : json(nullptr);
  }
  template <typename T>
  static json encode(const std::vector<T>& values) {
    json out = json::array();
    for (const T& value : values) out.push_back(encode(value));
    return out;
  }
  template <typename T>
  static json encode(const std::map<std::string, T>& values) {
    json out = json::object();
    for (const auto& [name, value] : values) out[name] = encode(value);
    return out;
  }

 private:
  json out_ = json::object();
};

void decode_enum(const json& in, Backend& value) { value = parse_backend(in.get<std::string>()); }
void decode_enum(const json& in, Phase& value) { value = parse_phase(in.get<std::string>()); }
void decode_enum(const json& in, Dtype& value) { value = parse_dtype(in.get<std::string>()); }
void decode_enum(const json& in, Status& value) { value = parse_status(in.get<std::string>()); }
void decode_enum(const json& in, Tier& value) { value = parse_tier(in.get<std::string>()); }

class Reader {
 public:
  explicit Reader(const json& in) : in_(in) {}

  template <typename T>
  void operator()(const char* name, T& value) {
    decode(in_.at(name), value);
  }
  template <typename T>
  void since_2(const char* name, T& value) {
    if (in_.contains(name)) (*this)(name, value);
  }

  template <typename T>
  static void decode(const json& in, T& value) {
    if constexpr (std::floating_point<T>) {  // null where the schema lets a required number be unknown
      value = in.is_null() ? std::numeric_limits<T>::quiet_NaN() : in.get<T>();
    } else if constexpr (std::is_enum_v<T>) {
      decode_enum(in, value);
    } else if constexpr (requires(Reader reader) { members(reader, value); }) {
      Reader reader(in);
      members(reader, value);
    } else {
      in.get_to(value);
    }
  }
  template <typename T>
  static T decoded(const json& in) {
    T value{};
    decode(in, value);
    return value;
  }
  template <typename T>
  static void decode(const json& in, std::optional<T>& value) {
    value = in.is_null() ? std::optional<T>{} : std::optional<T>{decoded<T>(in)};
  }
  template <typename T>
  static void decode(const json& in, std::vector<T>& values) {
    values.clear();
    for (const json& element : in) decode(element, values.emplace_back());
  }
  template <typename T>
  static void decode(const json& in, std::map<std::string, T>& values) {
    values.clear();
    for (const auto& [name, element] : in.items())
      if (!element.is_null()) decode(element, values[name]);
  }

 private:
  const json& in_;
};

}  // namespace

json to_json(const Point& point) {
  json out = Writer::encode(point);
  // `time` is always there because it names the contract; its numbers are null where nothing was timed.
  json& time = out["time"];
  if (point.time) {
    time = Writer::encode(*point.time);
  } else {
    time = {{"median_ns", nullptr},
            {"ci_low_ns", nullptr},
            {"ci_high_ns", nullptr},
            {"samples_ns", json::array()},
            {"process_samples", json::array()},
            {"process_others", json::array()},
            {"stopped_because", nullptr}};
  }
  time["contract"] = point.contract;
  return out;
}

Point point_from_json(const json& in) try {
  Point point;
  Reader::decode(in, point);
  const json& time = in.at("time");
  time.at("contract").get_to(point.contract);
  if (!time.at("median_ns").is_null()) {
    Reader::decode(time, point.time.emplace());
    if (point.time->process_samples.empty()) point.time->process_samples = {std::ssize(point.time->samples_ns)};
  }
  return point;
} catch (const json::exception& error) {
  throw Error(std::string("point: ") + error.what());
}

json to_json(const Record& record) {
  json context = record.context;
  for (const char* name : {"caches", "load_avg"})
    if (!context.contains(name)) context[name] = json::array();
  context["json_schema_version"] = 1;  // Google Benchmark's own

  json rows = json::array();
  json points = json::array();
  for (const Point& point : record.points) {
    points.push_back(to_json(point));
    if (point.status == Status::ok && point.time) rows.push_back(benchmark_row(point));
  }
  return {{"context", std::move(context)},
          {"benchmarks", std::move(rows)},
          {"attnscope", {{"schema_version", kSchemaVersion}, {"points", std::move(points)}}}};
}

std::string text_of(const json& json, int indent) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace);
}

Record record_from_json(const json& in) try {
  Record record{.context = in.at("context"), .points = {}};
  for (const json& point : in.at("attnscope").at("points")) record.points.push_back(point_from_json(point));
  return record;
} catch (const json::exception& error) {
  throw Error(std::string("record: ") + error.what());
}

}  // namespace attnscope::record
