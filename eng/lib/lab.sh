# shellcheck shell=bash
# A laboratory of network namespaces for the demo and the broker benchmark. Source it behind common.sh, as root.
#
# lab_start NAME makes a directory ($lab, for logs and configuration) and sees to it that on every way out of the script all
# processes, namespaces and files of the laboratory go away. The names hold this process's id, so that two runs never meet.

# From common.sh.
: "${root:?source common.sh first}" "${current_step:?}"

lab="" lab_prefix="" lab_interrupted=false
lab_pids=() lab_namespaces=()

lab_start() { # NAME
  is_root || die "network namespaces and TUN devices need root: run this script with sudo"
  [[ -c /dev/net/tun ]] || die "/dev/net/tun is missing: load the kernel module 'tun', or give the container the device"
  lab=$(mktemp -d "/tmp/cryptoplane-$1-XXXXXX")
  chmod 700 "$lab"
  lab_prefix=cp-$1-$$
  trap lab_stop EXIT
  trap 'lab_interrupted=true; exit 130' INT TERM HUP
}

lab_stop() {
  local code=$? pid namespace
  trap - EXIT
  # A second Ctrl-C must not leave half of it behind.
  trap '' INT TERM HUP
  # The last started goes first: clients say goodbye to servers that are still there.
  for ((i = ${#lab_pids[@]} - 1; i >= 0; i--)); do
    kill -TERM "${lab_pids[i]}" 2>/dev/null || true
  done
  for pid in "${lab_pids[@]}"; do lab_wait_gone "$pid" 5 || kill -KILL "$pid" 2>/dev/null || true; done
  for namespace in "${lab_namespaces[@]}"; do ip netns delete "$namespace" 2>/dev/null || true; done
  if [[ $code -ne 0 && $lab_interrupted == false ]]; then
    lab_logs
    printf '\nFAILED in the step: %s\n' "$current_step" >&2
  fi
  rm -rf "$lab"
  exit "$code"
}

# The name of a namespace of this run.
ns() { printf '%s-%s' "$lab_prefix" "$1"; }

lab_namespace() { # ROLE
  ip netns add "$(ns "$1")"
  lab_namespaces+=("$(ns "$1")")
  ip -n "$(ns "$1")" link set lo up
}

# Joins two namespaces: ROLE DEVICE ADDRESS/LENGTH ROLE DEVICE ADDRESS/LENGTH
lab_link() {
  ip -n "$(ns "$1")" link add "$2" type veth peer name "$5" netns "$(ns "$4")"
  ip -n "$(ns "$1")" addr add "$3" dev "$2"
  ip -n "$(ns "$4")" addr add "$6" dev "$5"
  ip -n "$(ns "$1")" link set "$2" up
  ip -n "$(ns "$4")" link set "$5" up
}

# Runs a command inside a namespace: ROLE COMMAND...
inside() {
  local role=$1
  shift
  ip netns exec "$(ns "$role")" "$@"
}

# Starts a command inside a namespace in the background; its output goes to $lab/LOG.log and its process id into lab_pid.
# ROLE LOG COMMAND...
lab_pid=0
lab_run() {
  local role=$1 log=$2
  shift 2
  ip netns exec "$(ns "$role")" "$@" </dev/null >>"$lab/$log.log" 2>&1 &
  lab_pid=$!
  lab_pids+=("$lab_pid")
}

# Waits until a command succeeds; fails when the time is over, or when the process that lab_run started last has ended.
# SECONDS COMMAND...
lab_until_up() {
  local seconds=$1 pid=$lab_pid
  shift
  lab_until "$seconds" lab_succeeds_or_gone "$pid" "$@" && "$@" >/dev/null 2>&1
}

lab_succeeds_or_gone() { # PID COMMAND...
  local pid=$1
  shift
  "$@" || lab_is_gone "$pid"
}

# Waits until a command succeeds: SECONDS COMMAND...
lab_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [[ $SECONDS -lt $deadline ]] || return 1
    sleep 0.1
  done
}

lab_wait_gone() { # PID SECONDS
  lab_until "$2" lab_is_gone "$1"
}

lab_is_gone() { ! kill -0 "$1" 2>/dev/null; }

# True when somebody listens on a TCP port: ROLE PORT
lab_listens() { inside "$1" ss -Hltn "sport = :$2" | grep -q .; }

# Connects the real openconnect client. ROLE LOG TUN_DEVICE URL PIN USER PASSWORD [OPTION...]
lab_openconnect() {
  local role=$1 log=$2 device=$3 url=$4 pin=$5 user=$6 password=$7
  shift 7
  ip netns exec "$(ns "$role")" openconnect --non-inter --interface "$device" --queue-len 64 "$@" \
    --script "$root/eng/lib/vpnc-script.sh" --servercert "$pin" --user "$user" --passwd-on-stdin "$url" \
    <<<"$password" >>"$lab/$log.log" 2>&1 &
  lab_pid=$!
  lab_pids+=("$lab_pid")
  lab_until_up 20 lab_has_address "$role" "$device"
}

lab_has_address() { ip -n "$(ns "$1")" -4 addr show dev "$2" | grep -q inet; }

# The cipher of a connection, from openconnect's log: LOG
suite_of() { grep -o 'ciphersuite.*' "$lab/$1.log" | grep -oiE 'AES-[0-9]+-GCM|CHACHA20-POLY1305' | head -n 1 | tr '[:upper:]' '[:lower:]'; }

# Prints the last lines of the laboratory's logs.
lab_logs() {
  local log
  for log in "$lab"/*.log; do
    [[ -s $log ]] || continue
    printf '\n--- %s\n' "${log##*/}"
    tail -n 25 "$log"
  done >&2
}

# The pin of a certificate file as openconnect wants it.
certificate_pin() {
  printf 'pin-sha256:%s' "$(openssl x509 -in "$1" -pubkey -noout | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64)"
}
