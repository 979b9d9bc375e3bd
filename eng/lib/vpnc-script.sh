#!/usr/bin/env bash
# What openconnect calls when the tunnel comes up and goes down: address, MTU and split routes, nothing of the host's own network.
set -euo pipefail

case ${reason:-} in
  connect)
    # openconnect sets these in the environment.
    : "${TUNDEV:?}" "${INTERNAL_IP4_ADDRESS:?}"
    ip link set dev "$TUNDEV" up mtu "${INTERNAL_IP4_MTU:-1400}"
    ip addr add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
    [[ -z ${INTERNAL_IP6_ADDRESS:-} ]] || ip addr add "$INTERNAL_IP6_ADDRESS/128" dev "$TUNDEV" nodad
    for ((i = 0; i < ${CISCO_SPLIT_INC:-0}; i++)); do
      address=CISCO_SPLIT_INC_${i}_ADDR length=CISCO_SPLIT_INC_${i}_MASKLEN
      ip route replace "${!address}/${!length}" dev "$TUNDEV"
    done
    for ((i = 0; i < ${CISCO_IPV6_SPLIT_INC:-0}; i++)); do
      address=CISCO_IPV6_SPLIT_INC_${i}_ADDR length=CISCO_IPV6_SPLIT_INC_${i}_MASKLEN
      ip route replace "${!address}/${!length}" dev "$TUNDEV"
    done
    ;;
esac
