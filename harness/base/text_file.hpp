// SPDX-License-Identifier: Apache-2.0
// Small files as text.
#pragma once

#include <string>
#include <string_view>

namespace attnscope {

/// All that `path` holds; it may be a pipe. Throws InputError naming the path and the reason.
std::string read_text(const std::string& path);

/// Replaces `path` by `text` in one step, or throws InputError and leaves it as it was.
void write_text(const std::string& path, std::string_view text);

}  // namespace attnscope
