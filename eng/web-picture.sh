#!/usr/bin/env bash
# usage: eng/web-picture.sh [--seconds N] [--dark] [--no-setup] [FILE]
#
# Takes the picture of the broker's web page that docs/monitoring.md shows: a broker between openconnect users, each in a network namespace of
# its own, and strongSwan; every user moves data at another rate by iperf3, one without DTLS, and two send packets that must be dropped. After a while headless
# Chromium, in the broker's namespace, takes the picture. Nothing in it is made up.
#
#   FILE         where to (docs/web.png)
#   --seconds N  how long data moves before (100)
#   --dark       in dark colours
#   --no-setup   do not install packages and do not build first
#
# Needs root or sudo, Debian and the .NET 10 SDK.
set -euo pipefail
# shellcheck source=eng/lib/common.sh
source "$(dirname "$0")/lib/common.sh"

setup=true seconds=100 file=docs/web.png theme=() given=("$@")
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) print_help; exit 0 ;;
    --seconds) seconds=${2:?--seconds needs a number}; shift ;;
    --dark) theme=(--force-dark-mode --enable-features=WebContentsForceDark:inversion_method/none) ;;
    --no-setup) setup=false ;;
    -*) die "unknown argument '$1' (see --help)" ;;
    *) file=$1 ;;
  esac
  shift
done
if [[ $setup == true ]]; then
  step "Set-up"
  need_dotnet
  eng/install-deps.sh build demo test
  build_release samples/VpnBroker
fi
become_root --no-setup "${given[@]}"

gateway=strongswan
# shellcheck source=eng/lib/lab.sh
source "$root/eng/lib/lab.sh"
# shellcheck source=eng/lib/broker.sh
source "$root/eng/lib/broker.sh"
# shellcheck source=eng/demo/config.sh
source "$root/eng/demo/config.sh"
# shellcheck source=eng/demo/strongswan.sh
source "$root/eng/demo/strongswan.sh"

target=10.77.0.10
users=(alice bob carol dave)
rates=(24M 12M 6M 2M) # what each asks for; the last one, both ways

step "Network namespaces: broker, gateway, ${#users[@]} users"
lab_start picture
lab_namespace broker
lab_namespace gateway
lab_link broker eth1 10.98.0.1/24 gateway eth0 10.98.0.2/24
inside gateway ip addr add "$target/32" dev lo
ip -n "$(ns broker)" link add outside type bridge
ip -n "$(ns broker)" addr add 10.99.0.1/24 dev outside
ip -n "$(ns broker)" link set outside up
for i in "${!users[@]}"; do
  lab_namespace "${users[i]}"
  ip -n "$(ns "${users[i]}")" link add eth0 type veth peer name "user$i" netns "$(ns broker)"
  ip -n "$(ns "${users[i]}")" addr add "10.99.0.$((i + 10))/24" dev eth0
  ip -n "$(ns "${users[i]}")" link set eth0 up
  ip -n "$(ns broker)" link set "user$i" master outside up
done

step "Broker and strongSwan"
broker_section='web: { listen: "127.0.0.1:9465" }
policy:
  default: deny
  rules:
    - { name: measurements, action: allow, ingress: [users], to: [10.77.0.0/16], protocols: [tcp, udp], ports: [5201-5299] }
    - { name: no-telnet, action: reject, to: [10.77.0.0/16], protocols: [tcp], ports: [23] }
traffic:
  outside: 100M
  classes:
    - { name: voice, priority: 0, match: [{ dscp: [ef] }] }
    - { name: normal }'
write_configurations
# The demo rekeys every few seconds, to show that it can.
sed -i 's/lifetime: [38]s/lifetime: 1h/; s/lcores: { count: 1/lcores: { count: 2/' "$lab/broker/broker.yaml"
password=$(openssl rand -hex 16)
for user in "${users[@]}"; do broker_user broker "$user" "$password"; done
strongswan_start
broker_start broker broker
"$broker" ipsec up datacentre --config "$lab/broker/broker.yaml"
pin=$(certificate_pin "$lab/broker/cert.pem")

step "${#users[@]} users move data for $seconds s"
for i in "${!users[@]}"; do
  options=()
  # One whose network lets no UDP through.
  [[ ${users[i]} != dave ]] || options=(--no-dtls)
  lab_openconnect "${users[i]}" "openconnect-${users[i]}" tun0 https://10.99.0.1:4433/ "$pin" "${users[i]}" "$password" "${options[@]}"
  lab_run gateway "iperf3-$i" iperf3 --server --bind "$target" --port "$((5201 + i))"
  lab_until_up 10 lab_listens gateway "$((5201 + i))"
done
for i in "${!users[@]}"; do
  direction=(--reverse)
  [[ $i -lt 3 ]] || direction=(--bidir)
  # One after the other, so that the charts have steps.
  sleep $((seconds / 10))
  lab_run "${users[i]}" "client-$i" iperf3 --client "$target" --port "$((5201 + i))" --time "$((seconds * 2))" --bitrate "${rates[i]}" "${direction[@]}"
done
# Nothing has this address, and no rule allows this: dropped, and counted.
inside bob ip route add 10.60.0.200/32 dev tun0
lab_run bob nowhere ping -i 0.1 10.60.0.200
lab_run carol denied ping -i 0.5 "$target"
sleep $((seconds * 6 / 10))

step "The picture"
inside broker chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1 --window-size=1400,2500 \
  --user-data-dir="$lab/chromium" --virtual-time-budget=4000 "${theme[@]}" --screenshot="$lab/web.png" http://127.0.0.1:9465/ >"$lab/chromium.log" 2>&1
[[ -s $lab/web.png ]] || die "Chromium took no picture"
cp "$lab/web.png" "$file"
say "$file: $(stat -c %s "$file") bytes"
