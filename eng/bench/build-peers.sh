#!/usr/bin/env bash
# usage: eng/bench/build-peers.sh DIR
#
# Builds the peers of benchmarks/native whose headers are installed: libpeer_NAME.so or peer_NAME in DIR, and nothing of an earlier build.
set -euo pipefail
# shellcheck source=eng/lib/common.sh
source "$(dirname "$0")/../lib/common.sh"

output=${1:?"where to? (see the head of this script)"}
tree=$output/build
# Always anew: a few small files, and a package may have come or gone since.
rm -rf "$tree" "$output"/libpeer_*.so "$output"/peer_*
mkdir -p "$tree"
log=$tree/log
if ! { cmake -S benchmarks/native -B "$tree" && cmake --build "$tree"; } >"$log" 2>&1; then
  cat "$log" >&2
  die "benchmarks/native does not build (see above)"
fi
for built in "$tree"/libpeer_*.so "$tree"/peer_librte_ipsec "$tree"/peer_rte_hash; do
  [[ -e $built ]] || continue
  mv "$built" "$output"
  name=${built##*peer_}
  say "built the peer ${name%.so}"
done
sed -n 's/^-- \(no .*is left out\)$/warning: \1/p' "$log" >&2
