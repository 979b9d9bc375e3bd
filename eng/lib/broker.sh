# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with the scripts that source this one
# Starts brokers in the namespaces of a laboratory. Source it behind lab.sh.

broker=$root/samples/VpnBroker/bin/Release/net10.0/broker

# Starts a broker with $lab/NAME/broker.yaml in the namespace ROLE and waits until its control socket answers; its process id
# is in lab_pid. ROLE NAME
broker_start() {
  lab_run "$1" "$2" "${server_cpus[@]}" "$broker" run --config "$lab/$2/broker.yaml"
  lab_until_up 20 "$broker" status --json --no-users --config "$lab/$2/broker.yaml"
}

# Adds a user to a broker's users file: NAME USER PASSWORD
broker_user() { "$broker" user add "$2" --users "$lab/$1/users" <<<"$3" >/dev/null; }

# The command prefix that pins servers to a CPU; none by default.
server_cpus=()
