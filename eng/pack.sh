#!/usr/bin/env bash
# usage: eng/pack.sh [--output DIRECTORY] [--version VERSION] [--work DIRECTORY]
#
# Makes the NuGet packages CryptoPlane and CryptoPlane.Tls, .Tls.Streams, .Tls.AspNetCore, .Esp, .Ike, .IO and .Ipfix with their
# symbol packages (.snupkg), and the debugging symbols of the native library. From the same sources and tools it makes the same bytes,
# wherever the repository lies.
#
#   --output DIRECTORY  where they go (artifacts/packages)
#   --version VERSION   instead of the one in Directory.Build.props
#   --work DIRECTORY    where the assemblies are built, apart from those of "dotnet build" (artifacts/pack)
set -euo pipefail
called_from=$PWD
# shellcheck source=eng/lib/common.sh
source "$(dirname "$0")/lib/common.sh"

absolute() { (cd "$called_from" && realpath -m -- "$1"); }

output=$root/artifacts/packages work=$root/artifacts/pack properties=()
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) print_help; exit 0 ;;
    --output) output=$(absolute "${2:?"--output needs a directory"}"); shift ;;
    --version) properties+=("-p:Version=${2:?"--version needs a version"}"); shift ;;
    --work) work=$(absolute "${2:?"--work needs a directory"}"); shift ;;
    *) die "unknown argument '$1' (see --help)" ;;
  esac
  shift
done

need_dotnet
eng/build-native.sh || die "the packages contain the native library, which cannot be built here"
mkdir -p "$output"
# The time that the packages' entries get: the commit's, or else the first one that a zip archive can express.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 315532800)}
export SOURCE_DATE_EPOCH
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! dotnet pack eng/packages.slnf -c Release -v minimal --nologo -warnaserror --output "$output" --artifacts-path "$work" \
  -p:ContinuousIntegrationBuild=true "${properties[@]}" >"$log" 2>&1; then
  cat "$log" >&2
  die "dotnet pack failed (see above)"
fi
# A symbol package takes portable PDBs only. The library's symbols lie next to the packages: gdb and perf find them by the library's
# debug link when they are put beside it.
cp artifacts/native/linux-x64/libcryptoplane_aead.so.dbg "$output/"
grep -o "Successfully created package '.*'" "$log" | sed "s/.*'\(.*\)'/packed \1/"
