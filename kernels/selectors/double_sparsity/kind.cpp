// SPDX-License-Identifier: Apache-2.0
#include "kernels/selectors/double_sparsity/kind.hpp"

#include <fmt/format.h>

#include <numeric>
#include <set>

#include "harness/base/half.hpp"
#include "harness/method/definition.hpp"
#include "kernels/compose/quantized.hpp"
#include "kernels/selectors/double_sparsity/settings.hpp"
#include "kernels/selectors/registry.hpp"

namespace attnscope::double_sparsity {
namespace {

CalibrationRows rows_of_host(const AttentionInputs& host) {
  const auto row = [host](const void* tensor, std::int64_t r) {
    std::vector<float> values(host.shape.head_dim);
    for (std::int64_t c = 0; c < host.shape.head_dim; ++c)
      values[c] = load_element(tensor, host.shape.dtype, r * host.shape.head_dim + c);
    return values;
  };
  return {
      .past_query = [=](std::int64_t head, std::int64_t i) { return row(host.past_q, head * host.shape.history + i); },
      .key = [=](std::int64_t kv_head, std::int64_t j) { return row(host.k, kv_head * host.shape.kv_len + j); }};
}

RowSelection select_row(const AttentionInputs& host, const Settings& settings,
                        const std::vector<std::vector<std::int32_t>>& channels, const Row& row) {
  const Shape& shape = host.shape;
  std::vector<std::int32_t> keys(shape.visible(row.query));
  std::iota(keys.begin(), keys.end(), 0);
  const auto& kept = channels[row.head / (shape.q_heads / settings.label_heads)];
  compose::Choice choice =
      compose::largest(compose::quantized_logits(host, row, settings.bits, kept, keys), settings.budget);
  return {.keys = std::move(choice.certain),
          .borderline = std::move(choice.open),
          .borderline_min = choice.take,
          .borderline_max = choice.take};
}

class DoubleSparsityKind final : public selectors::SelectorKind {
 public:
  std::string_view name() const override { return "double_sparsity"; }

  const std::vector<Parameter>& parameters() const override {
    static const std::vector<Parameter> parameters{
        {.name = "budget",
         .default_value = 1024,
         .min = 1,
         .max = 2147483647,  // keys are numbered by int32
         .help = "Keys attended per query head."},
        {.name = "channels",
         .default_value = 32,
         .min = 8,
         .max = 128,
         .help = "Channels of each key that are scored."},
        {.name = "bits", .default_value = 4, .min = 2, .max = 16, .help = "Bits per scored channel: 2, 4, 8 or 16."},
        {.name = "channels_from",
         .type = ParameterType::choice,
         .default_value = "qk",
         .choices = {"k", "q", "qk"},
         .help = "What channels are ranked by: |k|, |q| or |q·k| of the same token (q and qk need shape.history)."},
        {.name = "labels",
         .type = ParameterType::choice,
         .default_value = "kv_head",
         .choices = {"kv_head", "q_head"},
         .help = "One set of channels per KV head, or per query head as in the released accuracy code."}};
    return parameters;
  }

  std::optional<std::string> unsupported(const Shape& shape, Backend, const Params& params) const override {
    const Settings settings = settings_of(shape, params);
    if (settings.bits != 2 && settings.bits != 4 && settings.bits != 8 && settings.bits != 16)
      return fmt::format("double_sparsity: bits must be 2, 4, 8 or 16, found {}", settings.bits);
    if (settings.channels > shape.head_dim)
      return fmt::format("double_sparsity: channels must be at most head_dim = {}, found {}", shape.head_dim,
                         settings.channels);
    static const std::set<std::int64_t> widths{128, 256, 512, 1024, 2048};
    if (!widths.contains(settings.channels * settings.bits))
      return fmt::format("double_sparsity: channels · bits must be 128, 256, 512, 1024 or 2048, found {} · {}",
                         settings.channels, settings.bits);
    if (settings.bits == 16 && shape.dtype == Dtype::f32)
      return "double_sparsity: 16 bits keep elements as they are, which f32 is not";
    if (settings.target != Target::k && shape.history == 0)
      return "double_sparsity: channels_from q and qk observe earlier queries: set shape.history (512 as published), "
             "or "
             "channels_from k";
    return std::nullopt;
  }

  bool keeps_all(const Shape& shape, const Params& params) const override {
    return params.integer("budget") >= shape.kv_len;
  }

  std::unique_ptr<const Definition> define(const AttentionInputs& host, const Params& params,
                                           std::vector<SideTensor>) const override {
    const Settings settings = settings_of(host.shape, params);
    return define_rows([host, settings,
                        channels = calibrated_channels(host.shape, rows_of_host(host), settings.target,
                                                       settings.label_heads, settings.channels)](const Row& row) {
      return select_row(host, settings, channels, row);
    });
  }

  std::unique_ptr<selectors::Selector> prepare(Backend backend, const Task& task, const Params& params) const override {
    return make_selector(backend, task, settings_of(task.inputs.shape, params));
  }
};

}  // namespace

Settings settings_of(const Shape& shape, const Params& params) {
  return {.budget = params.integer("budget"),
          .channels = params.integer("channels"),
          .bits = static_cast<int>(params.integer("bits")),
          .target = parse_target(params.choice("channels_from")),
          .label_heads = params.choice("labels") == "kv_head" ? shape.kv_heads : shape.q_heads};
}

const selectors::SelectorKind& kind() {
  static const DoubleSparsityKind kind;
  return kind;
}

namespace {
const selectors::RegisterSelector registered(kind());
}

}  // namespace attnscope::double_sparsity
