# shellcheck shell=bash
# What every script of eng/ shares. Source it; it changes into the repository.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root" || exit 1

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
# Build nodes that stay behind would hold a pipe open and make the caller wait for them.
export MSBUILDDISABLENODEREUSE=1
# ip, sysctl and the like are not on everybody's PATH in Debian.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

say() { printf '%s\n' "$*"; }
# shellcheck disable=SC2034 # lab.sh names it where something fails
current_step=start
step() {
  # shellcheck disable=SC2034
  current_step=$*
  printf '\n== %s\n' "$*"
}
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Prints the comment block at the head of the calling script, which is its help.
print_help() { sed -n '2,/^[^#]/{/^#/{s/^# \{0,1\}//;p}}' "$0"; }

is_ci() { [[ ${CI:-} == true ]]; }
is_root() { [[ $EUID -eq 0 ]]; }

# True where commands can be run as root without asking anybody.
can_be_root() { is_root || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }; }

# Goes on as root: becomes "sudo THIS_SCRIPT ARGUMENTS..." where it is not root yet.
become_root() {
  is_root && return
  command -v sudo >/dev/null || die "this needs root (network namespaces, TUN devices), and there is no sudo: run it as root"
  exec sudo env "PATH=$PATH" "$0" "$@"
}

need_dotnet() {
  command -v dotnet >/dev/null ||
    die "the .NET 10 SDK is missing: install it (https://dotnet.microsoft.com/download/dotnet/10.0) and put 'dotnet' on PATH"
  local answer
  answer=$(dotnet --version 2>&1) ||
    die "'dotnet --version' fails: is an SDK there that satisfies global.json ($(tr -d ' \n' <global.json))? It said: $answer"
}

# build_release PROJECT_OR_SOLUTION: builds it with warnings as errors. Shows the output only where that fails, and fails then.
# One compiler server for all projects, even where the environment says otherwise: most of a compiler's time is its start and its
# analyzers'. In CI it does not stay behind.
build_release() {
  local log
  log=$(mktemp)
  if ! dotnet build "$1" -c Release -v minimal --nologo -p:UseSharedCompilation=true -warnaserror \
    '-warnnotaserror:NU1603;NU1901;NU1902;NU1903;NU1904' >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    say "the build of $1 failed (see above)" >&2
    return 1
  fi
  ! is_ci || dotnet build-server shutdown --vbcscompiler >/dev/null 2>&1 || true
  # What a successful build has to say: that a native library is missing.
  grep -o 'native/[a-z]* is not built.*' "$log" | sort -u || true
  rm -f "$log"
  say "built $1"
}
