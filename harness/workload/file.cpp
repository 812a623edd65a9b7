// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/strict_json.hpp"
#include "harness/workload/finite.hpp"
#include "harness/workload/hash.hpp"
#include "harness/workload/npy.hpp"
#include "harness/workload/safetensors.hpp"

namespace attnscope {
namespace {

using nlohmann::json;

constexpr std::uintptr_t kAlignment = 64;  // what AttentionInputs asks of its pointers

/// A tensor as a file has it; `where` names file and tensor in messages.
struct Tensor {
  std::string where;
  Dtype dtype;
  std::vector<std::int64_t> dims;
  std::span<const std::byte> bytes;
};
using Tensors = std::vector<Tensor>;  // q, k, v and, where there is one, past_q

[[noreturn]] void fail(const std::string& where, const std::string& expected, const std::string& found) {
  throw InputError(fmt::format("{}: expected {}, found {}", where, expected, found));
}

std::string text_of(std::span<const std::int64_t> dims) { return fmt::format("[{}]", fmt::join(dims, ", ")); }

std::string where_of(const SafetensorsFile& file, std::string_view tensor) {
  return fmt::format("{}: tensor \"{}\"", file.path(), tensor);
}

Tensor read_tensor(const SafetensorsFile& file, std::string_view name) {
  const std::string where = where_of(file, name);
  const SafetensorsEntry* entry = file.find(name);
  if (entry == nullptr) {
    json names = json::array();
    for (const SafetensorsEntry& other : file.entries()) names.push_back(other.name);
    fail(where, "it in the file", quote(names));
  }
  const auto dtype = dtype_of_safetensors(entry->dtype);
  if (!dtype) fail(where, "dtype F32, F16 or BF16", entry->dtype);
  return {.where = where, .dtype = *dtype, .dims = entry->dims, .bytes = file.bytes(*entry)};
}

Tensor read_npy(const MappedFile& file, const std::string& path) {
  NpyArray array = parse_npy(file.bytes(), path);
  return {.where = path, .dtype = array.dtype, .dims = std::move(array.dims), .bytes = array.data};
}

Shape shape_of(const Tensors& tensors, bool causal, const std::string& source) {
  constexpr std::array<const char*, 4> kLayout{
      "[batch, q_heads, q_len, head_dim]", "[batch, kv_heads, kv_len, head_dim]", "[batch, kv_heads, kv_len, head_dim]",
      "[batch, q_heads, history, head_dim]"};
  const Tensor &q = tensors[0], &k = tensors[1], &v = tensors[2];
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& tensor = tensors[i];
    if (tensor.dims.size() != 4) fail(tensor.where, kLayout[i], text_of(tensor.dims));
    if (tensor.dtype != q.dtype)
      fail(tensor.where, fmt::format("dtype {} as in q", to_string(q.dtype)), std::string{to_string(tensor.dtype)});
  }
  if (k.dims[0] != q.dims[0]) fail(k.where, fmt::format("batch {} as in q", q.dims[0]), text_of(k.dims));
  if (k.dims[3] != q.dims[3]) fail(k.where, fmt::format("head_dim {} as in q", q.dims[3]), text_of(k.dims));
  if (v.dims != k.dims) fail(v.where, fmt::format("{} as in k", text_of(k.dims)), text_of(v.dims));
  Shape shape{.batch = q.dims[0],
              .q_heads = q.dims[1],
              .kv_heads = k.dims[1],
              .head_dim = q.dims[3],
              .q_len = q.dims[2],
              .kv_len = k.dims[2],
              .causal = causal,
              .dtype = q.dtype};
  if (tensors.size() > 3) {
    const Tensor& past_q = tensors[3];
    shape.history = past_q.dims[2];
    const std::vector<std::int64_t> expected{shape.batch, shape.q_heads, std::max<std::int64_t>(1, shape.history),
                                             shape.head_dim};
    if (past_q.dims != expected) fail(past_q.where, text_of(expected) + " as in q", text_of(past_q.dims));
  }
  validate(shape, source);
  return shape;
}

void check_finite(const Tensor& tensor, const void* data) {
  const std::int64_t width = size_of(tensor.dtype);
  const auto at = first_not_finite(data, tensor.dtype, static_cast<std::int64_t>(tensor.bytes.size()) / width);
  if (!at) return;
  std::array<std::int64_t, 4> index{};
  std::int64_t rest = *at;
  for (std::size_t axis = index.size(); axis-- > 0; rest /= tensor.dims[axis]) index[axis] = rest % tensor.dims[axis];
  fail(tensor.where, "finite values", fmt::format("NaN or infinity at {}", text_of(index)));
}

MappedProblem make_problem(const Tensors& tensors, bool causal, bool finite, const std::string& source) {
  MappedProblem problem;
  problem.shape = shape_of(tensors, causal, source);
  problem.phase = problem.shape.q_len == 1 ? Phase::decode : Phase::prefill;
  const std::array targets{&problem.q, &problem.k, &problem.v, &problem.past_q};
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const void* data = tensors[i].bytes.data();
    if (reinterpret_cast<std::uintptr_t>(data) % kAlignment != 0) {
      Buffer& copy = problem.copies.emplace_back(Space::host, tensors[i].bytes.size());
      copy.copy_from_host(data, tensors[i].bytes.size());
      data = copy.data();
    }
    if (finite) check_finite(tensors[i], data);
    *targets[i] = data;
  }
  return problem;
}

