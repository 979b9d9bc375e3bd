#!/usr/bin/env bash
# usage: eng/soak.sh [SECONDS]
#
# Runs the soak of the data plane and TLS for SECONDS (default 600), with a progress line every 10 s: packets sent and
# delivered per second, connections, memory, drops by reason. The tests that CI runs include 30 s of it.
#
# CRYPTOPLANE_SOAK_SEED=N repeats the decisions of the run that printed this seed.
set -euo pipefail
# shellcheck source=eng/lib/common.sh
source "$(dirname "$0")/lib/common.sh"

seconds=600
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) print_help; exit 0 ;;
    *[!0-9]* | "" | 0*) die "unknown argument '$1': the length is a number of seconds (see --help)" ;;
    *) seconds=$1 ;;
  esac
  shift
done

need_dotnet
build_release tests/VpnBroker.Tests
export CRYPTOPLANE_SOAK_SECONDS=$seconds
exec tests/VpnBroker.Tests/bin/Release/net10.0/VpnBroker.Tests -noColor -noLogo -showLiveOutput -longRunning 3600 -trait "Category=Soak"
