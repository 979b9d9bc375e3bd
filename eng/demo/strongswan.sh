# shellcheck shell=bash
# shellcheck disable=SC2154 # shared with the script that sources this one
# The demo's data-centre gateway: strongSwan's IKE daemon, with ESP in user space (kernel-libipsec), so that it runs on every kernel.

strongswan_configuration() {
  cat >"$lab/gateway/strongswan.conf" <<END
charon-systemd {
  load = random nonce openssl pem pkcs1 pkcs8 pubkey x509 constraints hmac sha2 kdf aes gcm kernel-libipsec kernel-netlink socket-default vici updown
  plugins {
    vici {
      socket = unix://$lab/gateway/vici
    }
  }
  filelog {
    all {
      path = $lab/strongswan.log
      default = 1
      flush_line = yes
    }
  }
}
END
  # kernel-libipsec has no extended sequence numbers, and carries ESP in UDP only.
  cat >"$lab/gateway/swanctl.conf" <<END
connections {
  broker {
    version = 2
    local_addrs = $esp_gateway
    remote_addrs = $esp_broker
    encap = yes
    proposals = aes256gcm16-prfsha384-x25519
    local {
      auth = psk
      id = gateway.demo
    }
    remote {
      auth = psk
      id = broker.demo
    }
    children {
      net {
        local_ts = 10.77.0.0/16
        remote_ts = 10.60.0.0/24
        esp_proposals = aes256gcm16
      }
    }
  }
}
secrets {
  ike-broker {
    id-1 = gateway.demo
    id-2 = broker.demo
    secret = "$psk"
  }
}
END
  chmod 600 "$lab"/gateway/*.conf
}

strongswan_start() {
  lab_run gateway charon env STRONGSWAN_CONF="$lab/gateway/strongswan.conf" /usr/sbin/charon-systemd
  lab_until_up 20 swanctl_ --stats
  swanctl_ --load-all --file "$lab/gateway/swanctl.conf" >/dev/null
}

swanctl_() { inside gateway swanctl "$@" --uri "unix://$lab/gateway/vici"; }

# The algorithms that both sides have agreed on.
strongswan_suite() {
  swanctl_ --list-sas | awk '
    /AES_GCM_16.*PRF/ { ike = $1 }
    /ESP:AES_GCM/ { sub(/.*ESP:/, "ESP "); esp = $0 }
    END { print ike ", " esp }'
}

strongswan_count() { grep -c -- "$1" "$lab/strongswan.log" || true; }

strongswan_rekeys() {
  printf '%s of the child SA, %s of the IKE SA' "$(strongswan_count 'inbound CHILD_SA net.* established')" "$(strongswan_count 'IKE_SA broker.* rekeyed')"
}

strongswan_rekeyed() {
  [[ $(strongswan_count 'inbound CHILD_SA net.* established') -ge 3 && $(strongswan_count 'IKE_SA broker.* rekeyed') -ge 1 ]]
}

# Packets that the broker has dropped for a reason that has to do with SAs and their routes.
sa_drops() {
  "$broker" status --json --no-users --config "$lab/broker/broker.yaml" |
    jq '[.lcores[].drops | to_entries[] | select(.key | test("^(esp-|no-route|no-port|selectors)")) | .value] | add // 0'
}

# The broker has told that it goes.
strongswan_knows_the_end() {
  lab_until 5 strongswan_has_no_sa || die "strongSwan still has an SA of the broker that has ended"
}

strongswan_has_no_sa() { [[ -z $(swanctl_ --list-sas) ]]; }
