// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/ceilings/ceilings.hpp"

#include <algorithm>
#include <cmath>

#include "harness/measure/ceilings/summarize.hpp"

namespace attnscope {

Ceiling summarize(std::vector<double> values, std::string how) {
  std::ranges::sort(values);
  const auto quantile = [&](double share) {  // nearest rank
    const double rank = std::ceil(share * static_cast<double>(values.size()));
    return values[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
  };
  return {.median = quantile(0.5),
          .low = quantile(0.1),
          .high = quantile(0.9),
          .samples = static_cast<int>(values.size()),
          .how = std::move(how)};
}

nlohmann::json to_json(const Ceilings& ceilings) {
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [name, ceiling] : ceilings)
    json[name] = {{"median", ceiling.median},
                  {"low", ceiling.low},
                  {"high", ceiling.high},
                  {"samples", ceiling.samples},
                  {"how", ceiling.how}};
  return json;
}

nlohmann::json middle_ceilings(std::span<const nlohmann::json> times) {
  nlohmann::json middle = times.front();
  for (const auto& [device, ceilings] : middle.items())
    for (auto& [name, ceiling] : ceilings.items()) {
      std::vector<nlohmann::json> found;
      for (const nlohmann::json& time : times) found.push_back(time.at(device).at(name));
      std::ranges::sort(found, {}, [](const nlohmann::json& one) { return one.at("median").get<double>(); });
      ceiling = found[(found.size() - 1) / 2];
    }
  return middle;
}

}  // namespace attnscope
