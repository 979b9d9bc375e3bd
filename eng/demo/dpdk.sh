# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with the script that sources this one
# The demo on DPDK's Ethernet ports: net_af_packet on one end of a veth pair, so that it runs on every kernel.

# One link of three (user, broker, gateway) over a bridge, and the data centre as a host of its own behind the gateway.
dpdk_links() {
  local role
  esp_broker=10.99.0.1 esp_gateway=10.99.0.3
  for role in switch centre; do lab_namespace "$role"; done
  ip -n "$(ns switch)" link add bridge0 up type bridge
  for role in user broker gateway; do dpdk_wire "$role"; done
  inside user ip addr add 10.99.0.2/24 dev eth0
  inside gateway ip addr add "$esp_gateway/24" dev eth0
  ip -n "$(ns gateway)" link add lan0 type veth peer name eth0 netns "$(ns centre)"
  ip -n "$(ns centre)" addr add "$web/24" dev eth0
  ip -n "$(ns centre)" link set eth0 up
  ip -n "$(ns centre)" route add 10.60.0.0/24 via 10.77.0.1
  dpdk_take broker eth0
  dpdk_take gateway lan0
  # A veth pair leaves checksums and segmentation to the other end, whose kernel knows of that. DPDK sees frames as on a wire.
  for role in user gateway centre; do inside "$role" ethtool -K eth0 tx off gso off tso off >/dev/null; done
  broker_section=$(dpdk_section '{ name: wan, device: "net_af_packet0,iface=eth0", role: outside, addresses: [10.99.0.1/24], exceptionTap: wan0 }')
  gateway_section=$(dpdk_section '{ name: lan, device: "net_af_packet0,iface=lan0", role: inside, addresses: [10.77.0.1/24], mtu: 1380, routes: [10.77.0.0/16] }')
}

# Plugs a namespace's eth0 into the bridge: ROLE
dpdk_wire() {
  ip -n "$(ns switch)" link add "to-$1" type veth peer name eth0 netns "$(ns "$1")"
  ip -n "$(ns switch)" link set "to-$1" master bridge0 up
  ip -n "$(ns "$1")" link set eth0 up
}

# Keeps the kernel off an interface, of whose frames net_af_packet gets copies: no address, no ARP, no IPv6, and IPv4 packets that should come
# by another interface (the exception TAP has the address) are dropped. ROLE DEVICE
dpdk_take() {
  inside "$1" sysctl -q -w "net.ipv6.conf.$2.disable_ipv6=1" "net.ipv4.conf.$2.rp_filter=1"
  ip -n "$(ns "$1")" link set "$2" arp off up
}

dpdk_section() { printf 'dpdk: { memory: %s, megabytes: 128, ports: [ %s ] }' "$pages" "$1"; } # PORT

dpdk_counter() { # ROLE PORT jq-FILTER
  "$broker" status --json --config "$lab/$1/broker.yaml" | jq -r "[.ports[] | select(.traffic.name == \"$2\" and .lcore == 0) | $3] | add"
}

dpdk_results() {
  local esp kernel plain
  esp=$(dpdk_counter broker dpdk:wan '.traffic.receivedPackets')
  kernel=$(dpdk_counter broker dpdk:wan '.counters["frames-to-kernel"]')
  plain=$(dpdk_counter gateway dpdk:lan '.traffic.receivedPackets')
  [[ $esp -gt 0 && $kernel -gt 0 && $plain -gt 0 ]] || die "a DPDK port carried nothing: ESP $esp, frames to the kernel $kernel, plain packets $plain"
  result "DPDK port wan of the broker" "$esp ESP packets to the lcore, $kernel frames to the kernel"
  result "DPDK port lan of the gateway" "$plain plain packets to the lcore"
}

# Captures what DPDK ports have sent and received, at the other end of their wires.
dpdk_capture_start() {
  dpdk_capture user "tcp port 4433"
  dpdk_capture gateway "udp port 4500"
  dpdk_capture centre "ip"
}

dpdk_capture() { # ROLE FILTER
  lab_run "$1" "wire-$1" dumpcap -q -i eth0 -f "$2" -w "$lab/wire-$1.pcapng"
  dpdk_captures+=("$lab_pid")
  lab_until_up 10 grep -q '^File: ' "$lab/wire-$1.log"
}

dpdk_captures=()

# Fails unless the IP, TCP, UDP and ICMP checksums of all captured packets are right.
dpdk_capture_check() {
  local pid role packets wrong total=0
  for pid in "${dpdk_captures[@]}"; do
    kill -INT "$pid"
    lab_wait_gone "$pid" 10 || die "dumpcap did not end"
  done
  for role in user gateway centre; do
    # The first occurrence is the packet's own: an ICMP error has a second set of headers, those of the packet that it quotes.
    tshark -n -r "$lab/wire-$role.pcapng" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE \
      -T fields -E occurrence=f -e ip.checksum.status -e tcp.checksum.status -e udp.checksum.status -e icmp.checksum.status \
      -e frame.number -e ip.src -e ip.dst -e _ws.col.Info >"$lab/wire-$role.txt" 2>>"$lab/tshark.log"
    packets=$(wc -l <"$lab/wire-$role.txt")
    # 0: wrong, 1: right. Datagrams of ESP may be without a checksum (RFC 3948 §2.1).
    wrong=$(awk -F '\t' '$1 != 1 || $2 == "0" || $3 == "0" || $4 == "0"' "$lab/wire-$role.txt")
    [[ $packets -gt 0 && -z $wrong ]] ||
      die "of $packets packets on the wire of $role these have wrong checksums (status of IP, TCP, UDP and ICMP, then the packet):"$'\n'"$wrong"
    total=$((total + packets))
  done
  result "IP, TCP and UDP checksums on the wires" "$total packets, $total right"
}
