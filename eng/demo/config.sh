# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with the script that sources this one
# The demo's configuration, with fresh keys in each run: a broker whose IPsec peer is strongSwan, or two brokers with one static pair of SAs
# between them.

# An SPI's top byte is the receiver's lcore + 1: both brokers have one lcore.
spi_to_gateway=0x01000a01 spi_to_broker=0x01000b01
# Addresses of ESP's ends, and what else the files say.
esp_broker=10.98.0.1 esp_gateway=10.98.0.2
broker_section="" gateway_section='tun: { name: dc0, addresses: [10.77.0.1/32], mtu: 1380, routes: [10.77.0.0/16], kernelRoutes: [10.60.0.0/24] }'
key_to_gateway="" salt_to_gateway="" key_to_broker="" salt_to_broker=""

# Writes one SA in YAML: SPI KEY SALT
sa() { printf '{ spi: %s, key: "%s", salt: "%s", esn: false }' "$1" "$2" "$3"; }

write_configurations() {
  mkdir "$lab/broker" "$lab/gateway"
  if [[ $gateway == strongswan ]]; then
    psk=$(openssl rand -hex 32)
    (umask 077 && printf '%s\n' "$psk" >"$lab/broker/psk")
    write_broker <<END
ipsec:
  listen: [$esp_broker]
  peers:
    - name: datacentre
      remote: $esp_gateway
      localId: broker.demo
      remoteId: gateway.demo
      pskFile: psk
      lifetime: 8s
      start: true
      mtu: 1380
      children:
        - { name: net, local: [10.60.0.0/24], remote: [10.77.0.0/16], lifetime: 3s }
END
    strongswan_configuration
    return
  fi
  write_static_configurations
}

# Writes the broker's file: what all variants have, and the way to the gateway from standard input.
write_broker() {
  {
    cat <<END
listen: ["10.99.0.1:4433"]
certificate: { certificateFile: cert.pem, keyFile: key.pem, selfSigned: true, names: ["10.99.0.1"] }
authentication: { usersFile: users }
pools:
  - { name: users, ipv4: 10.60.0.0/24 }
defaults: { pool: users, mtu: 1380, include: [10.77.0.0/16], dpd: 3s }
lcores: { count: 1, idle: adaptive }
$broker_section
control: { socket: control.sock }
log: { auditFile: audit.log }
END
    cat
  } >"$lab/broker/broker.yaml"
  chmod 600 "$lab/broker/broker.yaml"
}

write_static_configurations() {
  local to_gateway to_broker name
  key_to_gateway=$(openssl rand -hex 16) salt_to_gateway=$(openssl rand -hex 4)
  key_to_broker=$(openssl rand -hex 16) salt_to_broker=$(openssl rand -hex 4)
  # Without extended sequence numbers, because tshark cannot check an ICV over the hidden half.
  to_gateway=$(sa $spi_to_gateway "$key_to_gateway" "$salt_to_gateway")
  to_broker=$(sa $spi_to_broker "$key_to_broker" "$salt_to_broker")
  write_broker <<END
esp:
  insecureStaticKeys: true
  stateFile: esp.state
  tunnels:
    - name: datacentre
      mode: udp
      local: $esp_broker:4500
      remote: $esp_gateway:4500
      remotePrefixes: [10.77.0.0/16]
      mtu: 1380
      pairs:
        - { lcore: 0, outbound: $to_gateway, inbound: $to_broker }
END
  cat >"$lab/gateway/broker.yaml" <<END
lcores: { count: 1, idle: adaptive }
$gateway_section
esp:
  insecureStaticKeys: true
  stateFile: esp.state
  tunnels:
    - name: broker
      mode: udp
      local: $esp_gateway:4500
      remote: $esp_broker:4500
      remotePrefixes: [10.60.0.0/24]
      mtu: 1380
      pairs:
        - { lcore: 0, outbound: $to_broker, inbound: $to_gateway }
control: { socket: control.sock }
END
  chmod 600 "$lab"/*/broker.yaml
  # Which sequence numbers of a static key were used is on disk before the first of them is: a broker refuses to start without.
  for name in broker gateway; do "$broker" esp init-state --config "$lab/$name/broker.yaml" >/dev/null; done
}
