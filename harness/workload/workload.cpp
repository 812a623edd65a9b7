// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/workload.hpp"

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/base/nearest.hpp"
#include "harness/workload/gaussian.hpp"
#include "harness/workload/llm.hpp"
#include "harness/workload/needle.hpp"

namespace attnscope {

Problem allocate_problem(const Shape& shape, Phase phase) {
  validate(shape, "workload");
  Problem problem;
  problem.shape = shape;
  problem.phase = phase;
  const auto element = static_cast<std::size_t>(size_of(shape.dtype));
  problem.q = Buffer(Space::host, static_cast<std::size_t>(shape.q_elements()) * element);
  problem.k = Buffer(Space::host, static_cast<std::size_t>(shape.kv_elements()) * element);
  problem.v = Buffer(Space::host, static_cast<std::size_t>(shape.kv_elements()) * element);
  if (shape.history > 0)
    problem.past_q = Buffer(Space::host, static_cast<std::size_t>(shape.history_elements()) * element);
  return problem;
}

const std::vector<const Workload*>& workloads() {
  static const std::vector<const Workload*> all{&gaussian_workload(), &llm_workload(), &needle_workload()};
  return all;
}

const Workload& find_workload(std::string_view name) {
  std::vector<std::string> names;
  for (const Workload* workload : workloads()) {
    if (workload->info().name == name) return *workload;
    names.push_back(workload->info().name);
  }
  throw InputError(fmt::format("workload: no workload named '{}'; did you mean '{}'? (known: {})", name,
                               nearest_name(name, names), fmt::join(names, ", ")));
}

}  // namespace attnscope
