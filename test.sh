#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds everything and passes the tests. Arguments go to ctest (-R NAME, -L cpu, ...).
set -euo pipefail
cd "$(dirname "$0")"
. cmake/bootstrap.sh

prepare_build
need_packages "${VIZ_PACKAGES[@]}"
cmake --preset release >/dev/null
cmake --build --preset release
ctest --preset release "$@"
