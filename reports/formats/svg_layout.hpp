// SPDX-License-Identifier: Apache-2.0
// Where everything of a figure goes on the page, in pixels; y grows downwards.
#pragma once

#include <string>
#include <vector>

#include "reports/figure/figure.hpp"
#include "reports/figure/ticks.hpp"

namespace attnscope::reports {

struct Box {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
  bool overlaps(const Box& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
};

/// `text` whose box is free of markers and other labels; it starts at x and stands on the line y.
struct PlacedLabel {
  std::string text;
  double x = 0;
  double y = 0;
};

class SvgLayout {
 public:
  explicit SvgLayout(const Figure& figure);

  double x(double value) const;
  double y(double value) const;
  Range x_range() const { return x_range_; }
  Range y_range() const { return y_range_; }

  const Box& plot() const { return plot_; }
  double page_width() const { return page_width_; }
  double page_height() const { return plot_.bottom + 52; }
  double legend_left() const { return plot_.right + 18; }
  double legend_line(std::size_t entry) const { return plot_.top + 8 + 18 * static_cast<double>(entry); }

  /// Labels of points where they tell the points of a series apart; one that fits nowhere is left out (its text is
  /// still in the tooltip).
  std::vector<PlacedLabel> labels() const;

 private:
  const Figure& figure_;
  Range x_range_;
  Range y_range_;
  Box plot_;
  double page_width_ = 0;
};

/// Estimated width of `text` in a sans-serif font of `size` pixels.
double text_width(const std::string& text, double size);

}  // namespace attnscope::reports
