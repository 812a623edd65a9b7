#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds, runs the quickstart on this machine and says where the report is.
# Further arguments go to `attnscope run`.
set -euo pipefail
cd "$(dirname "$0")"
. cmake/bootstrap.sh

prepare_build
cmake --preset release >/dev/null
cmake --build --preset release --target attnscope

bin=build/release/bin/attnscope
mkdir -p results
$bin run configs/quickstart.json -o results/quickstart.json "$@"
if have_gpu && [ $# -eq 0 ]; then
  $bin run configs/quickstart.json --set defaults.backend=cuda -o results/quickstart-gpu.json
fi
