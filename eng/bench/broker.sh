#!/usr/bin/env bash
# usage: eng/bench/broker.sh [--quick] [--json FILE]      (eng/bench.sh broker builds first, then runs this)
#
# Carries iperf3's TCP traffic through our broker and through ocserv: the same openconnect client (TLS 1.3, no DTLS), the
# same network namespaces, both servers ending in a TUN device. Both run side by side on one CPU, client and iperf3 on the
# others, and the two are loaded in turn, so that both meet the same machine. Measured are the server's user+system CPU
# seconds per gigabyte (10^9 bytes of TCP payload), and the rate.
#
#   --quick      shorter and fewer runs: within 60 s
#   --json FILE  write the figures to FILE as well
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=eng/lib/common.sh
source "$here/../lib/common.sh"
# shellcheck source=eng/lib/lab.sh
source "$root/eng/lib/lab.sh"
# shellcheck source=eng/lib/broker.sh
source "$root/eng/lib/broker.sh"
# shellcheck source=eng/bench/ocserv.sh
source "$root/eng/bench/ocserv.sh"
# shellcheck source=eng/bench/carry.sh
source "$root/eng/bench/carry.sh"

arguments=("$@")
rounds=5 seconds=5 json=""
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) print_help; exit 0 ;;
    --quick) rounds=3 seconds=2 ;;
    --json) json=$(realpath -m "${2:?"--json needs a file"}"); shift ;;
    *) die "unknown argument '$1' (see --help)" ;;
  esac
  shift
done

become_root "${arguments[@]}"

password=benchmark
cpus=$(nproc)
server_cpus=() client_cpus=()
if [[ $cpus -gt 1 ]]; then
  server_cpus=(taskset -c 0) client_cpus=(taskset -c "1-$((cpus - 1))")
fi

step "Network"
lab_start bench
lab_namespace user
lab_namespace server
lab_link user eth0 10.99.0.2/24 server eth0 10.99.0.1/24

step "ocserv"
ocserv_start 4443 10.55.0.0/24 bench "$password"
lab_openconnect user client-ocserv tun-ocserv https://10.99.0.1:4443/ "$ocserv_pin" bench "$password" --no-dtls

step "Broker"
mkdir "$lab/broker"
cat >"$lab/broker/broker.yaml" <<END
listen: ["10.99.0.1:4433"]
certificate: { certificateFile: cert.pem, keyFile: key.pem, selfSigned: true, names: ["10.99.0.1"] }
authentication: { usersFile: users }
pools:
  - { name: users, ipv4: 10.56.0.0/24 }
defaults: { pool: users, mtu: 1400, include: [10.57.0.1/32] }
lcores: { count: 1, idle: adaptive }
tun: { name: broker0, addresses: [10.57.0.1/32], mtu: 1400, routes: [10.57.0.1/32] }
control: { socket: control.sock }
log: { level: warning }
END
broker_user broker bench "$password"
broker_start server broker
broker_pid=$lab_pid
lab_openconnect user client-broker tun-broker https://10.99.0.1:4433/ "$(certificate_pin "$lab/broker/cert.pem")" bench "$password" --no-dtls
suite=$(suite_of client-broker)
[[ $suite == "$(suite_of client-ocserv)" ]] || warn "the suites differ: $suite with the broker, $(suite_of client-ocserv) with ocserv"
say "cipher suite: $suite"

step "iperf3 in both directions, ocserv and the broker in turn"
lab_run server iperf "${client_cpus[@]}" iperf3 --server
lab_until_up 10 lab_listens server 5201
for ((round = 0; round <= rounds; round++)); do
  for direction in up down; do
    # Round 0 warms up: JIT tiers, TCP windows.
    length=$seconds
    [[ $round -gt 0 ]] || length=1
    carry "$lab/ocserv-$direction-$((round > 0)).tsv" "$ocserv_pid" 10.55.0.1 "$length" "$direction"
    carry "$lab/broker-$direction-$((round > 0)).tsv" "$broker_pid" 10.57.0.1 "$length" "$direction"
  done
  say "round $round of $rounds: broker up $(tail -n 1 "$lab/broker-up-$((round > 0)).tsv" | summary), down $(tail -n 1 "$lab/broker-down-$((round > 0)).tsv" | summary);" \
    "ocserv up $(tail -n 1 "$lab/ocserv-up-$((round > 0)).tsv" | summary), down $(tail -n 1 "$lab/ocserv-down-$((round > 0)).tsv" | summary)"
done

step "Figures (CPU: user+system seconds of the server per 10^9 bytes; ratio = peer / ours)"
rows=$(for direction in up down; do
  for figure in cpu:cpu-seconds-per-gigabyte rate:gigabits-per-second; do
    jq -n --arg case "broker/tls/$suite/$direction/${figure#*:}" --argjson ours "$(median_of "$lab/broker-$direction-1.tsv" "${figure%:*}")" \
      --argjson peer "$(median_of "$lab/ocserv-$direction-1.tsv" "${figure%:*}")" \
      '{case: $case, bytes: 1000000000, ours_ns: $ours, peer: "ocserv", peer_ns: $peer, ratio: (if $ours > 0 then $peer / $ours else 0 end)}'
  done
done | jq -s .)
say "| case | broker | ocserv | ratio |"
say "|---|---:|---:|---:|"
jq -r '.[] | "| \(.case) | \(.ours_ns * 1000 | round / 1000) | \(.peer_ns * 1000 | round / 1000) | \(.ratio * 100 | round / 100) |"' <<<"$rows"
[[ -z $json ]] || printf '%s\n' "$rows" >"$json"
