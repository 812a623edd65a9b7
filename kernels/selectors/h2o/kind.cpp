// SPDX-License-Identifier: Apache-2.0
#include "kernels/selectors/h2o/kind.hpp"

#include <algorithm>

#include "kernels/selectors/observed/observed.hpp"

namespace attnscope::h2o {
namespace {

class H2oKind final : public observed::Kind {
 public:
  std::string_view name() const override { return "h2o"; }

  const std::vector<Parameter>& parameters() const override {
    static const std::vector<Parameter> parameters{
        {.name = "share",
         .type = ParameterType::real,
         .default_value = 0.2,
         .min = 1e-6,
         .max = 1,
         .help = "Part of the keys that a query head keeps."},
        {.name = "recent",
         .type = ParameterType::real,
         .default_value = 0.5,
         .min = 0,
         .max = 1,
         .help =
             "Part of the kept keys that are the most recent, the query's own included (always); the rest are heavy."}};
    return parameters;
  }

  std::optional<std::string> unsupported(const Shape& shape, Backend, const Params& params) const override {
    if (shape.history == 0 && !keeps_all(shape, params))
      return "h2o adds up the attention of earlier queries: set shape.history (kv_len − 1 as published)";
    return std::nullopt;
  }

  bool keeps_all(const Shape&, const Params& params) const override { return params.real("share") >= 1; }

 private:
  observed::Settings settings_of(const Shape& shape, const Params& params) const override {
    const auto keys = static_cast<double>(shape.kv_len);
    const std::int64_t kept = std::max<std::int64_t>(1, static_cast<std::int64_t>(params.real("share") * keys));
    const std::int64_t recent =
        std::clamp<std::int64_t>(static_cast<std::int64_t>(params.real("recent") * static_cast<double>(kept)), 1, kept);
    return {.queries = shape.history, .prefix = shape.kv_len - recent, .kept = kept - recent, .pool = {}};
  }
};

}  // namespace

const selectors::SelectorKind& kind() {
  static const H2oKind kind;
  return kind;
}

}  // namespace attnscope::h2o
