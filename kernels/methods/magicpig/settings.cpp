// SPDX-License-Identifier: Apache-2.0
#include "kernels/methods/magicpig/settings.hpp"

namespace attnscope::magicpig {

const std::vector<Parameter>& parameters() {
  static const std::vector<Parameter> parameters{
      {.name = "bits", .default_value = 10, .min = 1, .max = select::Lsh::kMaxBits, .help = "K: signs in a code."},
      {.name = "tables", .default_value = 150, .min = 2, .max = 4096, .help = "L: hash tables."},
      {.name = "sink", .default_value = 4, .min = 0, .max = 2147483647, .help = "First keys, always attended."},
      {.name = "window", .default_value = 64, .min = 1, .max = 2147483647, .help = "Last keys, always attended."},
      {.name = "centre",
       .type = ParameterType::choice,
       .default_value = "on",
       .choices = {"on", "off"},
       .help = "Subtract the mean of the hashed keys from the keys before hashing."},
      {.name = "floor",
       .type = ParameterType::real,
       .default_value = 1e-4,
       .min = 1e-12,
       .max = 1,
       .help = "Added to the sampling probability before its logarithm."},
      {.name = "hash_seed", .default_value = 0, .min = 0, .max = 2147483647, .help = "Seed of the projections."}};
  return parameters;
}

bool keeps_all(const Shape& shape, const Params& params) {
  return shape.kv_len <= params.integer("sink") + params.integer("window");
}

Settings settings_of(const Shape& shape, const Params& params) {
  return {.lsh = {.bits = params.integer("bits"),
                  .tables = params.integer("tables"),
                  .seed = static_cast<std::uint64_t>(params.integer("hash_seed")),
                  .centred = params.choice("centre") == "on",
                  .indexed = {params.integer("sink"), shape.kv_len - params.integer("window")}},
          .floor = params.real("floor")};
}

}  // namespace attnscope::magicpig
