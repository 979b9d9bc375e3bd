#!/usr/bin/env bash
# usage: eng/soak.sh [--tls] [SECONDS]
#
# Runs the soak of the broker's data plane, or with --tls that of the TLS engine, for SECONDS (default 600), with a progress line
# every 10 s. The tests that CI runs include 30 s of each.
#
#   (without)  two sites of two lcores, users who come and go, ESP through a hostile network: packets sent and delivered per
#              second, connections, memory, drops by reason
#   --tls      two lcores with 1,000 TLS connections each, both sides of them, which come and go in every way: connections, records,
#              memory; at the end what of each kind there was
#
# CRYPTOPLANE_SOAK_SEED=N repeats the decisions of the run that printed this seed.
set -euo pipefail
# shellcheck source=eng/lib/common.sh
source "$(dirname "$0")/lib/common.sh"

seconds=600 project=VpnBroker.Tests
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) print_help; exit 0 ;;
    --tls) project=CryptoPlane.Tls.Tests ;;
    *[!0-9]* | "" | 0*) die "unknown argument '$1': the length is a number of seconds (see --help)" ;;
    *) seconds=$1 ;;
  esac
  shift
done

need_dotnet
build_release "tests/$project"
export CRYPTOPLANE_SOAK_SECONDS=$seconds
exec "tests/$project/bin/Release/net10.0/$project" -noColor -noLogo -showLiveOutput -longRunning 3600 -trait "Category=Soak"
