#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzz targets and runs each for a time: tests/fuzz/run.sh [SECONDS=60] [PARSER...]
# New inputs are kept in build/fuzz/corpus; a finding stops the run and leaves its input in build/fuzz.
set -euo pipefail
cd "$(dirname "$0")/../.."
duration=${1:-60}
parsers=("${@:2}")
[ ${#parsers[@]} -gt 0 ] || parsers=(safetensors npy config record)

# g++ is the compiler whose warnings are errors here.
cmake --preset fuzz -DCMAKE_COMPILE_WARNING_AS_ERROR=OFF >/dev/null
cmake --build --preset fuzz --target fuzzers

for parser in "${parsers[@]}"; do
  seeds=(tests/fuzz/corpus/"$parser")
  case $parser in
    config) seeds+=(configs) ;;
    record) seeds+=(tests/record/golden) ;;
  esac
  found=build/fuzz/corpus/$parser
  mkdir -p "$found"
  echo "── $parser: $duration s"
  build/fuzz/bin/"${parser}"_fuzz -max_total_time="$duration" -timeout=20 -rss_limit_mb=4096 -max_len=65536 \
    -print_final_stats=1 -verbosity=0 -artifact_prefix=build/fuzz/ "$found" "${seeds[@]}"
done