template <typename Element>
std::vector<Element> read_list(const SafetensorsFile& file, std::string_view name, const char* dtype,
                               std::span<const std::int64_t> dims) {
  const SafetensorsEntry* entry = file.find(name);
  const std::string expected = fmt::format("{} {}, -1 for any", dtype, text_of(dims));
  if (entry == nullptr) fail(where_of(file, name), "it beside the other task tensors", "no tensor of that name");
  const bool fits = entry->dtype == dtype && std::ranges::equal(entry->dims, dims, [](auto found, auto wanted) {
                      return wanted == -1 || found == wanted;
                    });
  if (!fits) fail(where_of(file, name), expected, fmt::format("{} {}", entry->dtype, text_of(entry->dims)));
  const auto bytes = file.bytes(*entry);
  std::vector<Element> list(bytes.size() / sizeof(Element));
  if (!list.empty()) std::memcpy(list.data(), bytes.data(), bytes.size());
  return list;
}

std::optional<RetrievalTask> read_task(const SafetensorsFile& file, const Shape& shape) {
  constexpr std::array kNames{"task.rows", "task.answers", "task.candidates"};
  if (std::ranges::none_of(kNames, [&](const char* name) { return file.find(name) != nullptr; })) return std::nullopt;
  RetrievalTask task;
  const auto rows = read_list<std::int64_t>(file, kNames[0], "I64", std::array<std::int64_t, 2>{-1, 3});
  const auto count = static_cast<std::int64_t>(rows.size() / 3);
  task.answers = read_list<std::int64_t>(file, kNames[1], "I64", std::array{count});
  task.candidates = read_list<float>(file, kNames[2], "F32", std::array{std::int64_t{-1}, shape.head_dim});
  const auto within = [](std::int64_t value, std::int64_t size) { return value >= 0 && value < size; };
  for (std::size_t i = 0; i < rows.size(); i += 3) {
    const Row row{.batch = rows[i], .head = rows[i + 1], .query = rows[i + 2]};
    if (!within(row.batch, shape.batch) || !within(row.head, shape.q_heads) || !within(row.query, shape.q_len))
      fail(where_of(file, kNames[0]), fmt::format("rows below [{}, {}, {}]", shape.batch, shape.q_heads, shape.q_len),
           fmt::format("[{}, {}, {}]", row.batch, row.head, row.query));
    task.rows.push_back(row);
  }
  const auto candidates = static_cast<std::int64_t>(task.candidates.size()) / shape.head_dim;
  for (const std::int64_t answer : task.answers)
    if (!within(answer, candidates))
      fail(where_of(file, kNames[1]), fmt::format("candidates below {}", candidates), std::to_string(answer));
  return task;
}

/// Null when the file has no such metadata.
const std::string* metadata(const SafetensorsFile& file, const std::string& name) {
  const auto found = file.metadata().find(name);
  return found == file.metadata().end() ? nullptr : &found->second;
}

