#!/usr/bin/env bash
# usage: eng/demo.sh [--static | --dpdk [--no-huge]] [--tls] [--no-setup]
#
# Shows the whole way of a packet with three network namespaces on this machine:
#
#   user                      broker                              gateway (data centre)
#   openconnect  ==TLS 1.3==> broker  ==IKEv2, ESP in UDP 4500==> strongSwan -> web server 10.77.0.10
#   10.60.0.x      (DTLS)             10.98.0.0/24
#                10.99.0.0/24
#
# The user logs in with the real openconnect client, pings the data centre, downloads a file and checks its SHA-256, and runs
# iperf3 both ways, while broker and gateway make new keys again and again (the child SA every 3 s, the IKE SA every 8 s). The
# user's data goes by DTLS, as openconnect does by itself, until UDP is blocked between the two: then by TLS, in the same session.
# All keys, passwords and certificates are made for this run and go away with it, like the namespaces, however the run ends.
#
# With --static the gateway is a second broker process, and the ESP between the brokers has static keys: it is captured, and tshark
# decrypts it with the configured keys and checks every ICV.
#
# With --dpdk, static keys as well, the brokers use DPDK's Ethernet ports (net_af_packet on veth pairs). The broker has one port for everything that is outside: ESP
# is its own, and openconnect's TCP goes through an exception interface to the kernel and back. The gateway, whose ESP comes by a socket of
# the kernel, has a port in the place of the TUN device: plain packets. tshark checks all checksums on the wires as well.
#
#   user                      broker                                       gateway                           data centre
#   openconnect  ==TLS 1.3==> DPDK port 10.99.0.1: ESP <-> lcore           second broker process             web server
#   10.60.0.x                   rest <-> wan0 (TAP) <-> kernel  ==ESP==>   10.99.0.3, DPDK port 10.77.0.1 -> 10.77.0.10
#
#   --static    a second broker as the gateway, static keys
#   --tls       users' data by TLS from the start (openconnect --no-dtls)
#   --dpdk      use DPDK ports
#   --no-huge   ... without huge pages
#   --no-setup  do not install packages and do not build first
#
# Needs root or sudo, Debian and the .NET 10 SDK. Takes well under two minutes after the first set-up; safe to repeat.
set -euo pipefail
# shellcheck source=eng/lib/common.sh
source "$(dirname "$0")/lib/common.sh"

setup=true dpdk=false pages=hugePages gateway=strongswan data=dtls
for argument in "$@"; do
  case $argument in
    -h | --help) print_help; exit 0 ;;
    --static) gateway=broker ;;
    --dpdk) dpdk=true gateway=broker ;;
    --no-huge) pages=ordinaryPages ;;
    --tls) data=tls ;;
    --no-setup) setup=false ;;
    *) die "unknown argument '$argument' (see --help)" ;;
  esac
done
if [[ $setup == true ]]; then
  step "Set-up"
  need_dotnet
  parts=(build demo)
  [[ $dpdk == false ]] || parts+=(dpdk)
  eng/install-deps.sh "${parts[@]}"
  build_release samples/VpnBroker
fi
again=(--no-setup)
[[ $gateway == strongswan ]] || again+=(--static)
[[ $dpdk == false ]] || again+=(--dpdk)
[[ $pages == hugePages ]] || again+=(--no-huge)
[[ $data == dtls ]] || again+=(--tls)
become_root "${again[@]}"

# shellcheck source=eng/lib/lab.sh
source "$root/eng/lib/lab.sh"
# shellcheck source=eng/lib/broker.sh
source "$root/eng/lib/broker.sh"
# shellcheck source=eng/demo/config.sh
source "$root/eng/demo/config.sh"
# shellcheck source=eng/demo/dpdk.sh
source "$root/eng/demo/dpdk.sh"
# shellcheck source=eng/demo/capture.sh
source "$root/eng/demo/capture.sh"
# shellcheck source=eng/demo/strongswan.sh
source "$root/eng/demo/strongswan.sh"

web=10.77.0.10
table=()
# True when the user's data goes by tls or dtls: CHANNEL
data_goes_by() { "$broker" status --json --config "$lab/broker/broker.yaml" | jq -e --arg channel "$1" '.users[0].data == $channel'; }
result() { table+=("| $1 | $2 |"); say "   $1: $2"; }

step "Network namespaces: user, broker, gateway"
lab_start demo
for role in user broker gateway; do lab_namespace "$role"; done
centre=gateway
if [[ $dpdk == true ]]; then
  centre=centre
  dpdk_links
else
  lab_link user eth0 10.99.0.2/24 broker eth0 10.99.0.1/24
  lab_link broker eth1 10.98.0.1/24 gateway eth0 10.98.0.2/24
  inside gateway ip addr add "$web/32" dev lo
fi

step "Keys, passwords and configurations of this run"
password=$(openssl rand -hex 16)
write_configurations
broker_user broker alice "$password"

if [[ $gateway == broker ]]; then
  step "Gateway: a broker process between ESP and the data centre"
  broker_start gateway gateway
else
  step "Gateway: strongSwan between ESP and the data centre"
  strongswan_start
fi
gateway_pid=$lab_pid

step "Broker: a broker process between openconnect users and ESP"
broker_start broker broker
broker_pid=$lab_pid
result "AEAD" "$(grep -o -m 1 'AEAD: .*' "$lab/broker.log" | sed 's/AEAD: //')"
pin=$(certificate_pin "$lab/broker/cert.pem")
say "   certificate: $pin"

