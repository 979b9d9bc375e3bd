# shellcheck shell=bash
# shellcheck disable=SC2154 # shared with the scripts that source this one
# Measures what a server pays for the traffic that it carries. Source it behind lab.sh.

clock_ticks=$(getconf CLK_TCK)

# Prints the user+system CPU ticks that a process, all its children and those of its children that have ended have used. PID
cpu_ticks() {
  local pid total=0 ticks
  for pid in $(process_tree "$1"); do
    # The command in brackets may hold spaces: fields are counted behind the last bracket.
    ticks=$(awk '{ sub(/^.*\) /, ""); print $12 + $13 + $14 + $15 }' "/proc/$pid/stat" 2>/dev/null) || continue
    total=$((total + ticks))
  done
  printf '%s' "$total"
}

process_tree() { # PID
  local child
  printf '%s\n' "$1"
  for child in $(pgrep -P "$1" || true); do process_tree "$child"; done
}

# Carries TCP traffic between the namespaces "user" and "server" for some seconds and appends one line to a file:
# bytes received, CPU seconds of the server, gigabits per second.
# FILE SERVER_PID INNER_SERVER_ADDRESS SECONDS up|down
carry() {
  local file=$1 pid=$2 address=$3 seconds=$4 reverse=() before after
  [[ $5 == up ]] || reverse=(-R)
  before=$(cpu_ticks "$pid")
  inside user timeout $((seconds + 10)) "${client_cpus[@]}" iperf3 --client "$address" --time "$seconds" --json "${reverse[@]}" >"$lab/iperf.json" ||
    { jq -r '.error // "iperf3 failed"' "$lab/iperf.json" >&2; return 1; }
  after=$(cpu_ticks "$pid")
  jq -r --argjson cpu "$((after - before))" --argjson clock "$clock_ticks" \
    '[.end.sum_received.bytes, $cpu / $clock, .end.sum_received.bits_per_second / 1e9] | @tsv' "$lab/iperf.json" >>"$file"
}

# Prints the median of a column of a file of carry lines: FILE cpu|rate (CPU seconds per gigabyte, gigabits per second)
median_of() {
  awk -v what="$2" '{ print what == "cpu" ? $2 / $1 * 1e9 : $3 }' "$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# Turns one carry line on standard input into words.
summary() { awk '{ printf "%.2f Gb/s at %.2f s/GB", $3, $2 / $1 * 1e9 }'; }
