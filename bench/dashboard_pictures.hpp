// SPDX-License-Identifier: Apache-2.0
// The pictures of a report as the dashboard draws them, where it has been built.
#pragma once

#include <map>
#include <string>

#include "reports/figure/figure.hpp"

namespace attnscope {

class DashboardPictures {
 public:
  /// Lets the attnscope-viz beside this program draw all figures of a record. Says on stderr when there is one that
  /// fails.
  explicit DashboardPictures(const std::string& record_path);

  /// As the dashboard drew it, else as reports::svg does.
  std::string of(const reports::Figure& figure) const;

 private:
  std::map<std::string, std::string> drawn_;  // <svg> elements by name of the figure
};

}  // namespace attnscope
