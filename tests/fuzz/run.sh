#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzz targets and runs each for a time, one per core: tests/fuzz/run.sh [SECONDS=60] [PARSER...]
# New inputs are kept in build/fuzz/corpus; a finding fails the run and leaves its input in build/fuzz.
set -euo pipefail
cd "$(dirname "$0")/../.."
export duration=${1:-60}
parsers=("${@:2}")
[ ${#parsers[@]} -gt 0 ] || parsers=(safetensors npy config record)

# In the sanitizers' build, which the tests share.
cmake --preset asan >/dev/null
cmake --build --preset asan --target fuzzers

fuzz() {
  local parser=$1 found=build/fuzz/corpus/$1 log=build/fuzz/$1.log seeds=(tests/fuzz/corpus/"$1") status=0
  case $parser in
    config) seeds+=(configs) ;;
    record) seeds+=(tests/record/golden) ;;
  esac
  mkdir -p "$found"
  build/asan/bin/"${parser}"_fuzz -max_total_time="$duration" -timeout=20 -rss_limit_mb=4096 -max_len=65536 \
    -print_final_stats=1 -verbosity=0 -artifact_prefix="build/fuzz/$parser-" "$found" "${seeds[@]}" \
    >"$log" 2>&1 || status=$?
  echo "── $parser: $duration s, exit status $status"
  cat "$log"
  return "$status"
}
export -f fuzz

# xargs runs them all and then fails if any of them failed.
printf '%s\n' "${parsers[@]}" | xargs -P "$(nproc)" -I '{}' bash -c 'fuzz {}'
