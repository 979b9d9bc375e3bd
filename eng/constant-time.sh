#!/usr/bin/env bash
# usage: eng/constant-time.sh [--seconds N] [--tier NAME] [--cpu N]
#
# Measures whether the time that the kernels of native/aead take depends on keys, data or where a wrong tag is wrong: a statistical test
# after "Dude, is my code constant time?" (2017) for every tier that this CPU has, algorithm and direction. Prints the largest |t| of each;
# above 10 is a leak, 4.5 to 10 wants a longer run on a quiet machine. A comparison that leaks on purpose must be seen to.
# Exit code 1 if there is a leak or the leak on purpose was not seen.
#
#   --seconds N  about so long for each tier; otherwise 60
#   --tier NAME  only this tier
#   --cpu N      on this CPU; otherwise the last one
set -euo pipefail
# shellcheck source=eng/lib/common.sh
source "$(dirname "$0")/lib/common.sh"

seconds=60 tier=() cpu=$(($(nproc) - 1))
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) print_help; exit 0 ;;
    --seconds) seconds=${2:?"--seconds needs a number"}; shift ;;
    --tier) tier=(--tier "${2:?"--tier needs a name"}"); shift ;;
    --cpu) cpu=${2:?"--cpu needs a number"}; shift ;;
    *) die "unknown argument '$1' (see --help)" ;;
  esac
  shift
done

eng/build-native.sh --tests
grep -m1 '^model name' /proc/cpuinfo
exec taskset -c "$cpu" artifacts/native/build/tests/timing --seconds "$seconds" "${tier[@]}"
