#!/usr/bin/env bash
# usage: eng/rfc-coverage.sh [--open]
#
# Says how RFC 8446 (TLS 1.3) is covered, section by section:
#   code     places in src/CryptoPlane.Tls that name the section in a comment
#   tests    places in tests/CryptoPlane.Tls.Tests that name it
#   demands  what the section demands on the wire, as eng/rfc8446-musts.txt lists it, and how many of them the list's tests show
# Then the demands without a test, and those whose test is not where the list says.
#
#   --open   only what is open
#
# The exit code is 1 if the list names a test that does not exist; demands without a test are told, and no failure.
set -euo pipefail
# shellcheck source=eng/lib/common.sh
source "$(dirname "$0")/lib/common.sh"

only_open=false
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) print_help; exit 0 ;;
    --open) only_open=true ;;
    *) die "unknown argument '$1' (see --help)" ;;
  esac
  shift
done

list=eng/rfc8446-musts.txt source=src/CryptoPlane.Tls tests=tests/CryptoPlane.Tls.Tests

# sections DIRECTORY: the section of RFC 8446 that each place names, one per line. A § belongs to the RFC that was named before it in its
# line or, in a comment of several lines, in the lines above.
sections() {
  # shellcheck disable=SC2016 # awk's own
  find "$1" -name '*.cs' -not -path '*/obj/*' -not -path '*/bin/*' -not -path '*/Dtls/*' -print0 | sort -z | xargs -0 awk '
    FNR == 1 { rfc = "" }
    !/^[ \t]*\/\// { rfc = "" }
    {
      rest = $0
      while (match(rest, /RFC [0-9]+|§[A-E]?\.?[0-9]+(\.[0-9]+)*/)) {
        token = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        if (token ~ /^RFC/) { rfc = substr(token, 5); continue }
        sub(/^§/, "", token)
        if (rfc == "8446") print token
      }
    }'
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sections "$source" >"$work/code"
sections "$tests" >"$work/tests"

# Each demand becomes "section|state|demand|where", with the state shown, open, away (not here) or lost (no such test).
: >"$work/demands"
while IFS='|' read -r section demand where; do
  section=${section// /} demand=${demand# } where=${where# }
  demand=${demand% }
  [[ -n $section && $section != \#* ]] || continue
  case $where in
    open) state=open ;;
    "not here: "*) state=away ;;
    *": "*)
      state=lost
      if [[ -f $tests/${where%%: *} ]] && grep -qF -- "${where#*: }" "$tests/${where%%: *}"; then state=shown; fi
      ;;
    *) die "$list: '$where' is neither a test nor open" ;;
  esac
  printf '%s|%s|%s|%s\n' "$section" "$state" "$demand" "$where" >>"$work/demands"
done <"$list"

if [[ $only_open == false ]]; then
  printf '%-10s %6s %6s   %s\n' section code tests demands
  { cat "$work/code" "$work/tests"; cut -d '|' -f 1 "$work/demands"; } | sort -uV | while read -r section; do
    code=$(grep -cxF -- "$section" "$work/code" || true)
    test=$(grep -cxF -- "$section" "$work/tests" || true)
    all=$(awk -F '|' -v s="$section" '$1 == s && $2 != "away"' "$work/demands" | wc -l)
    shown=$(awk -F '|' -v s="$section" '$1 == s && $2 == "shown"' "$work/demands" | wc -l)
    note=""
    [[ $all -eq 0 ]] || note="$shown of $all shown"
    printf '%-10s %6d %6d   %s\n' "$section" "$code" "$test" "$note"
  done
  say ""
fi
awk -F '|' '$2 == "open" { print "open: " $1 ": " $3 }' "$work/demands"
awk -F '|' '$2 == "lost" { print "no such test: " $1 ": " $3 " (" $4 ")" }' "$work/demands"
awk -F '|' '$2 == "away" && $1 != "" { print "does not concern what is built: " $1 ": " $3 " (" substr($4, 11) ")" }' "$work/demands"

count() { awk -F '|' -v s="$1" '$2 == s' "$work/demands" | wc -l; }
say "$(sort -u "$work/code" | wc -l) sections named $(wc -l <"$work/code") times in the code, $(sort -u "$work/tests" | wc -l) of them or others $(wc -l <"$work/tests") times in tests"
say "$(wc -l <"$work/demands") demands: $(count shown) shown by tests, $(count open) open, $(count lost) lost, $(count away) do not concern what is built"
[[ $(count lost) -eq 0 ]]
