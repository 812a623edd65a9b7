// SPDX-License-Identifier: Apache-2.0
// What every attention call reads and writes, in the memory space of the backend that runs it.
#pragma once

#include <cmath>

#include "harness/base/shape.hpp"

namespace attnscope {

/// O = softmax(scale · Q Kᵀ) V over the keys that a row attends. Pointers are 64-byte aligned, layouts as in Shape.
struct AttentionInputs {
  Shape shape;
  const void* q = nullptr;
  const void* k = nullptr;
  const void* v = nullptr;
  float scale = 0.0f;
};

/// `o` has the dtype of the inputs; `lse` is float, in natural-log units of the scaled logits.
/// A row that attends no key has o = 0 and lse = −infinity.
struct AttentionOutputs {
  void* o = nullptr;
  float* lse = nullptr;
};

/// 1/√head_dim, the softmax scale of every method unless it says otherwise.
inline float default_scale(const Shape& shape) { return 1.0f / std::sqrt(static_cast<float>(shape.head_dim)); }

}  // namespace attnscope
