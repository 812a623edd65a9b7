// SPDX-License-Identifier: Apache-2.0
// The files of one run: the record, its journal, its report, and a directory for what only the run needs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/record/result.hpp"

namespace attnscope {

class RunFiles {
 public:
  /// Claims `record` (OUT.json): checks that it can be written and makes OUT.json.journal and OUT.json.work/; the
  /// folder of OUT.json is made when only it is missing. Without `resume` an old journal is dropped. Throws InputError.
  RunFiles(std::string record, bool resume);
  RunFiles(const RunFiles&) = delete;
  RunFiles& operator=(const RunFiles&) = delete;
  /// Removes the working directory, and the journal if nothing was journalled.
  ~RunFiles();

  const std::string& record() const { return record_; }
  std::string work() const { return record_ + ".work"; }
  std::string report() const;

  /// What the processes of the point with this key have measured, in order.
  const std::vector<record::Point>& finished(const std::string& key) { return finished_[key]; }
  /// Adds what one process has measured, in the journal on disk when this returns.
  void keep(const record::Point& point);
  /// Drops the journal: the record has everything.
  void complete();

 private:
  std::string journal() const { return record_ + ".journal"; }

  std::string record_;
  std::map<std::string, std::vector<record::Point>> finished_;  // by key
};

}  // namespace attnscope
