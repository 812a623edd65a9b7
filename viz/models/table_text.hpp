// SPDX-License-Identifier: Apache-2.0
// Any table model as text to paste elsewhere.
#pragma once

#include <QAbstractItemModel>
#include <QString>

namespace attnscope::viz {

enum class TableFormat { csv, markdown };

/// Header and all rows of the flat table `model`, in the order shown.
QString tableText(const QAbstractItemModel& model, TableFormat format);

}  // namespace attnscope::viz
