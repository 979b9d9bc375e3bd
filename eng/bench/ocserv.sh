# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with the scripts that source this one
# The peer of the broker benchmark: ocserv, TLS 1.3 only, no DTLS, users in a file, ending in a TUN device. Source it behind lab.sh.

# Starts ocserv in the namespace "server" on a TCP port, with an address pool whose first address is ocserv's own. Sets
# ocserv_pid and ocserv_pin. PORT NETWORK USER PASSWORD
ocserv_pid=0 ocserv_pin=""
ocserv_start() {
  local directory=$lab/ocserv
  mkdir "$directory"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=10.99.0.1 \
    -keyout "$directory/key.pem" -out "$directory/cert.pem" 2>/dev/null
  ocserv_pin=$(certificate_pin "$directory/cert.pem")
  printf '%s\n%s\n' "$4" "$4" | ocpasswd -c "$directory/users" "$3" >/dev/null
  cat >"$directory/ocserv.conf" <<END
auth = "plain[passwd=$directory/users]"
tcp-port = $1
socket-file = $directory/socket
use-occtl = false
pid-file = $directory/pid
server-cert = $directory/cert.pem
server-key = $directory/key.pem
# The suite that our broker prefers, so that both do the same work.
tls-priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM"
isolate-workers = false
run-as-user = root
run-as-group = root
device = vpns
ipv4-network = $2
predictable-ips = true
mtu = 1428
route = $2
compression = false
dpd = 120
keepalive = 3600
cookie-timeout = 600
max-same-clients = 4
rekey-time = 172800
log-level = 1
END
  lab_run server ocserv ocserv --foreground --config "$directory/ocserv.conf"
  ocserv_pid=$lab_pid
  lab_until_up 10 lab_listens server "$1"
}
