// SPDX-License-Identifier: Apache-2.0
#include "bench/worker.hpp"

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/base/error.hpp"
#include "harness/base/text_file.hpp"
#include "harness/device/device_info.hpp"
#include "harness/measure/ceilings/ceilings.hpp"
#include "harness/measure/child_process.hpp"
#include "harness/measure/cupti/calibration.hpp"
#include "harness/measure/measure_point.hpp"
#include "harness/measure/plan.hpp"
#include "harness/measure/prepared.hpp"
#include "harness/measure/profile_point.hpp"
#include "harness/record/json.hpp"

namespace attnscope {
namespace {

using nlohmann::json;

/// Calls `step` and tells by status and reason how it ended, where that is no fault of the input.
template <typename Step>
void guarded(const Step& step, record::Status& status, std::string& reason) {
  try {
    step();
    return;
  } catch (const InputError&) {
    throw;
  } catch (const std::bad_alloc&) {
    status = record::Status::oom;
    reason = "host memory could not be allocated";
  } catch (const OutOfMemory& error) {
    status = record::Status::oom;
    reason = error.what();
  } catch (const MachineError& error) {
    status = record::Status::skipped;
    reason = error.what();
  } catch (const std::exception& error) {
    status = record::Status::crashed;
    reason = error.what();
  }
}

json prepare(const json& job) {
  auto status = record::Status::ok;
  std::string reason;
  guarded([&] { prepare_problem(spec_from_json(job.at("spec")), job.at("prepared"), job.at("threads")); }, status,
          reason);
  return {{"status", record::to_string(status)}, {"reason", reason}};
}

/// The spec of a job, with its GPU made current.
PointSpec point_of(const json& job) {
  PointSpec spec = spec_from_json(job.at("spec"));
  if (on_device(spec.backend)) use_gpu(job.at("gpu"));
  return spec;
}

json measure(const json& job) {
  record::Point point = asked_point(spec_from_json(job.at("spec")));
  guarded([&] { point = measure_point(point_of(job), map_prepared(job.at("prepared")), job.at("dump")); }, point.status,
          point.reason);
  return record::to_json(point);
}

json profile(const json& job) {
  record::Point point = record::point_from_json(job.at("point"));
  const record::Tier tier = record::parse_tier(job.at("tier").get<std::string>());
  profile_point(point_of(job), map_prepared(job.at("prepared")), tier, point);
  return record::to_json(point);
}

/// Calibration last: it loads CUPTI, which slows every launch from then on.
json machine(const json& job) {
  json facts{{"ceilings", json::object()}};
  if (job.at("cpu")) facts["ceilings"]["cpu"] = to_json(measure_cpu_ceilings(Effort::quick));
  if (!job.at("gpu").is_null()) {
    use_gpu(job.at("gpu"));
    facts["ceilings"]["gpu"] = to_json(measure_gpu_ceilings(Effort::quick));
  }
  if (job.at("calibrate")) facts["calibration"] = to_json(calibrate_counters());
  return facts;
}

json gpus(const json&) { return {{"count", gpu_list().gpus.size()}, {"reason", gpu_list().reason}}; }

const std::map<std::string, std::function<json(const json&)>> kKinds{
    {"prepare", prepare}, {"measure", measure}, {"profile", profile}, {"machine", machine}, {"gpus", gpus}};

struct Job {
  std::string kind, path, result;
};

}  // namespace

void add_worker(CLI::App& app, int&) {
  const auto job = std::make_shared<Job>();
  CLI::App* command = app.add_subcommand("worker", "One step of a run, for `attnscope run`")->group("");
  command->add_option("kind", job->kind)->required();
  command->add_option("job", job->path)->required();
  command->add_option("result", job->result)->required();
  command->callback([job] {
    follow_parent();
    const auto kind = kKinds.find(job->kind);
    if (kind == kKinds.end()) throw InputError("worker: no kind of work named '" + job->kind + "'");
    const json result = kind->second(json::parse(read_text(job->path)));
    write_text(job->result, result.dump());
  });
}

}  // namespace attnscope
