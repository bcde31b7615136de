# shellcheck shell=bash
# Shared by the set-up scripts; sourced, never run. Expects bash with `set -euo pipefail`.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
logs="$root/build/logs"
mkdir -p "$logs"

say() { printf '%s\n' "$*" >&2; }

# What is wrong, and below it what to do about it.
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  local line
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit 1
}

# version_at_least 2.26.1-4 2.24
version_at_least() { [ "$(printf '%s\n%s\n' "${1#v}" "$2" | sort -V | head -n 1)" = "$2" ]; }

is_root() { [ "$(id -u)" -eq 0 ]; }

# `debian:12:bookworm`, `ubuntu:24.04:noble`; derivatives answer with the first of their parents that is known.
distribution() {
  (
    . /etc/os-release 2>/dev/null || true
    for id in ${ID:-unknown} ${ID_LIKE:-}; do
      case "$id" in debian | ubuntu) break ;; esac
    done
    printf '%s:%s:%s\n' "${id:-unknown}" "${VERSION_ID:-0}" "${VERSION_CODENAME:-}"
  )
}

# pgrep is not on every minimal system.
dockerd_runs() { grep -qsx dockerd /proc/[0-9]*/comm; }

# Runs apt-get quietly; its own words are in build/logs/apt.log and are shown when it fails.
run_apt() {
  local log="$logs/apt.log"
  if ! DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 -y "$@" \
    >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    fail "apt-get $* failed" "all of its output: $log"
  fi
}

# The package lists are fetched once per run, and only when something has to be installed.
apt_lists_fetched=
apt_install() {
  if [ -z "$apt_lists_fetched" ]; then
    run_apt update
    apt_lists_fetched=yes
  fi
  run_apt install --no-install-recommends "$@"
}

# Makes Debian 13's packages known to a Debian 12, pinned so low that only what is asked for by name comes from there.
add_trixie_source() {
  [ -e /etc/apt/sources.list.d/smesh-trixie.sources ] && return
  cat >/etc/apt/preferences.d/smesh-trixie <<'PIN'
Package: *
Pin: release n=trixie
Pin-Priority: 50
PIN
  cat >/etc/apt/sources.list.d/smesh-trixie.sources <<'SOURCE'
Types: deb
URIs: http://deb.debian.org/debian
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCE
  apt_lists_fetched=
  say "apt: added Debian 13 (trixie) as a source, pinned at priority 50"
}
