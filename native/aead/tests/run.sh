#!/usr/bin/env bash
# usage: native/aead/tests/run.sh [--quick] [--build DIRECTORY]
#
# Builds native/aead with its tests twice, plain and with AddressSanitizer and UndefinedBehaviorSanitizer, and runs both by ctest: a line per
# test. Either build has the emulated library too, so that the kernels with VAES run on every CPU.
#
#   --quick            only the plain build
#   --build DIRECTORY  where to build; otherwise build in artifacts/native/tests
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$here/../../../artifacts/native/tests
variants=(plain sanitized)
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) sed -n '2,/^set /{/^#/{s/^# \{0,1\}//;p}}' "$0"; exit 0 ;;
    --quick) variants=(plain) ;;
    --build) build=${2:?"--build needs a directory"}; shift ;;
    *) echo "unknown argument '$1' (see --help)" >&2; exit 2 ;;
  esac
  shift
done

result=0
for variant in "${variants[@]}"; do
  tree=$build/$variant sanitize=OFF log=$build/$variant.log
  [[ $variant != sanitized ]] || sanitize=ON
  mkdir -p "$tree"
  if ! { cmake -S "$here/.." -B "$tree" -DCP_TESTS=ON -DCP_EMULATE_VAES=ON "-DCP_SANITIZE=$sanitize" &&
    cmake --build "$tree" --parallel "$(nproc)"; } >"$log" 2>&1; then
    cat "$log" >&2
    echo "$variant: the build failed" >&2
    exit 1
  fi
  echo "== $variant"
  if ! ctest --test-dir "$tree" --timeout 300 --output-on-failure 2>&1 |
    sed -nE '/^ *Start |^Internal ctest|^Test project|^$/d; p'; then
    result=1
  fi
done
exit "$result"
