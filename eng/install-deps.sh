#!/usr/bin/env bash
# usage: eng/install-deps.sh [--check] [GROUP...]
#
# Installs the Debian packages that this repository's scripts use, and only those that are missing.
# Needs root or sudo where something is missing; safe to repeat.
#
#   GROUP    build  what the library itself needs: OpenSSL 3's libcrypto at run time, CMake and a C compiler for native/aead
#            test   the programs that tests talk to (openssl, gnutls, NSS, wolfSSL, Java, Go, scapy, tshark, openconnect, Open vSwitch, testpmd, strongSwan, nfdump, libfixbuf, Chromium, Prometheus), and what native/aead's tests need;
#                   libreswan is unpacked into /opt/cryptoplane/libreswan and not installed: its package excludes strongSwan's
#            demo   what eng/demo.sh uses
#            dpdk   DPDK with its drivers, for src/CryptoPlane.Dpdk
#            bench  what eng/bench.sh uses (the peers); add the group build: some of it is C
#            Without a group: all of them.
#   --check  install nothing, only say what is missing (exit code 1 if anything is)
set -euo pipefail
# shellcheck source=eng/lib/common.sh
source "$(dirname "$0")/lib/common.sh"

declare -A groups=(
  [build]="ca-certificates libssl3 binutils cmake gcc libc6-dev make"
  [test]="git libssl-dev qemu-user openssl gnutls-bin default-jdk-headless golang-go curl chromium iproute2 iputils-ping nftables procps python3 python3-scapy python3-cryptography-vectors tshark nfdump libfixbuf-tools openconnect iperf3 jq shellcheck util-linux openvswitch-switch-dpdk dpdk-dev ethtool strace charon-systemd strongswan-swanctl libcharon-extra-plugins libcharon-extauth-plugins libstrongswan-standard-plugins libstrongswan-extra-plugins libldns3 libevent-core-2.1-7 libevent-pthreads-2.1-7 libnss3-tools libunbound8 libwolfssl-dev libcurl3-nss chromium-driver fonts-dejavu-core prometheus python3-prometheus-client"
  [demo]="charon-systemd strongswan-swanctl libcharon-extra-plugins libstrongswan-extra-plugins openconnect iproute2 iputils-ping iperf3 curl tshark python3 openssl procps jq nftables"
  [dpdk]="libdpdk-dev dpdk pkg-config ethtool"
  [bench]="libipsec-mb-dev libssl-dev openconnect ocserv iproute2 iputils-ping iperf3 openssl gnutls-bin procps jq"
)

check_only=false
chosen=()
for argument in "$@"; do
  case $argument in
    -h | --help) print_help; exit 0 ;;
    --check) check_only=true ;;
    build | test | demo | dpdk | bench) chosen+=("$argument") ;;
    *) die "unknown argument '$argument' (see --help)" ;;
  esac
done
[[ ${#chosen[@]} -gt 0 ]] || chosen=(build test demo dpdk bench)

is_installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

command -v dpkg-query >/dev/null || die "this script knows Debian's packages only. On another system install the equivalents of: ${groups[*]}"

missing=()
for group in "${chosen[@]}"; do
  for package in ${groups[$group]}; do
    is_installed "$package" || missing+=("$package")
  done
done
readonly libreswan=/opt/cryptoplane/libreswan
unpack_libreswan=false
[[ " ${chosen[*]} " != *" test "* || -x $libreswan/usr/libexec/ipsec/pluto ]] || unpack_libreswan=true

[[ ${#missing[@]} -gt 0 || $unpack_libreswan == true ]] || { say "dependencies (${chosen[*]}): all there"; exit 0; }
if [[ ${#missing[@]} -gt 0 ]]; then
  mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
  say "missing packages: ${missing[*]}"
fi
[[ $unpack_libreswan == false ]] || say "missing files: libreswan in $libreswan"
[[ $check_only == false ]] || exit 1

as_root=()
if ! is_root; then
  command -v sudo >/dev/null || die "installing packages needs root or sudo: run this script as root"
  as_root=(sudo)
fi
# noninteractive: tshark's package would ask who may capture.
apt_get() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@"; }
apt_get update >/dev/null || warn "apt-get update failed; going on with the package lists that are there"
if [[ ${#missing[@]} -gt 0 ]]; then
  apt_get install --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get could not install: ${missing[*]} (see above)"
fi

if [[ $unpack_libreswan == true ]]; then
  packages=$(mktemp -d)
  (cd "$packages" && apt-get -q download libreswan >/dev/null) || die "apt-get could not download libreswan (see above)"
  "${as_root[@]}" mkdir -p "$libreswan"
  "${as_root[@]}" dpkg-deb --extract "$packages"/libreswan_*.deb "$libreswan"
  rm -r "$packages"
fi

# Debian starts a server when its package is installed; only the benchmark starts this one, and tests start their own switches.
if [[ " ${missing[*]} " == *" ocserv "* ]] && [[ -d /run/systemd/system ]]; then
  "${as_root[@]}" systemctl disable --now ocserv.service ocserv.socket >/dev/null 2>&1 || true
fi
if [[ " ${missing[*]} " == *" charon-systemd "* ]] && [[ -d /run/systemd/system ]]; then
  "${as_root[@]}" systemctl disable --now strongswan.service >/dev/null 2>&1 || true
fi
if [[ " ${missing[*]} " == *" openvswitch-switch-dpdk "* ]] && [[ -d /run/systemd/system ]]; then
  "${as_root[@]}" systemctl disable --now openvswitch-switch.service >/dev/null 2>&1 || true
fi
if [[ " ${missing[*]} " == *" nfdump "* ]] && [[ -d /run/systemd/system ]]; then
  "${as_root[@]}" systemctl disable --now nfdump.service >/dev/null 2>&1 || true
fi
if [[ " ${missing[*]} " == *" prometheus "* ]] && [[ -d /run/systemd/system ]]; then
  "${as_root[@]}" systemctl disable --now prometheus.service >/dev/null 2>&1 || true
fi
say "installed: ${missing[*]:-}${missing[*]:+ }$([[ $unpack_libreswan == false ]] || echo "libreswan (unpacked)")"
