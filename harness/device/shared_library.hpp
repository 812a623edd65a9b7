// SPDX-License-Identifier: Apache-2.0
// A library opened while the program runs, for what must not be linked: CUPTI, NVML, cuBLAS.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace attnscope {

/// Stays loaded until the process ends: these libraries keep threads and callbacks of their own.
class SharedLibrary {
 public:
  SharedLibrary() = default;
  /// Tries `name` on the loader's path, then in every directory. Not open when none has it.
  explicit SharedLibrary(const std::string& name, std::span<const std::string> directories = {});

  explicit operator bool() const { return handle_ != nullptr; }
  /// What was tried and the loader's last words, for an error message.
  const std::string& searched() const { return searched_; }

  /// The address of `symbol` as a pointer to `Function`; null when the library lacks it or is not open.
  template <typename Function>
  Function* find(const char* symbol) const {
    return reinterpret_cast<Function*>(address(symbol));
  }

 private:
  void* address(const char* symbol) const;

  void* handle_ = nullptr;
  std::string searched_;
};

/// Where CUDA's libraries lie when the loader does not know: $CUDA_HOME, the toolkit of the build, /usr/local/cuda.
std::vector<std::string> cuda_library_directories();

}  // namespace attnscope
