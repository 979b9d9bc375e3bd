#!/usr/bin/env bash
# usage: eng/test.sh [--quick] [--filter WORD] [--no-install]
#
# Installs what the tests need, restores the test vectors, builds everything in Release with warnings as errors, and runs
# the tests of native/aead (by ctest) and every test program under tests/. Without root (or sudo that does not ask) the tests that need it are
# skipped, with the reason; with the environment variable CI=true whatever is missing is a failure.
#
#   --quick        leave out the tests marked [Trait("Speed", "slow")], and those that ctest knows by the label "slow"
#   --filter WORD  run only the tests whose full name contains WORD
#   --no-install   install nothing
#
# The last line is always "N passed, M failed, K skipped". The exit code is 0 only if tests
# ran and nothing failed.
set -euo pipefail
# shellcheck source=eng/lib/common.sh
source "$(dirname "$0")/lib/common.sh"

# Longest run of one test program in seconds: a hang becomes a failure that names the program.
program_limit=900

quick=false filter="" install=true
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) print_help; exit 0 ;;
    --quick) quick=true ;;
    --filter) filter=${2:?"--filter needs a word"}; shift ;;
    --no-install) install=false ;;
    *) die "unknown argument '$1' (see --help)" ;;
  esac
  shift
done

passed=0 failed=0 skipped=0 tests_run=0
failures=()
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

finish() {
  if [[ ${#failures[@]} -gt 0 ]]; then
    step "Failures"
    printf '  %s\n' "${failures[@]}"
  fi
  say ""
  say "$passed passed, $failed failed, $skipped skipped"
  [[ $failed -eq 0 && $tests_run -gt 0 ]] || exit 1
  exit 0
}

fail() {
  failed=$((failed + 1))
  failures+=("$1")
}

# attribute FILE NAME: the sum of an attribute over a result file's <assembly> elements.
attribute() { grep -o '<assembly [^>]*' "$1" | grep -o " $2=\"[0-9]*\"" | tr -dc '0-9\n' | awk '{ sum += $1 } END { print sum + 0 }'; }

# names FILE RESULT: the names of the tests that ended like that.
names() { grep -o "<test [^>]*result=\"$2\"" "$1" | sed -E 's/.* name="([^"]*)".*/\1/; s/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g' || true; }

run_program() { # PROJECT_DIRECTORY shared|own: the tests that share a process, or those that ask for one of their own
  local name=${1##*/} seconds=$SECONDS code=0
  local program=$1/bin/Release/net10.0/$name report=$results/$name.$2.xml
  local options=(-noColor -noLogo -noAutoReporters -xml "$report" -longRunning 60)
  if [[ $2 == own ]]; then options+=(-trait "Process=own"); else options+=(-trait- "Process=own"); fi
  [[ -z $filter ]] || options+=(-method "*$filter*")
  [[ $quick == false ]] || options+=(-trait- "Speed=slow")
  if ! [[ -x $program ]]; then
    fail "$name: the build made no program at $program"
    return
  fi
  timeout --kill-after=10 "$program_limit" "${as_root[@]}" "$program" "${options[@]}" 2>&1 | grep -vE '^ +(Discover|Start|Finish)|^=== TEST EXEC|^ +[A-Za-z.]+ +Total: ' || code=${PIPESTATUS[0]}
  if ! [[ -s $report ]]; then
    case $code in
      124 | 137) fail "$name: still running after $program_limit s, killed" ;;
      *) fail "$name: ended with exit code $code and without a report" ;;
    esac
    return
  fi
  local ok bad left errors
  ok=$(attribute "$report" passed) bad=$(attribute "$report" failed) left=$(attribute "$report" skipped) errors=$(attribute "$report" errors)
  tests_run=$((tests_run + ok + bad + left))
  passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + left))
  while read -r test; do [[ -z $test ]] || failures+=("$test"); done < <(names "$report" Fail)
  [[ $errors -eq 0 ]] || fail "$name: $errors errors outside of a test (see above)"
  [[ -n $filter || $((ok + bad + left)) -gt 0 ]] || fail "$name: no test ran"
  # The program fails for a reason that no test shows, such as a crash after the last test.
  [[ $code -eq 0 || $bad -gt 0 || $errors -gt 0 ]] || fail "$name: exit code $code although no test failed"
  say "   $name: $ok passed, $bad failed, $left skipped in $((SECONDS - seconds)) s"
}

