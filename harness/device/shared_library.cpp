// SPDX-License-Identifier: Apache-2.0
#include "harness/device/shared_library.hpp"

#include <dlfcn.h>

#include <cstdlib>

namespace attnscope {

SharedLibrary::SharedLibrary(const std::string& name, std::span<const std::string> directories) {
  std::vector<std::string> candidates{name};
  for (const std::string& directory : directories) candidates.push_back(directory + "/" + name);
  for (const std::string& candidate : candidates) {
    handle_ = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_) return;
    searched_ += searched_.empty() ? candidate : ", " + candidate;
  }
  if (const char* words = dlerror()) searched_ += std::string(" (") + words + ")";
}

void* SharedLibrary::address(const char* symbol) const { return handle_ ? dlsym(handle_, symbol) : nullptr; }

std::vector<std::string> cuda_library_directories() {
  std::vector<std::string> roots;
  if (const char* home = std::getenv("CUDA_HOME")) roots.emplace_back(home);
#ifdef ATTNSCOPE_CUDA_ROOT
  roots.emplace_back(ATTNSCOPE_CUDA_ROOT);
#endif
  roots.emplace_back("/usr/local/cuda");
  std::vector<std::string> directories;
  for (const std::string& root : roots) {
    directories.push_back(root + "/lib64");
    directories.push_back(root + "/extras/CUPTI/lib64");
  }
  return directories;
}

}  // namespace attnscope
