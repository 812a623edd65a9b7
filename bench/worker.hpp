// SPDX-License-Identifier: Apache-2.0
// `attnscope worker KIND JOB.json RESULT.json`: one step of a run in a process of its own. Not for people.
//   prepare  inputs and exact attention of a problem        measure  check and time a point, without CUPTI
//   profile  kernels and counters of a point, with CUPTI    machine  ceilings and calibration    gpus  how many
#pragma once

namespace CLI {
class App;
}

namespace attnscope {

void add_worker(CLI::App& app, int& exit_code);

}  // namespace attnscope
