// SPDX-License-Identifier: Apache-2.0
// What the pages show. Immutable once made, so that threads share it without locks.
#pragma once

#include <QString>
#include <QStringList>
#include <memory>
#include <span>
#include <vector>

#include "harness/record/derive.hpp"
#include "harness/record/result.hpp"
#include "reports/figure/curves.hpp"

namespace attnscope::viz {

struct Dataset {
  QString name;       // of the file, or of the machine when several records of it are joined
  QStringList paths;  // the files it was read from
  std::shared_ptr<const record::Record> record;
  reports::Wording wording;              // of *record
  std::vector<record::Derived> derived;  // per point
  std::vector<QString> labels;           // per point: what it is, in words
  std::vector<reports::Facet> families;  // points that share everything but the context length, method and parameters

  const record::Point& point(std::size_t i) const { return record->points[i]; }
};

using DatasetPtr = std::shared_ptr<const Dataset>;

DatasetPtr makeDataset(const QString& name, const QStringList& paths, std::shared_ptr<const record::Record> record);

/// Joins records of one machine. Of points with the same key the one of the latest record stays. Ceilings and the rest
/// of the context come from the latest record that has ceilings.
DatasetPtr join(std::span<const DatasetPtr> datasets);

/// Processor, number of CPUs and GPU that a record was made on; empty where it does not say.
QString machineOf(const record::Record& record);

/// The name by which people know that machine: its GPU, or else its processor.
QString machineName(const record::Record& record);

}  // namespace attnscope::viz
