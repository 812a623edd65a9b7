// SPDX-License-Identifier: Apache-2.0
// Text of the rest of the project, which is UTF-8, as Qt wants it.
#pragma once

#include <QString>
#include <string_view>

namespace attnscope::viz {

inline QString words(std::string_view text) {
  return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

}  // namespace attnscope::viz
