// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/methods/twilight/pruning.hpp"
#include "kernels/selectors/registry.hpp"

namespace attnscope::twilight {
namespace {

constexpr const char* kFull = "full";

std::vector<std::string> bases() {
  std::vector<std::string> names{kFull};
  for (const selectors::SelectorKind* kind : selectors::kinds()) names.emplace_back(kind->name());
  return names;
}

}  // namespace

std::vector<Parameter> parameters() {
  std::vector<Parameter> all{
      {.name = "base",
       .type = ParameterType::choice,
       .default_value = "quest",
       .choices = bases(),
       .help = "The selector whose candidates are pruned; full takes every key."},
      {.name = "p",
       .type = ParameterType::real,
       .default_value = 0.95,
       .min = 0.001,
       .max = 1,
       .help = "Mass, estimated among the candidates, that the keys kept of them hold at least."},
      {.name = "topp",
       .type = ParameterType::choice,
       .default_value = "exact",
       .choices = {"exact", "bisection"},
       .help = "Exact top-p, or the released kernel's bisection with an absolute tolerance of 1e-5."},
      {.name = "start",
       .type = ParameterType::choice,
       .default_value = "first",
       .choices = {"first", "largest"},
       .help =
           "Where the bisection starts from above: the first candidate's weight (released) or the largest (paper)."},
      {.name = "estimate_bits",
       .default_value = 4,
       .min = 2,
       .max = 8,
       .help = "Bits of the K copy that estimates: 2, 4 or 8."},
      {.name = "gqa",
       .type = ParameterType::choice,
       .default_value = "union",
       .choices = {"union", "per_head"},
       .help = "A group's query heads attend to the union of their keys, or each to its own."}};
  for (const selectors::SelectorKind* kind : selectors::kinds())
    for (Parameter parameter : kind->parameters()) {
      if (std::ranges::find(all, parameter.name, &Parameter::name) != all.end()) continue;
      if (parameter.name == "budget") parameter.default_value = 8192;  // what the paper prunes
      all.push_back(std::move(parameter));
    }
  return all;
}

Settings settings_of(const Shape& shape, const Params& params) {
  const std::string& base = params.choice("base");
  const selectors::SelectorKind* kind = base == kFull ? nullptr : &selectors::find_kind(base);
  if (kind != nullptr && kind->keeps_all(shape, params)) kind = nullptr;
  return {.base = kind,
          .p = params.real("p"),
          .top_p = params.choice("topp") == "exact" ? TopP::exact : TopP::bisection,
          .start = params.choice("start") == "first" ? select::BisectionStart::first_weight
                                                     : select::BisectionStart::largest_weight,
          .bits = static_cast<int>(params.integer("estimate_bits")),
          .group_union = params.choice("gqa") == "union" && shape.group() > 1};
}

}  // namespace attnscope::twilight