# run_native: the tests in C. ctest's report has a <testcase> for each, with the status run, fail, notrun (skipped) or disabled.
run_native() {
  local report=$results/native.xml log=$results/native.log seconds=$SECONDS code=0 ok bad left test
  local options=(--timeout 600 --parallel "$(nproc)" --output-on-failure)
  [[ -z $filter ]] || options+=(--tests-regex "$filter")
  [[ $quick == false ]] || options+=(--label-exclude '^slow$')
  timeout --kill-after=10 "$program_limit" ctest --test-dir artifacts/native/build --output-junit "$report" "${options[@]}" >"$log" 2>&1 || code=$?
  [[ $code -eq 0 ]] || cat "$log"
  [[ -s $report ]] || { fail "native/aead: ctest ended with exit code $code and without a report"; return; }
  count() { grep -o '<testcase [^>]*' "$report" | grep -cE " status=\"($1)\"" || true; }
  ok=$(count run) bad=$(count fail) left=$(count 'notrun|disabled')
  tests_run=$((tests_run + ok + bad + left))
  passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + left))
  while read -r test; do [[ -z $test ]] || failures+=("native/aead: $test"); done < <(
    grep -o '<testcase [^>]*status="fail"' "$report" | sed -E 's/.* name="([^"]*)".*/\1/')
  # A skipped test's first line of output is the reason.
  awk -F '"' '/<testcase / { name = $2; skipped = /status="(notrun|disabled)"/ }
    skipped && /<system-out>/ { sub(/.*<system-out>/, ""); sub(/<.*/, ""); print "    " name " [SKIP] " $0 }' "$report"
  [[ -n $filter || $((ok + bad + left)) -gt 0 ]] || fail "native/aead: no test ran"
  [[ $code -eq 0 || $bad -gt 0 ]] || fail "native/aead: ctest ended with exit code $code although no test failed"
  say "   native/aead: $ok passed, $bad failed, $left skipped in $((SECONDS - seconds)) s"
}

step "Dependencies"
need_dotnet
if [[ $install == true ]] && ! eng/install-deps.sh build test demo dpdk; then
  ! is_ci || { fail "dependencies could not be installed"; finish; }
  warn "going on without them: the tests that need them are skipped"
fi
as_root=()
if ! is_root && can_be_root; then
  say "test programs are started with sudo: some need network namespaces and TUN devices"
  as_root=(sudo -n --preserve-env="PATH,CI,DOTNET_ROOT,DOTNET_NOLOGO" env)
fi

step "Scripts"
if command -v shellcheck >/dev/null; then
  mapfile -t scripts < <(find . \( -name .git -o -name bin -o -name obj -o -path ./vectors/data \) -prune -o -type f \( -name '*.sh' -o -path ./.ci/run \) -print | sort)
  if shellcheck -x "${scripts[@]}"; then
    passed=$((passed + 1))
    say "   shellcheck: ${#scripts[@]} scripts are clean"
  else
    fail "shellcheck: see above"
  fi
elif is_ci; then
  fail "CI=true, and shellcheck is missing: apt-get install shellcheck"
else
  skipped=$((skipped + 1))
  say "   shellcheck is missing: apt-get install shellcheck"
fi

step "Vectors"
if ! vectors/restore.sh; then
  fail "vectors/restore.sh could not restore the test vectors (see above)"
fi

step "Build (Release, warnings are errors)"
build_release CryptoPlane.sln || { fail "the build failed (see above)"; finish; }

step "native/aead"
code=0
eng/build-native.sh --tests || code=$?
case $code in
  0) run_native ;;
  3) if is_ci; then fail "CI=true, and native/aead cannot be built (see above)"; else skipped=$((skipped + 1)); fi ;;
  *) fail "native/aead: the build failed (see above)" ;;
esac

mapfile -t projects < <(find tests -mindepth 2 -maxdepth 2 -name '*Tests.csproj' -printf '%h\n' | sort)
[[ ${#projects[@]} -gt 0 ]] || { fail "no test project under tests/"; finish; }
for index in "${!projects[@]}"; do
  step "[$((index + 1))/${#projects[@]}] ${projects[$index]}"
  run_program "${projects[$index]}" shared
  # What measures the whole process (collections of its heap) is not to measure what other tests left there.
  if grep -rqF --include='*.cs' '[Trait("Process", "own")]' "${projects[$index]}"; then
    run_program "${projects[$index]}" own
  fi
done
[[ $tests_run -gt 0 ]] || fail "no test ran: does a test's name contain '$filter'?"
finish
