// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/ceilings/cublas.hpp"

#include <fmt/format.h>
#include <library_types.h>

#include "harness/base/error.hpp"
#include "harness/device/shared_library.hpp"

namespace attnscope {
namespace {

// Constants and prototypes of the cuBLAS 13 interface; its headers are a package of their own that we do not need.
constexpr int kTranspose = 1;
constexpr int kNoTranspose = 0;
constexpr int kComputeF32 = 68;
constexpr int kDefaultAlgorithm = -1;
using Create = int(void**);
using Destroy = int(void*);
using SetStream = int(void*, void*);
using GemmEx = int(void*, int, int, int, int, int, const void*, const void*, cudaDataType_t, int, const void*,
                   cudaDataType_t, int, const void*, void*, cudaDataType_t, int, int, int);

void check(int status, const char* call) {
  if (status != 0) throw Error(fmt::format("{}: cuBLAS status {}", call, status));
}

}  // namespace

struct Cublas::Library {
  SharedLibrary file;
  void* handle = nullptr;
  Destroy* destroy = nullptr;
  SetStream* set_stream = nullptr;
  GemmEx* gemm = nullptr;
};

Cublas::Cublas(std::unique_ptr<Library> library) : library_(std::move(library)) {}
Cublas::~Cublas() { library_->destroy(library_->handle); }

std::unique_ptr<Cublas> Cublas::open(std::string& why_not) {
  auto library = std::make_unique<Library>();
  library->file = SharedLibrary("libcublas.so.13", cuda_library_directories());
  if (!library->file) {
    why_not = "cuBLAS not found";
    return nullptr;
  }
  auto* create = library->file.find<Create>("cublasCreate_v2");
  library->destroy = library->file.find<Destroy>("cublasDestroy_v2");
  library->set_stream = library->file.find<SetStream>("cublasSetStream_v2");
  library->gemm = library->file.find<GemmEx>("cublasGemmEx");
  if (!create || !library->destroy || !library->set_stream || !library->gemm || create(&library->handle) != 0) {
    why_not = "cuBLAS does not start";
    return nullptr;
  }
  return std::unique_ptr<Cublas>(new Cublas(std::move(library)));
}

void Cublas::matmul_bf16(const std::uint16_t* a, const std::uint16_t* b, std::uint16_t* c, int n, void* stream) const {
  const float one = 1;
  const float zero = 0;
  check(library_->set_stream(library_->handle, stream), "cublasSetStream");
  // cuBLAS is column-major: cᵀ = b · aᵀ, with b and a row-major, is its transposed times untransposed product.
  check(library_->gemm(library_->handle, kTranspose, kNoTranspose, n, n, n, &one, b, CUDA_R_16BF, n, a, CUDA_R_16BF, n,
                       &zero, c, CUDA_R_16BF, n, kComputeF32, kDefaultAlgorithm),
        "cublasGemmEx");
}

}  // namespace attnscope
