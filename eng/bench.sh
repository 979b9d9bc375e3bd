#!/usr/bin/env bash
# usage: eng/bench.sh aead|esp|flows|switch|cryptodev|tls|broker [--quick] [--json FILE] [--docs DIR | --publish]
#
# Measures us against peers, ours and the peer in turn, and prints a table. Progress goes to standard error.
#
#   aead         AEAD operations, in bursts and one by one, by our backends and native tiers, against intel-ipsec-mb, OpenSSL's EVP, .NET's
#                AesGcm and ChaCha20Poly1305, and BouncyCastle; about 5 minutes. A peer that is not installed is left out, and said so
#   esp          ESP packets, sealed and opened, with 1 to 100,000 SAs, against DPDK's librte_ipsec over crypto_aesni_gcm, beside the AEAD
#                alone; 2 minutes of CPU time. Takes 1 GiB: huge pages, if there are enough
#   flows        flow tables of 1,000 to 1,000,000 flows: look-ups in bursts, insertion, removal, against DPDK's rte_hash and .NET's Dictionary;
#                expiry and growth slice by slice; 2 minutes of CPU time. Takes 1 GiB of huge pages, or both sides take ordinary ones
#   switch       ESP to ESP through one lcore of the broker, with 1 to 100,000 tunnels, over DPDK's net_ring where DPDK is installed
#   cryptodev    AES-GCM through DPDK's crypto devices (software drivers), by our backend, engine and dispatcher, against dpdk-test-crypto-perf with
#                the same driver; 75 s. Takes 384 MiB of huge pages, if there are any, and a second CPU for the peer's main thread
#   tls          TLS 1.3 records, in bursts and one by one, and handshakes, against libssl through memory BIOs and .NET's SslStream; 2 minutes
#   broker       the VPN broker against ocserv, with the real openconnect client (needs root or sudo)
#   --quick      fewer sizes, shorter runs: within 60 s once built
#   --json FILE  write an array of {"case","bytes","ours_ns","peer","peer_ns","ratio"}; ratio = peer_ns / ours_ns. A figure
#                that is not a time per operation has its unit as the last word of "case"
#   --docs DIR   aead, esp, flows, switch, cryptodev and tls: write DIR/SUITE.md and its charts: every figure, and the machine and versions they were
#                measured with
#   --publish    the same as --docs docs/performance
set -euo pipefail
# shellcheck source=eng/lib/common.sh
source "$(dirname "$0")/lib/common.sh"

# The scripts below run in the repository; the caller's directory counts.
callers_path() { (cd "$OLDPWD" && realpath -m "$1"); }

suite="" docs="" command="eng/bench.sh $*"
options=()
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) print_help; exit 0 ;;
    aead | esp | flows | switch | cryptodev | tls | broker) suite=$1 ;;
    --quick) options+=(--quick) ;;
    --json) options+=(--json "$(callers_path "${2:?"--json needs a file"}")"); shift ;;
    --docs) docs=$(callers_path "${2:?"--docs needs a folder"}"); shift ;;
    --publish) docs=$root/docs/performance ;;
    *) die "unknown argument '$1' (see --help)" ;;
  esac
  shift
done
[[ -n $suite ]] || die "which suite? (see --help)"
[[ -z $docs || $suite =~ ^(aead|esp|flows|switch|cryptodev|tls)$ ]] || die "--docs and --publish are for aead, esp, flows, switch, cryptodev and tls"
[[ -z $docs ]] || options+=(--docs "$docs" --command "$command")

need_dotnet
if [[ $suite == broker ]]; then
  eng/install-deps.sh build bench
  build_release samples/VpnBroker
  exec eng/bench/broker.sh "${options[@]}"
fi
eng/install-deps.sh build
if [[ $suite == aead || $suite == tls ]]; then
  eng/install-deps.sh bench || warn "going on without the peers whose packages are missing"
  export CRYPTOPLANE_BENCH_PEERS=$root/artifacts/bench
  eng/bench/build-peers.sh "$CRYPTOPLANE_BENCH_PEERS"
fi
if [[ $suite == esp || $suite == flows ]]; then
  eng/install-deps.sh dpdk || warn "going on without DPDK"
  export CRYPTOPLANE_BENCH_PEERS=$root/artifacts/bench
  eng/bench/build-peers.sh "$CRYPTOPLANE_BENCH_PEERS"
fi
if [[ $suite == cryptodev ]]; then eng/install-deps.sh dpdk; fi
[[ $suite != switch ]] || eng/install-deps.sh dpdk || warn "going on without DPDK"
build_release benchmarks/CryptoPlane.Benchmarks
exec benchmarks/CryptoPlane.Benchmarks/bin/Release/net10.0/CryptoPlane.Benchmarks "$suite" "${options[@]}"