bool causal_of(const SafetensorsFile& file, const FileOptions& options) {
  if (options.causal) return *options.causal;
  const std::string* text = metadata(file, "causal");
  if (text == nullptr || (*text != "true" && *text != "false"))
    fail(file.path(), "metadata \"causal\": \"true\" or \"false\"", text == nullptr ? "none" : quote(*text));
  return *text == "true";
}

Phase phase_of(const SafetensorsFile& file, Phase by_shape) {
  const std::string* text = metadata(file, "phase");
  if (text == nullptr) return by_shape;
  if (*text != to_string(Phase::prefill) && *text != to_string(Phase::decode))
    fail(file.path(), "metadata \"phase\": \"prefill\" or \"decode\"", quote(*text));
  return parse_phase(*text);
}

json provenance_of(const SafetensorsFile& file) {
  const std::string* text = metadata(file, "provenance");
  if (text == nullptr) return file.metadata();
  json provenance = parse_json(*text, file.path() + ": metadata \"provenance\"");
  if (!provenance.is_object()) fail(file.path(), "metadata \"provenance\": a JSON object", quote(provenance));
  return provenance;
}

MappedProblem map_safetensors(const std::string& path, const FileOptions& options) {
  SafetensorsFile file = SafetensorsFile::open(path);
  Tensors tensors{read_tensor(file, "q"), read_tensor(file, "k"), read_tensor(file, "v")};
  if (file.find("past_q")) tensors.push_back(read_tensor(file, "past_q"));
  MappedProblem problem = make_problem(tensors, causal_of(file, options), options.check_finite, path);
  problem.phase = phase_of(file, problem.phase);
  problem.task = read_task(file, problem.shape);
  problem.provenance = provenance_of(file);
  problem.files.push_back(std::move(file).release());
  return problem;
}

MappedProblem map_npy(const std::string& source, const FileOptions& options) {
  std::vector<std::string> paths;
  for (std::size_t begin = 0; begin <= source.size(); begin += paths.back().size() + 1)
    paths.push_back(source.substr(begin, source.find(',', begin) - begin));
  if (paths.size() != 3) fail(source, "three npy files, \"q.npy,k.npy,v.npy\"", fmt::format("{}", paths.size()));
  if (!options.causal) fail(source, "the mask to be given with npy files, which cannot tell it", "none");
  std::vector<MappedFile> files;
  files.reserve(paths.size());
  for (const std::string& path : paths) files.emplace_back(path);
  const Tensors tensors{read_npy(files[0], paths[0]), read_npy(files[1], paths[1]), read_npy(files[2], paths[2])};
  MappedProblem problem = make_problem(tensors, *options.causal, options.check_finite, source);
  problem.files = std::move(files);
  return problem;
}

}  // namespace

AttentionInputs MappedProblem::inputs() const {
  return {.shape = shape, .q = q, .k = k, .v = v, .scale = default_scale(shape), .past_q = past_q};
}

std::string MappedProblem::hash() const { return hash_inputs(inputs()); }

MappedProblem map_problem(const std::string& source, const FileOptions& options) {
  const bool npy = source.ends_with(".npy") || source.find(".npy,") != std::string::npos;
  return npy ? map_npy(source, options) : map_safetensors(source, options);
}

Problem load_problem(const std::string& source, const FileOptions& options) {
  MappedProblem mapped = map_problem(source, options);
  const auto copy = [&](const void* data, std::int64_t elements) {
    const auto bytes = static_cast<std::size_t>(elements * size_of(mapped.shape.dtype));
    Buffer buffer(Space::host, bytes);
    buffer.copy_from_host(data, bytes);
    return buffer;
  };
  const Shape& shape = mapped.shape;
  return {.shape = shape,
          .phase = mapped.phase,
          .q = copy(mapped.q, shape.q_elements()),
          .k = copy(mapped.k, shape.kv_elements()),
          .v = copy(mapped.v, shape.kv_elements()),
          .past_q = mapped.past_q ? copy(mapped.past_q, shape.history_elements()) : Buffer(),
          .task = std::move(mapped.task),
          .provenance = std::move(mapped.provenance)};
}

}  // namespace attnscope
