#!/usr/bin/env bash
# usage: eng/fuzz.sh [--seconds N] [--seed N] [--target TARGET] [--vary] [--case "TARGET CASE"]
#
# Fuzzes TLS and DTLS in process: peers that have the keys and change, lose, double, cut and mix messages by their structure, and somebody
# between two proper sides who has none. Prints executions, findings, how many different ends there were, and how connections ended.
#
#   --seconds N   how long (default: until it is interrupted)
#   --seed N      the first case's seed (default: by the clock); each case has a seed of its own
#   --target T    one alone of server, client, wire (between them), early (0-RTT), keys (pre-shared keys and tickets),
#                 compressed (certificates), dtls
#   --vary        makes half of the cases of earlier ones whose connections ended as none had before
#   --case "T C"  one case alone: what a finding's file says
#
# A finding is kept in artifacts/fuzz/TARGET-SEED.txt. A process that dies leaves artifacts/fuzz/current-*, which names its last case.
# The exit code is 0 only if there was no finding.
set -euo pipefail
# shellcheck source=eng/lib/common.sh
source "$(dirname "$0")/lib/common.sh"

seconds=31536000
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) print_help; exit 0 ;;
    --seconds) seconds=${2:?"--seconds needs a number"}; shift ;;
    --seed) export CRYPTOPLANE_FUZZ_SEED=${2:?"--seed needs a number"}; shift ;;
    --target) export CRYPTOPLANE_FUZZ_TARGET=${2:?"--target needs a name"}; shift ;;
    --vary) export CRYPTOPLANE_FUZZ_VARY=1 ;;
    --case)
      read -r CRYPTOPLANE_FUZZ_TARGET CRYPTOPLANE_FUZZ_SEED <<<"${2:?"--case needs a target and a case"}"
      export CRYPTOPLANE_FUZZ_TARGET CRYPTOPLANE_FUZZ_SEED CRYPTOPLANE_FUZZ_ONCE=1
      shift
      ;;
    *) die "unknown argument '$1' (see --help)" ;;
  esac
  shift
done

need_dotnet
build_release tests/CryptoPlane.Tls.Tests
export CRYPTOPLANE_FUZZ_SECONDS=$seconds DOTNET_GCHeapHardLimit=0x40000000
# A heap beyond 1 GiB ends the run: the cases keep nothing, and neither may the engine.
exec tests/CryptoPlane.Tls.Tests/bin/Release/net10.0/CryptoPlane.Tls.Tests -noColor -noLogo -showLiveOutput -longRunning 86400 \
  -method '*.FuzzTests.Peers_gone_astray_get_alerts_and_nothing_else'
