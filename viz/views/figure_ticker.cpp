// SPDX-License-Identifier: Apache-2.0
#include "viz/views/figure_ticker.hpp"

#include "viz/data/words.hpp"

namespace attnscope::viz {
namespace {

constexpr double kZoomedIn = 3;  // a logarithmic range narrower than this factor is marked linearly

}  // namespace

void FigureTicker::generate(const QCPRange& range, const QLocale&, QChar, int, QVector<double>& places,
                            QVector<double>* minor, QVector<QString>* labels) {
  places.clear();
  if (minor) minor->clear();
  if (labels) labels->clear();
  const reports::Range shown{range.lower, range.upper};
  const bool narrow = m_axis.scale != reports::Scale::linear && range.upper < kZoomedIn * range.lower;
  for (const reports::Tick& tick :
       narrow ? reports::ticks(reports::Scale::linear, shown) : reports::ticks(m_axis, shown)) {
    if (tick.label.empty()) {
      if (minor) minor->append(tick.value);
      continue;
    }
    places.append(tick.value);
    if (labels) labels->append(words(tick.label));
  }
}

}  // namespace attnscope::viz
