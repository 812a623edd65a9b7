// SPDX-License-Identifier: Apache-2.0
#include "kernels/selectors/snapkv/kind.hpp"

#include <fmt/format.h>

#include "kernels/selectors/observed/observed.hpp"
#include "kernels/selectors/registry.hpp"

namespace attnscope::snapkv {
namespace {

class SnapKvKind final : public observed::Kind {
 public:
  std::string_view name() const override { return "snapkv"; }

  const std::vector<Parameter>& parameters() const override {
    static const std::vector<Parameter> parameters{
        {.name = "budget",
         .default_value = 1024,
         .min = 2,
         .max = 2147483647,  // keys are numbered by int32
         .help =
             "Keys of the prompt kept per query head, the observing tokens' included; the query's own comes on top."},
        {.name = "observe", .default_value = 32, .min = 1, .max = 65536, .help = "Last prompt tokens that observe."},
        {.name = "pool_width", .default_value = 7, .min = 1, .max = 1023, .help = "Keys pooled together; odd."},
        {.name = "pool",
         .type = ParameterType::choice,
         .default_value = "max",
         .choices = {"max", "mean"},
         .help = "How the observed attention of neighbouring keys is pooled."}};
    return parameters;
  }

  std::optional<std::string> unsupported(const Shape& shape, Backend, const Params& params) const override {
    const std::int64_t observe = params.integer("observe");
    if (params.integer("pool_width") % 2 == 0)
      return fmt::format("snapkv: pool_width must be odd, found {}", params.integer("pool_width"));
    if (params.integer("budget") <= observe)
      return fmt::format("snapkv: budget must exceed observe = {}, found {}", observe, params.integer("budget"));
    if (shape.history < observe && !keeps_all(shape, params))
      return fmt::format(
          "snapkv observes the last {} queries of the prompt: set shape.history to at least that, found {}", observe,
          shape.history);
    return std::nullopt;
  }

  bool keeps_all(const Shape& shape, const Params& params) const override {
    return shape.kv_len - shape.q_len <= params.integer("budget");
  }

 private:
  /// The prompt is everything before the query's own key; its last `observe` tokens observe, and are kept.
  observed::Settings settings_of(const Shape& shape, const Params& params) const override {
    const std::int64_t observe = params.integer("observe");
    return {.queries = observe,
            .prefix = shape.kv_len - shape.q_len - observe,
            .kept = params.integer("budget") - observe,
            .pool = {.width = params.integer("pool_width"),
                     .kind = params.choice("pool") == "max" ? select::Pool::Kind::max : select::Pool::Kind::mean}};
  }
};

}  // namespace

const selectors::SelectorKind& kind() {
  static const SnapKvKind kind;
  return kind;
}

namespace {
const selectors::RegisterSelector registered(kind());
}

}  // namespace attnscope::snapkv
