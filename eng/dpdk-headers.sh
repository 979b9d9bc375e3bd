#!/usr/bin/env bash
# usage: eng/dpdk-headers.sh [--keep DIR] REPOSITORY [TAG...]
#
# Compiles native/dpdk against the headers of other versions of DPDK than the one that is installed: every file to an object, with the
# warnings of CMakeLists.txt as errors. Nothing is linked or run, and of DPDK itself nothing is built, so this tells that the sources fit a
# version's interface, and no more.
#
#   REPOSITORY  a clone of DPDK's git repository, bare or not; it is only read
#   TAG         a release, such as v23.11; without one: v22.11, v23.11, v24.11 and v25.11
#   --keep DIR  leave the headers and objects in DIR, one folder for each version
#
# CC chooses the compiler. The last line says which versions compile; exit code 1 if one does not, or has no such tag.
set -euo pipefail
# shellcheck source=eng/lib/common.sh
source "$(dirname "$0")/lib/common.sh"

repository="" keep="" tags=()
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) print_help; exit 0 ;;
    --keep) keep=$(cd "$OLDPWD" && realpath -m "${2:?"--keep needs a folder"}"); shift ;;
    -*) die "unknown argument '$1' (see --help)" ;;
    *) if [[ -z $repository ]]; then repository=$(cd "$OLDPWD" && realpath -m "$1"); else tags+=("$1"); fi ;;
  esac
  shift
done
[[ -n $repository ]] || die "where is DPDK's repository? (see --help)"
git -C "$repository" rev-parse --git-dir >/dev/null 2>&1 || die "'$repository' is no git repository"
[[ ${#tags[@]} -gt 0 ]] || tags=(v22.11 v23.11 v24.11 v25.11)

work=$keep
if [[ -z $work ]]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi

# build_config VERSION: what DPDK's build would generate for x86-64, Linux and gcc, as far as its headers ask for it. rte_config.h, which is
# in the repository, has the rest.
build_config() {
  local year month minor
  IFS=.- read -r year month minor _ <<<"$1"
  cat <<CONFIG
#pragma once
#define RTE_VER_YEAR $((10#$year))
#define RTE_VER_MONTH $((10#$month))
#define RTE_VER_MINOR $((10#$minor))
#define RTE_VER_SUFFIX ""
#define RTE_VER_RELEASE 99
#define RTE_ARCH x86_64
#define RTE_ARCH_64
#define RTE_ARCH_X86 1
#define RTE_ARCH_X86_64 1
#define RTE_CACHE_LINE_SIZE 64
#define RTE_EXEC_ENV RTE_ENV_LINUX
#define RTE_EXEC_ENV_LINUX 1
#define RTE_ENV_FREEBSD 0
#define RTE_ENV_LINUX 1
#define RTE_ENV_WINDOWS 2
#define RTE_TOOLCHAIN "gcc"
#define RTE_TOOLCHAIN_GCC 1
#define RTE_MAX_ETHPORTS 32
#define RTE_MAX_LCORE 128
#define RTE_MAX_NUMA_NODES 32
#define RTE_MAX_MEM_MB 524288
#define RTE_MAX_VFIO_GROUPS 64
#define RTE_MBUF_REFCNT_ATOMIC
#define RTE_PKTMBUF_HEADROOM 128
#define RTE_LIB_CRYPTODEV 1
#define RTE_LIB_ETHDEV 1
#define RTE_LIB_SECURITY 1
#define RTE_LIB_IPSEC 1
#define RTE_IOVA_AS_PA 1
#define RTE_IOVA_IN_MBUF 1
CONFIG
}

sources=(native/dpdk/src/*.c)
warnings=(-Wall -Wextra -Wshadow -Werror)
compiled=() failed=()
for tag in "${tags[@]}"; do
  step "$tag"
  tree=$work/$tag
  mkdir -p "$tree"
  if ! version=$(git -C "$repository" show "$tag:VERSION" 2>/dev/null); then
    warn "'$repository' has no $tag"
    failed+=("$tag")
    continue
  fi
  git -C "$repository" archive "$tag" config/rte_config.h lib | tar -x -C "$tree" --wildcards '*.h'
  build_config "$version" >"$tree/config/rte_build_config.h"
  includes=(-isystem "$tree/config" -isystem "$tree/lib/eal/include" -isystem "$tree/lib/eal/linux/include" -isystem "$tree/lib/eal/x86/include")
  for library in "$tree"/lib/*/; do includes+=(-isystem "$library"); done
  ok=true
  for source in "${sources[@]}"; do
    "${CC:-cc}" -std=gnu17 -O2 -fPIC -march=corei7 -mrtm "${warnings[@]}" -DALLOW_EXPERIMENTAL_API -include rte_config.h "${includes[@]}" \
      -Inative/dpdk/include -Inative/aead/include -c "$source" -o "$tree/$(basename "$source").o" || ok=false
  done
  if [[ $ok == true ]]; then
    compiled+=("$tag (DPDK $version)")
    say "${#sources[@]} files compile against DPDK $version"
  else
    failed+=("$tag")
  fi
done

say ""
if [[ ${#failed[@]} -gt 0 ]]; then die "does not compile: ${failed[*]}; compiles: ${compiled[*]:-none}"; fi
printf -v list '%s, ' "${compiled[@]}"
say "compiles against ${list%, }"
