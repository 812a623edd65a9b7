// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

namespace attnscope::reports {

std::string number(double value) {
  if (value != 0 && std::abs(value) < 1e-4) return fmt::format("{:.1e}", value);
  const double magnitude = value == 0 ? 0 : std::floor(std::log10(std::abs(value)));
  return fmt::format("{:.{}f}", value, std::max(0, 2 - static_cast<int>(magnitude)));
}

std::string si(double value) {
  constexpr std::array<const char*, 7> kPrefixes{"", "k", "M", "G", "T", "P", "E"};
  std::size_t prefix = 0;
  for (; std::abs(value) >= 999.5 && prefix + 1 < kPrefixes.size(); ++prefix) value /= 1000;
  if (value != 0 && std::abs(value) < 1e-4) return fmt::format("{:.3g}", value);
  return fmt::format("{:.3g}{}", value, kPrefixes[prefix]);
}

std::string binary(double value) {
  constexpr double kKi = 1024;
  if (value >= kKi * kKi && std::fmod(value, kKi * kKi) == 0) return fmt::format("{:.0f}M", value / kKi / kKi);
  if (value >= kKi && std::fmod(value, kKi) == 0) return fmt::format("{:.0f}k", value / kKi);
  return fmt::format("{:.0f}", value);
}

std::string duration(double ns) {
  if (ns < 1e3) return number(ns) + " ns";
  if (ns < 1e6) return number(ns / 1e3) + " µs";
  if (ns < 1e9) return number(ns / 1e6) + " ms";
  return number(ns / 1e9) + " s";
}

std::string percent(double share) { return number(100 * share) + " %"; }

std::string or_dash(const std::optional<double>& value, std::string (*format)(double)) {
  return value ? format(*value) : "-";
}

std::string slug(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 128 && std::isalnum(byte))
      out += static_cast<char>(std::tolower(byte));
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

std::size_t width(std::string_view text) {
  const auto starts_character = [](char c) { return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u; };
  return static_cast<std::size_t>(std::ranges::count_if(text, starts_character));
}

}  // namespace attnscope::reports
