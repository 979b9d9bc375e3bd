# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with the script that sources this one
# Captures the ESP between the brokers and lets tshark decrypt it with the configured keys.

capture_pid=0 capture_icmp=0 capture_http=0

capture_start() {
  # Segmentation offload would show bursts as single oversized datagrams: the wire is what counts.
  [[ $dpdk == true ]] || inside broker ip link set eth1 gso_max_segs 1
  inside gateway ip link set eth0 gso_max_segs 1
  lab_run gateway capture dumpcap -q -i eth0 -f "udp port 4500" -w "$lab/esp.pcapng"
  capture_pid=$lab_pid
  lab_until_up 10 grep -q '^File: ' "$lab/capture.log"
}

capture_stop() {
  kill -INT "$capture_pid"
  lab_wait_gone "$capture_pid" 10 || die "dumpcap did not end"
  [[ $dpdk == true ]] || inside broker ip link set eth1 gso_max_segs 65535
  inside gateway ip link set eth0 gso_max_segs 65535
}

# tshark with the keys of this run: ARGUMENT...
decrypting_tshark() {
  local sa_to_gateway sa_to_broker
  sa_to_gateway=$(printf '"IPv4","*","*","%s","AES-GCM with 16 octet ICV [RFC4106]","0x%s","NULL",""' "$spi_to_gateway" "$key_to_gateway$salt_to_gateway")
  sa_to_broker=$(printf '"IPv4","*","*","%s","AES-GCM with 16 octet ICV [RFC4106]","0x%s","NULL",""' "$spi_to_broker" "$key_to_broker$salt_to_broker")
  tshark -n -r "$lab/esp.pcapng" -o esp.enable_encryption_decode:TRUE -o esp.enable_authentication_check:TRUE \
    -o "uat:esp_sa:$sa_to_gateway" -o "uat:esp_sa:$sa_to_broker" "$@" 2>>"$lab/tshark.log"
}

# Fails unless every packet has a valid ICV, both directions are there, and tshark reads the inner packets.
capture_check() {
  # Without TCP: an error over the content of a segment, such as a retransmitted one, would hide the packet's ICV.
  decrypting_tshark --disable-protocol tcp -Y esp -T fields -e esp.spi -e esp.icv_good -e esp.icv_bad >"$lab/esp.txt"
  local spi
  for spi in $spi_to_gateway $spi_to_broker; do
    [[ $(count_icv "$spi" good) -gt 0 ]] || die "tshark found no valid ESP packet with SPI $spi"
    [[ $(count_icv "$spi" all) -eq $(count_icv "$spi" good) ]] || die "tshark found ESP packets with SPI $spi without a valid ICV: $(capture_summary "$spi")"
  done
  capture_icmp=$(decrypting_tshark -Y icmp | wc -l)
  capture_http=$(decrypting_tshark -Y http.request | wc -l)
  [[ $capture_icmp -gt 0 && $capture_http -gt 0 ]] || die "tshark did not find the ping and the download inside the ESP packets"
}

count_icv() { # SPI good|all
  awk -v spi="$1" -v what="$2" '$1 == spi && (what == "all" || $2 == "1" || $2 == "True") { n++ } END { print n + 0 }' "$lab/esp.txt"
}

capture_summary() { printf '%s packets, %s with a valid ICV' "$(count_icv "$1" all)" "$(count_icv "$1" good)"; }
