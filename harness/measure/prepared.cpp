// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/prepared.hpp"

#include <cstring>

#include "harness/base/error.hpp"
#include "harness/verify/sample_rows.hpp"
#include "harness/workload/safetensors.hpp"
#include "harness/workload/workload.hpp"

namespace attnscope {
namespace {

constexpr const char* kProblemFile = "/problem.safetensors";
constexpr const char* kExactFile = "/exact.safetensors";

// Rows and scales travel as plain arrays.
static_assert(sizeof(Row) == 3 * sizeof(std::int64_t));
static_assert(sizeof(RowScale) == 8 * sizeof(double));

/// Where the tensors lie: files of the user are mapped where they are.
std::string write_inputs(const PointSpec& spec, const std::string& directory, int threads) {
  if (spec.workload == "file") return spec.workload_params.at("path").get<std::string>();
  const Workload& workload = find_workload(spec.workload);
  const Params params = Params::resolve(workload.info().parameters, spec.workload_params, spec.where);
  std::string path = directory + kProblemFile;
  save_problem(path, workload.make(spec.shape, spec.phase, params, spec.seed, threads));
  return path;
}

template <typename T>
void read_tensor(const SafetensorsFile& file, const char* name, std::vector<T>& values) {
  const SafetensorsEntry* entry = file.find(name);
  if (!entry) throw Error(file.path() + ": no tensor " + name);
  const auto bytes = file.bytes(*entry);
  values.resize(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
}

}  // namespace

AttentionInputs host_inputs(const Prepared& prepared, const PointSpec& spec) {
  AttentionInputs inputs = prepared.problem.inputs();
  inputs.shape.cache_page = spec.shape.cache_page;
  return inputs;
}

void prepare_problem(const PointSpec& spec, const std::string& directory, int threads) {
  const std::string source = write_inputs(spec, directory, threads);
  const MappedProblem problem = map_problem(source, {spec.shape.causal, spec.workload == "file"});
  const AttentionInputs inputs = problem.inputs();
  const AttentionRows exact =
      exact_attention(inputs, sample_rows(problem.shape, spec.accuracy_rows, spec.seed), threads);

  const auto rows = static_cast<std::int64_t>(exact.rows.size());
  const std::vector<TensorToWrite> tensors{{"rows", "I64", {rows, 3}, exact.rows.data()},
                                           {"o", "F64", {rows, problem.shape.head_dim}, exact.o.data()},
                                           {"lse", "F64", {rows}, exact.lse.data()},
                                           {"scale", "F64", {rows, 8}, exact.scale.data()}};
  write_safetensors(directory + kExactFile, tensors,
                    {{"source", source}, {"causal", problem.shape.causal ? "1" : "0"}, {"hash", problem.hash()}});
}

Prepared map_prepared(const std::string& directory) {
  const SafetensorsFile file = SafetensorsFile::open(directory + kExactFile);
  const auto& metadata = file.metadata();
  Prepared prepared{.problem = map_problem(metadata.at("source"), {metadata.at("causal") == "1", false}),
                    .exact = {},
                    .hash = metadata.at("hash")};
  read_tensor(file, "rows", prepared.exact.rows);
  read_tensor(file, "o", prepared.exact.o);
  read_tensor(file, "lse", prepared.exact.lse);
  read_tensor(file, "scale", prepared.exact.scale);
  return prepared;
}

}  // namespace attnscope
