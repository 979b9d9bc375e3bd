#!/usr/bin/env bash
# usage: eng/differential.sh [--cases N | --seconds N] [--seed N] [--emulated]
#
# Random messages in random bursts through the kernels of native/aead, against libcrypto: every tier that this CPU has, and with --emulated
# those with VAES on a CPU without. Prints a line per second, and the seed, which repeats a failure.
#
#   --cases N    messages, shared among the tiers; otherwise 10 million
#   --seconds N  so long for each tier instead
#   --seed N     otherwise a new one
#   --emulated   also the VAES tiers of the emulated library
set -euo pipefail
# shellcheck source=eng/lib/common.sh
source "$(dirname "$0")/lib/common.sh"

cases=10000000 seconds='' seed=$(od -An -N6 -tu8 /dev/urandom | tr -d ' ') programs=(test_differential)
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) print_help; exit 0 ;;
    --cases) cases=${2:?"--cases needs a number"}; shift ;;
    --seconds) seconds=${2:?"--seconds needs a number"}; shift ;;
    --seed) seed=${2:?"--seed needs a number"}; shift ;;
    --emulated) programs+=(test_differential_emulated) ;;
    *) die "unknown argument '$1' (see --help)" ;;
  esac
  shift
done

eng/build-native.sh --tests
say "seed $seed"

# Which tiers can run: the program says "skipped" of the others.
runs=()
for program in "${programs[@]}"; do
  for tier in vaes512 vaes256 aesni512 aesni; do
    [[ $program != *_emulated || $tier == vaes* ]] || continue
    code=0
    answer=$("artifacts/native/build/tests/$program" --tier "$tier" --cases 1) || code=$?
    case $code in
      0) runs+=("$program $tier") ;;
      77) say "$answer" ;;
      *) say "$answer"; die "$program --tier $tier failed" ;;
    esac
  done
done
[[ ${#runs[@]} -gt 0 ]] || die "this CPU has no tier of native/aead"

result=0
for run in "${runs[@]}"; do
  read -r program tier <<<"$run"
  step "$program $tier"
  limit=(--cases $((cases / ${#runs[@]} + 1)))
  [[ -z $seconds ]] || limit=(--seconds "$seconds")
  "artifacts/native/build/tests/$program" --tier "$tier" --seed "$seed" --progress "${limit[@]}" || result=1
done
exit "$result"
