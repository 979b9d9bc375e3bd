#!/usr/bin/env bash
# usage: eng/build-native.sh [aead|dpdk] [--tests] [--verbose]
#
# Builds native/aead (or native/dpdk) with CMake and puts into artifacts/native/linux-x64:
#   libcryptoplane_aead.so            the library, stripped
#   libcryptoplane_aead.so.dbg        its symbols, which debuggers and profilers find by the link that the library has
#   libcryptoplane_aead_emulated.so   with --tests: the same, VAES and VPCLMULQDQ emulated; the programs for ctest are in
#                                     artifacts/native/build then
#   libcryptoplane_dpdk.so            with dpdk: the shim over the DPDK that is installed, and its .dbg
# Only what has changed is compiled, and builds that run at the same time wait for one another.
#
#   --tests    also build what the tests need
#   --verbose  show what the compiler says even where all is well
#
# With the environment variable CRYPTOPLANE_PREBUILT nothing is compiled: the library and its .dbg are taken from that directory, for who
# builds them elsewhere.
#
# "dotnet build" calls this for src/CryptoPlane and src/CryptoPlane.Dpdk. CC and CFLAGS choose another compiler or options when
# artifacts/native/build is made: remove it first.
# Exit code 3: not on Linux x64, or CMake, a compiler or (for dpdk) DPDK is missing, and nothing was built.
set -euo pipefail
# shellcheck source=eng/lib/common.sh
source "$(dirname "$0")/lib/common.sh"

room=aead tests=false verbose=false
for argument in "$@"; do
  case $argument in
    -h | --help) print_help; exit 0 ;;
    aead | dpdk) room=$argument ;;
    --tests) tests=true ;;
    --verbose) verbose=true ;;
    *) die "unknown argument '$argument' (see --help)" ;;
  esac
done

declare -A without=([aead]="the managed AEAD kernels will be used" [dpdk]="there will be no DPDK devices")
cannot() {
  say "native/$room is not built, so ${without[$room]}: $*"
  exit 3
}

has() { command -v "$1" >/dev/null; }

output=$root/artifacts/native/linux-x64
if [[ -n ${CRYPTOPLANE_PREBUILT:-} && $tests == false ]]; then
  [[ -f $CRYPTOPLANE_PREBUILT/libcryptoplane_$room.so ]] || cannot "CRYPTOPLANE_PREBUILT=$CRYPTOPLANE_PREBUILT has no libcryptoplane_$room.so"
  mkdir -p "$output"
  cp "$CRYPTOPLANE_PREBUILT/libcryptoplane_$room.so"{,.dbg} "$output/"
  say "took native/$room from $CRYPTOPLANE_PREBUILT"
  exit
fi

[[ $(uname -sm) == "Linux x86_64" ]] || cannot "it is for Linux on x64, and this is $(uname -sm)"
missing=()
has cmake || missing+=(cmake)
has make || missing+=(make)
if [[ -n ${CC:-} ]]; then has "${CC%% *}" || missing+=("$CC"); else has cc || has gcc || has clang || missing+=(gcc); fi
has objcopy || missing+=(binutils)
has flock || missing+=(util-linux)
[[ ${#missing[@]} -eq 0 ]] || cannot "${missing[*]} missing (run eng/install-deps.sh build)"
if [[ $room == dpdk ]]; then
  if ! has pkg-config || ! pkg-config --exists 'libdpdk >= 22.11'; then
    cannot "DPDK 22.11 or later is missing (run eng/install-deps.sh dpdk)"
  fi
fi

tree=$root/artifacts/native/build
[[ $room == aead ]] || tree+=-$room
mkdir -p "$tree" "$output"
exec 9>"$root/artifacts/native/.lock-$room"
flock 9

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# run COMMAND...: quiet unless it fails. The lock is not handed on: whatever the command leaves behind must not hold it.
run() {
  if [[ $verbose == true ]]; then
    "$@" 9>&-
  elif ! "$@" >"$log" 2>&1 9>&-; then
    cat "$log" >&2
    die "failed: $*"
  fi
}

# CMake refuses a tree that was configured in another place: this is what a copied or moved repository has.
if [[ -f $tree/CMakeCache.txt ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root/native/$room" "$tree/CMakeCache.txt"; then
  rm -rf "$tree"
fi
options=(-DCMAKE_BUILD_TYPE=Release) targets=("cryptoplane_$room")
if [[ $room == aead && $tests == true ]]; then
  options+=(-DCP_EMULATE_VAES=ON -DCP_TESTS=ON) targets=(all)
fi
run cmake -S "native/$room" -B "$tree" -G "Unix Makefiles" "${options[@]}"
run cmake --build "$tree" --parallel "$(nproc)" --target "${targets[@]}"

# install NAME: strips a library that was built and splits its symbols off. A process that has the old one loaded keeps it.
install() {
  local built=$tree/$1 work
  work=$(mktemp -d "$output/.$1.XXXXXX")
  run objcopy --only-keep-debug "$built" "$work/$1.dbg"
  (cd "$work" && run objcopy --strip-unneeded --add-gnu-debuglink="$1.dbg" "$built" "$1")
  chmod 644 "$work/$1" "$work/$1.dbg"
  mv -f "$work/$1.dbg" "$output/$1.dbg"
  mv -f "$work/$1" "$output/$1"
  rmdir "$work"
}

# The library's time says when its sources were looked at last: MSBuild compares.
install "libcryptoplane_$room.so"
if [[ $room == aead && $tests == true ]]; then install libcryptoplane_aead_emulated.so; fi
say "built native/$room: ${output#"$root"/}"
