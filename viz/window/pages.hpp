// SPDX-License-Identifier: Apache-2.0
// The table of pages. A new page is a row here and a view.
#pragma once

#include <QKeySequence>
#include <span>

#include "viz/views/page.hpp"

namespace attnscope::viz {

struct PageEntry {
  const char* name;   // of its dock, stable: saved layouts refer to it
  const char* title;  // on its tab
  const char* hint;   // one sentence
  Page* (*make)(Session& session);
};

/// In the order of the tabs; Ctrl+1 shows the first.
std::span<const PageEntry> pages();

}  // namespace attnscope::viz
