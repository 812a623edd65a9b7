// SPDX-License-Identifier: Apache-2.0
// The stages of one execution as they occur, each inside an NVTX range "method/stage". Only for builds with CUDA.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/method/stage.hpp"
#include "harness/record/result.hpp"

namespace attnscope {

/// Writes down which stages occurred and in which order; derived observers measure each occurrence.
class StageLog : public StageObserver {
 public:
  explicit StageLog(std::string method) : method_(std::move(method)) {}

  void begin(std::string_view name, StageKind kind) final;
  void end() final;

  /// Throws what a `leave` threw: `end` runs in destructors and must not.
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

  /// Each stage once, in order of first occurrence.
  const std::vector<record::Stage>& stages() const { return stages_; }
  /// For every occurrence the index of its stage.
  const std::vector<std::size_t>& occurrences() const { return occurrences_; }

 protected:
  /// Around the work of occurrence number `occurrence` (0, 1, ...).
  virtual void enter(std::size_t /*occurrence*/) {}
  virtual void leave() {}

 private:
  std::string method_;
  std::exception_ptr failure_;
  std::vector<record::Stage> stages_;
  std::vector<std::size_t> occurrences_;
};

}  // namespace attnscope