if [[ $gateway == strongswan ]]; then
  step "IKEv2 between the broker and strongSwan"
  "$broker" ipsec up datacentre --config "$lab/broker/broker.yaml"
  result "IKEv2" "$(strongswan_suite)"
fi

step "Web server in the data centre"
mkdir "$lab/web"
head -c 8388608 /dev/urandom >"$lab/web/file"
lab_run "$centre" web python3 -m http.server 80 --bind "$web" --directory "$lab/web"
lab_until_up 10 lab_listens "$centre" 80

step "The user logs in with openconnect"
[[ $gateway == strongswan ]] || capture_start
[[ $dpdk == false ]] || dpdk_capture_start
options=()
[[ $data == dtls ]] || options=(--no-dtls)
lab_openconnect user openconnect tun0 https://10.99.0.1:4433/ "$pin" alice "$password" "${options[@]}"
client_pid=$lab_pid
suite=$(grep -o 'ciphersuite.*' "$lab/openconnect.log" | head -n 1)
result "TLS" "${suite#ciphersuite }"
result "inner address" "$(inside user ip -4 -o addr show dev tun0 | awk '{ print $4 }')"

if [[ $data == dtls ]]; then
  # A client that was too slow for its own time-out tries again after a minute.
  lab_until 75 data_goes_by dtls || die "openconnect has no DTLS connection"
  result "data channel" "$(grep -o 'Established DTLS connection.*' "$lab/openconnect.log" | tail -n 1)"
fi

step "Ping through ${data^^} and ESP"
inside user ping -c 5 -i 0.2 -W 5 "$web" >"$lab/ping.log"
result "ping" "$(tail -n 1 "$lab/ping.log")"

step "Download of 8 MiB"
inside user curl --silent --show-error --fail --max-time 60 --write-out '%{speed_download}\n' -o "$lab/file" "http://$web/file" >"$lab/curl.log"
expected=$(sha256sum <"$lab/web/file") got=$(sha256sum <"$lab/file")
[[ $got == "$expected" ]] || die "the SHA-256 differs: sent $expected, received $got"
result "download" "$(awk '{ printf "%.0f Mb/s", $1 * 8 / 1e6 }' "$lab/curl.log"), SHA-256 ${got:0:16}... is right"

if [[ $gateway == broker ]]; then
  step "tshark decrypts the captured ESP"
  capture_stop
  capture_check
  result "ESP to the gateway" "$(capture_summary "$spi_to_gateway")"
  result "ESP to the broker" "$(capture_summary "$spi_to_broker")"
  [[ $dpdk == false ]] || dpdk_capture_check
  result "inner packets read by tshark" "$capture_icmp ICMP, $capture_http HTTP requests"
fi

step "iperf3, 4 s each way"
lab_run "$centre" iperf iperf3 --server --bind "$web"
lab_until_up 10 lab_listens "$centre" 5201
for direction in up down; do
  reverse=()
  [[ $direction == up ]] || reverse=(--reverse)
  inside user timeout 30 iperf3 --client "$web" --time 4 --json "${reverse[@]}" >"$lab/iperf3-$direction.json"
  result "iperf3 $direction" "$(jq -r '.end.sum_received.bits_per_second / 1e6 | round | "\(.) Mb/s"' "$lab/iperf3-$direction.json")"
done

if [[ $gateway == strongswan ]]; then
  step "New keys under traffic"
  lab_until 20 strongswan_rekeyed || die "strongSwan has not seen three rekeys of the child SA and one of the IKE SA"
  drops=$(sa_drops)
  # All that the broker drops is counted. strongSwan takes its outbound SA away before the next one is in place: a moment, longer on a busy machine.
  inside user ping -c 200 -i 0.02 -W 5 -q "$web" >"$lab/ping-rekey.log"
  [[ $(sa_drops) -eq $drops ]] || die "the broker has dropped packets at a rekey"
  [[ $(awk '/received/ { print $4 }' "$lab/ping-rekey.log") -ge 198 ]] || die "rekeys have cost packets: $(tail -n 2 "$lab/ping-rekey.log")"
  result "rekeys that strongSwan saw" "$(strongswan_rekeys)"
  result "200 pings through them" "$(grep -o '[0-9.]*% packet loss' "$lab/ping-rekey.log"), none dropped by the broker"
fi

if [[ $data == dtls ]]; then
  step "UDP between user and broker is blocked"
  inside user nft -f - <<<'table inet blocked { chain out { type filter hook output priority 0; udp dport 4433 drop; }; }'
  lab_until 60 data_goes_by tls || die "data did not go on by TLS"
  inside user ping -c 5 -i 0.2 -W 5 -q "$web" >"$lab/ping-tls.log"
  result "without UDP" "by TLS in the same session, $(grep -o '[0-9.]*% packet loss' "$lab/ping-tls.log")"
fi

step "Status of the broker"
"$broker" status --config "$lab/broker/broker.yaml"
[[ $dpdk == false ]] || dpdk_results

step "Everything ends in order"
kill -INT "$client_pid"
lab_wait_gone "$client_pid" 10 || die "openconnect did not end"
kill -TERM "$broker_pid"
lab_wait_gone "$broker_pid" 15 || die "the broker did not end on SIGTERM"
wait "$broker_pid" || die "the broker ended with exit code $?"
[[ $gateway == broker ]] || strongswan_knows_the_end
kill -TERM "$gateway_pid"
lab_wait_gone "$gateway_pid" 15 || die "the gateway did not end on SIGTERM"
wait "$gateway_pid" || die "the gateway ended with exit code $?"

step "Result"
say "| what | result |"
say "|---|---|"
printf '%s\n' "${table[@]}"
