// SPDX-License-Identifier: Apache-2.0
// Twilight's settings, its definition, and its selector: a base selector's candidates, pruned by top-p.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/compose/exact.hpp"
#include "kernels/select/bisection.hpp"
#include "kernels/selectors/selector.hpp"

namespace attnscope::twilight {

/// How the keys that hold the mass p are found: exactly, or as the released kernel does (select/bisection.hpp).
enum class TopP { exact, bisection };

struct Settings {
  const selectors::SelectorKind* base = nullptr;  // null: every key is a candidate
  double p = 0.95;
  TopP top_p = TopP::exact;
  select::BisectionStart start = select::BisectionStart::first_weight;
  int bits = 4;
  bool group_union = true;  // a KV head's query heads attend to the union of their keys
};

/// The base is null also where it would keep everything.
Settings settings_of(const Shape& shape, const Params& params);

/// The parameters of Twilight and, once each, of all selectors it may prune.
std::vector<Parameter> parameters();

/// `built` as `make_selector`'s selector gives it: the candidates and the pruned keys of every query head.
std::unique_ptr<const Definition> define(const AttentionInputs& host, const Params& params, const Settings& settings,
                                         std::vector<SideTensor> built);

/// What is wrong with `kept` (positions, ascending) as the outcome of the bisection on softmax(`logits`), or "".
std::string bisection_fault(std::span<const compose::Bounded> logits, double p, select::BisectionStart start,
                            std::span<const std::int32_t> kept);

/// The outcome of the bisection in double.
std::vector<std::int32_t> bisect(std::span<const compose::Bounded> logits, double p, select::BisectionStart start);

/// The base's stages, then `quantize` (build), `estimate`, `top_p` and, with a group union, `union`.
std::unique_ptr<selectors::Selector> make_selector(Backend backend, const Task& task, const Params& params,
                                                   const Settings& settings);

}  // namespace attnscope::twilight
