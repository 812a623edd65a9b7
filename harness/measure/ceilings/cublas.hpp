// SPDX-License-Identifier: Apache-2.0
// cuBLAS's bf16 matrix product, opened when the machine has it and never linked. Only for builds with CUDA.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace attnscope {

class Cublas {
 public:
  /// Nothing, with the reason in `why_not`, when libcublas.so.13 cannot be loaded or started.
  static std::unique_ptr<Cublas> open(std::string& why_not);
  ~Cublas();

  /// c [n,n] = a · bᵀ, all bf16, fp32 accumulation; enqueued on `stream` (a cudaStream_t). Work: 2·n³ FLOPs.
  void matmul_bf16(const std::uint16_t* a, const std::uint16_t* b, std::uint16_t* c, int n, void* stream) const;

 private:
  struct Library;
  explicit Cublas(std::unique_ptr<Library> library);
  std::unique_ptr<Library> library_;
};

}  // namespace attnscope
