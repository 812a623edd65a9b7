# SPDX-License-Identifier: Apache-2.0
# Sourced by run.sh, test.sh and .ci/run: installs the Debian packages that are missing, and says so.

say() { printf '%s\n' "attnscope: $*" >&2; }

# As root directly, else through sudo, else with the line to type.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    say "neither root nor sudo; please run as root: $*"
    return 1
  fi
}

# need_packages NAME...: quick when nothing is missing.
need_packages() {
  local missing=() name
  command -v dpkg-query >/dev/null 2>&1 || { say "not a Debian system; please install the equivalents of: $*"; return 0; }
  for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  say "installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

BUILD_PACKAGES=(g++ cmake ninja-build ccache pkg-config git ca-certificates python3
  nlohmann-json3-dev libcli11-dev libfmt-dev libhwy-dev libbenchmark-dev libgtest-dev libgmock-dev libvalijson-dev)
VIZ_PACKAGES=(qt6-base-dev libqt6svg6-dev libqcustomplot-dev libqcustomplot2.1-qt6 fonts-dejavu-core)
CHECK_PACKAGES=(clang clang-format clang-tidy libclang-rt-14-dev libomp-14-dev)

# The toolkit's usual place, for shells that do not have it on PATH.
if ! command -v nvcc >/dev/null 2>&1 && [ -x /usr/local/cuda/bin/nvcc ]; then
  PATH=$PATH:/usr/local/cuda/bin
fi

# need_wheel NAME==VERSION: unpacks a PyPI wheel of headers to build/packages/NAME. Optional: without it, or without the
# network, the build goes on and says what it lacks.
need_wheel() {
  local name=${1%%==*} target=build/packages/${1%%==*} download
  [ -d "$target" ] && return 0
  command -v pip3 >/dev/null 2>&1 || need_packages python3-pip
  download=$(mktemp -d)
  say "fetching $1 from PyPI"
  if pip3 download -q --no-deps --only-binary=:all: -d "$download" "$1" >/dev/null 2>&1; then
    mkdir -p "$target"
    python3 -m zipfile -e "$download"/*.whl "$target"
  else
    say "$1 could not be fetched: building without it"
  fi
  rm -rf "$download"
}

have_gpu() { command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L 2>/dev/null | grep -q GPU; }

# Says what this machine's build and run will cover, and fetches what only a CUDA build uses.
prepare_build() {
  need_packages "${BUILD_PACKAGES[@]}"
  if ! command -v nvcc >/dev/null 2>&1; then
    say "no nvcc: building for the CPU only"
    return 0
  fi
  need_wheel nvidia-cudnn-frontend==1.32.0
  have_gpu || say "nvcc but no GPU: compiling the CUDA kernels, running on the CPU"
}
