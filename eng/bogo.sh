#!/usr/bin/env bash
# usage: eng/bogo.sh --runner PROGRAM [--test PATTERNS] [--workers N] [--json FILE] [--log FILE]
#
# Runs BoringSSL's protocol test runner (ssl/test/runner of google/boringssl) against the TLS engine: publishes the shim
# tests/CryptoPlane.BogoShim, ready to run, and starts the runner with the shim's configuration.
#
# The runner is not part of this repository, and this script does not build it: PROGRAM is its test program, made elsewhere.
# The names in the configuration are those of its commit 285228fdfb93 (February 2025), and for PSK-* those of e9449d4fff61 (April 2026).
#
#   --runner PROGRAM  the runner (or the environment variable BOGO_RUNNER)
#   --test PATTERNS   only these tests: patterns with *, with ; between them
#   --workers N       tests at the same time (default: twice the processors, as much of a test is waiting)
#   --json FILE       keep the runner's results
#   --log FILE        keep the runner's output
#
# The last line is "N passed, M failed, K unimplemented, L disabled". The exit code is 0 only if tests passed and none failed.
# Unimplemented are tests whose flags the shim does not know (exit code 89); disabled are those that config.json names, with the reason.
set -euo pipefail
# shellcheck source=eng/lib/common.sh
source "$(dirname "$0")/lib/common.sh"

runner=${BOGO_RUNNER:-} tests="" workers=$((2 * $(nproc))) json="" log=""
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) print_help; exit 0 ;;
    --runner) runner=${2:?"--runner needs a program"}; shift ;;
    --test) tests=${2:?"--test needs patterns"}; shift ;;
    --workers) workers=${2:?"--workers needs a number"}; shift ;;
    --json) json=${2:?"--json needs a file"}; shift ;;
    --log) log=${2:?"--log needs a file"}; shift ;;
    *) die "unknown argument '$1' (see --help)" ;;
  esac
  shift
done
[[ -n $runner ]] || die "no runner is named (see --help)"
runner=$(realpath "$runner")
[[ -x $runner ]] || die "$runner is not a program"
need_dotnet

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

step "Shim"
# Thousands of processes are started: code that is compiled beforehand, and no counting of calls for a second compilation.
dotnet publish tests/CryptoPlane.BogoShim -c Release -r linux-x64 --self-contained false -v quiet --nologo \
  -p:PublishReadyToRun=true -p:TieredPGO=false -p:UseSharedCompilation=true -o artifacts/bogo >"$work/publish" 2>&1 ||
  { cat "$work/publish" >&2; die "the shim could not be published"; }
say "published artifacts/bogo/bogo-shim"

step "Runner"
options=(-test.timeout 120m -shim-path "$root/artifacts/bogo/bogo-shim" -shim-config "$root/tests/CryptoPlane.BogoShim/config.json"
  -allow-unimplemented -num-workers "$workers" -json-output "$work/results.json")
[[ -z $tests ]] || options+=(-test "$tests")
code=0
# It keeps certificates in a directory of its own there.
TMPDIR=$work "$runner" "${options[@]}" >"$work/log" 2>&1 || code=$?
[[ -z $log ]] || cp "$work/log" "$log"
[[ -s $work/results.json ]] || { tail -n 40 "$work/log" >&2; die "the runner ended with exit code $code and without results"; }
[[ -z $json ]] || cp "$work/results.json" "$json"

# The counters of the runner's last line, which it writes over and over: failed/unimplemented/done/started/total. Those that never
# started are disabled.
counters=$(tr '\b' '\n' <"$work/log" | grep -oE '^[0-9]+/[0-9]+/[0-9]+/[0-9]+/[0-9]+' | tail -n 1)
IFS=/ read -r failed unimplemented finished _ total <<<"$counters"
[[ $failed -eq 0 ]] || tr '\b' '\n' <"$work/log" | grep -vE '^[0-9]+/[0-9]+/|^ *$' || true
say ""
say "$((finished - failed - unimplemented)) passed, $failed failed, $unimplemented unimplemented, $((total - finished)) disabled"
[[ $failed -eq 0 && $code -eq 0 && $finished -gt $unimplemented ]]
