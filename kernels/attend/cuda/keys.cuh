// SPDX-License-Identifier: Apache-2.0
// Which keys the kernels visit and which of those a row attends. Keys are int: kv_len stays below 2^30, so that
// positions, windows and kNoKey add up without overflow.
#pragma once

#include <cstdint>

namespace attnscope::device {

/// Past every key: fails each `key < limit`.
inline constexpr int kNoKey = 1 << 30;

/// Positions of query rows on the key axis, and how far they see.
struct Axis {
  int q_len = 0;
  int kv_len = 0;
  bool causal = true;

  __host__ __device__ int position(int i) const { return kv_len - q_len + i; }
  __host__ __device__ int visible(int i) const { return causal ? position(i) + 1 : kv_len; }
};

/// Dense and Band: keys below `sink`, and keys closer than `window` to the row. Dense has the widest window.
struct Window {
  int sink = 0;
  int size = kNoKey;
};

/// The keys that one row attends among those visited.
struct RowMask {
  int limit = 0;  // visible keys
  int sink = 0;
  int first = 0;  // window
  int last = 0;

  RowMask() = default;
  __device__ RowMask(const Axis& axis, const Window& window, int i)
      : limit(axis.visible(i)),
        sink(window.sink),
        first(axis.position(i) - window.size + 1),
        last(axis.position(i) + window.size) {}
  /// Every visible key: rows whose list already says the rest.
  __device__ RowMask(const Axis& axis, int i) : limit(axis.visible(i)), sink(kNoKey) {}

  __device__ bool attends(int key) const { return key < limit && (key < sink || (key >= first && key < last)); }
};

/// The union of what rows [i_first, i_last] attend under a Window, as a sequence 0 .. length of keys: the sink, then
/// the window without the sink. Both begin at multiples of `align`; what that adds, RowMask takes away.
struct KeyRanges {
  int sink_end = 0;
  int window_begin = 0;
  int length = 0;

  __host__ __device__ KeyRanges(const Axis& axis, const Window& window, int i_first, int i_last, int align) {
    const int limit = axis.visible(i_last);
    const int sink = window.sink < limit ? window.sink : limit;
    sink_end = (sink + align - 1) / align * align;
    const int begin = axis.position(i_first) - window.size + 1;
    const int end = axis.position(i_last) + window.size < limit ? axis.position(i_last) + window.size : limit;
    window_begin = begin > 0 ? begin / align * align : 0;
    if (window_begin < sink_end) window_begin = sink_end;
    length = sink_end + (end > window_begin ? (end - window_begin + align - 1) / align * align : 0);
  }
  __device__ int key(int n) const { return n < sink_end ? n : window_begin + (n - sink_end); }
};

/// A list of runs of `run` keys each (tokens, pages, blocks) as a sequence 0 .. length of keys.
struct KeyRuns {
  const std::int32_t* indices;
  unsigned run;
  int length;

  __device__ int key(int n) const {
    const unsigned entry = static_cast<unsigned>(n) / run;
    return indices[entry] * static_cast<int>(run) + static_cast<int>(static_cast<unsigned>(n) - entry * run);
  }
};

__device__ inline KeyRuns key_runs(const std::int32_t* list, int count, int run) {
  return {list, static_cast<unsigned>(run), count * run};
}

}  // namespace attnscope::device
