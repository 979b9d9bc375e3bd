#!/usr/bin/env bash
# Fills vectors/data (which is not in git) with the test vectors of manifest.json and verifies every file's SHA-256.
#
# usage: vectors/restore.sh
#
# A file is taken from the first place that has it:
#   1. vectors/data itself, from an earlier run
#   2. ../shared/<source>, beside the repository
#   3. the Debian package that manifest.json names
#   4. the public git repository, at the commit that manifest.json pins
# Exit code 0: everything is there and right. 1: something is missing or wrong, and the output says what to do.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
manifest=$here/manifest.json
problems=0

command -v jq >/dev/null || { echo "restore.sh needs jq: apt-get install jq" >&2; exit 1; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

problem() {
  echo "restore.sh: $*" >&2
  problems=$((problems + 1))
}

# matches FILE SHA256: the file is there and right.
matches() {
  [[ -f $1 ]] && [[ $(sha256sum <"$1" | cut -d' ' -f1) == "$2" ]]
}

# clone REPOSITORY COMMIT PATH DIRECTORY: checks out one folder of one commit, without the history.
clone() {
  command -v git >/dev/null || { echo "restore.sh: git is missing: apt-get install git" >&2; return 1; }
  git init -q "$4" &&
    git -C "$4" sparse-checkout set "$3" &&
    git -C "$4" fetch -q --depth 1 --filter=blob:none "$1" "$2" &&
    git -C "$4" -c advice.detachedHead=false checkout -q FETCH_HEAD
}

while read -r source; do
  field() { jq -r ".$1 // empty" <<<"$source"; }
  name=$(field name)
  data=$here/data/$name
  places=("$data" "$here/../../shared/$(field shared)")
  [[ -n $(field packagePath) ]] && places+=("$(field packagePath)")
  mkdir -p "$data"

  cloned=
  restored=0
  while IFS=$'\t' read -r file sha256; do
    found=
    for place in "${places[@]}"; do
      matches "$place/$file" "$sha256" && found=$place/$file && break
    done
    if [[ -z $found && -z $cloned && -n $(field repository) ]]; then
      cloned=yes
      echo "$name: fetching $(field repository) at $(field commit)"
      if clone "$(field repository)" "$(field commit)" "$(field path)" "$scratch/$name"; then
        places+=("$scratch/$name/$(field path)")
        matches "${places[-1]}/$file" "$sha256" && found=${places[-1]}/$file
      else
        problem "$name: $(field repository) could not be fetched: check the network, or put the files into ../shared/$(field shared)"
      fi
    fi
    if [[ -z $found ]]; then
      rm -f "$data/$file"
      if [[ -n $(field package) ]]; then
        problem "$name/$file is missing or has another SHA-256: apt-get install $(field package) (or run eng/install-deps.sh)"
      else
        problem "$name/$file is missing or has another SHA-256 than manifest.json says ($sha256)"
      fi
      continue
    fi
    [[ $found == "$data/$file" ]] || cp "$found" "$data/$file"
    chmod u+w "$data/$file"
    restored=$((restored + 1))
  done < <(jq -r '.files[] | [.name, .sha256] | @tsv' <<<"$source")
  echo "$name: $restored of $(jq '.files | length' <<<"$source") files verified in vectors/data/$name"
done < <(jq -c '.sources[]' "$manifest")

((problems == 0))
