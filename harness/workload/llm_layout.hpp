// SPDX-License-Identifier: Apache-2.0
// Which rotary pairs of a head carry which mechanism. A logit is a sum over pairs, so each mechanism has its own, as in
// trained models: fast pairs position, slow pairs content, the slowest the sink and the heavy tokens.
#pragma once

#include <cstdint>

namespace attnscope::llm {

struct Layout {
  std::int64_t pairs = 0;     // F = head_dim / 2; pair f is channels f and f + F
  std::int64_t position = 0;  // pairs [0, position)
  std::int64_t content = 0;   // pairs [position, position + content): 2 · content real dimensions
  std::int64_t outlier = 0;   // one pair: a constant in every key; its free imaginary part marks needles
  std::int64_t sink = 0;      // first of `sinks` pairs
  std::int64_t sinks = 0;
  std::int64_t heavy = 0;  // one pair: the heavy tokens

  std::int64_t content_dims() const { return 2 * content; }
  /// Channel of content dimension c: real parts first.
  std::int64_t content_channel(std::int64_t c) const {
    return c < content ? position + c : pairs + position + c - content;
  }
};

/// Layouts exist for head_dim 64 and 128: below that the content dimensions are too few to tell tokens apart.
/// Throws InputError for any other.
Layout layout_for(std::int64_t head_dim);

/// The rotary base under which the fastest content pair turns by one radian over the context.
double rope_base(const Layout& layout, std::int64_t context);

}  // namespace attnscope::llm
