// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them; the same words in every table, axis and label.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace attnscope::reports {

/// Three significant digits and an SI prefix from 1000 up: "0.0125", "5", "16.8M", "1.23T".
std::string si(double value);

/// A context length: multiples of 1024 as "64k", of 1024² as "4M", anything else in digits.
std::string binary(double value);

/// "812 ns", "4.02 µs", "1.50 ms", "2.30 s".
std::string duration(double ns);

/// "6.25 %", three significant digits.
std::string percent(double share);

/// Three significant digits, "1.2e-05" below 0.0001.
std::string number(double value);

/// The number as `format` writes it, or "-" when there is none.
std::string or_dash(const std::optional<double>& value, std::string (*format)(double));

/// `text` in lower case, everything but letters and digits turned into single hyphens: fit for a file name.
std::string slug(std::string_view text);

/// Characters that `text` (UTF-8) occupies on a terminal.
std::size_t width(std::string_view text);

}  // namespace attnscope::reports
