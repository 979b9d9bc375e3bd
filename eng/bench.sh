#!/usr/bin/env bash
# usage: eng/bench.sh aead|tls|broker [--quick] [--json FILE]
#
# Measures us against peers, ours and the peer in turn, and prints a table.
#
#   aead         single AEAD operations against .NET's AesGcm and ChaCha20Poly1305 and OpenSSL's EVP
#   tls          TLS 1.3 records against .NET's SslStream
#   broker       the VPN broker against ocserv, with the real openconnect client (needs root or sudo)
#   --quick      fewer sizes, shorter runs: within 60 s once built
#   --json FILE  write an array of {"case","bytes","ours_ns","peer","peer_ns","ratio"}; ratio = peer_ns / ours_ns. A figure
#                that is not a time per operation has its unit as the last word of "case"
set -euo pipefail
# shellcheck source=eng/lib/common.sh
source "$(dirname "$0")/lib/common.sh"

suite=""
options=()
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) print_help; exit 0 ;;
    aead | tls | broker) suite=$1 ;;
    --quick) options+=(--quick) ;;
    # The scripts below run in the repository; the caller's directory counts.
    --json) options+=(--json "$(cd "$OLDPWD" && realpath -m "${2:?"--json needs a file"}")"); shift ;;
    *) die "unknown argument '$1' (see --help)" ;;
  esac
  shift
done
[[ -n $suite ]] || die "which suite? (see --help)"

need_dotnet
if [[ $suite == broker ]]; then
  eng/install-deps.sh build bench
  build_release samples/VpnBroker
  exec eng/bench/broker.sh "${options[@]}"
fi
eng/install-deps.sh build
build_release benchmarks/CryptoPlane.Benchmarks
exec benchmarks/CryptoPlane.Benchmarks/bin/Release/net10.0/CryptoPlane.Benchmarks "$suite" "${options[@]}"
