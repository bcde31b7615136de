# shellcheck shell=bash disable=SC2154 # root and logs come from common.sh
# Sourced after common.sh: ensure_node puts a Node.js that is new enough, and its npm, on PATH.

node_wanted=20.19
tools="$root/.tools"

has_node() {
  local version
  command -v npm >/dev/null || return 1
  version="$(node --version 2>/dev/null)" && version_at_least "$version" "$node_wanted"
}

use_local_node() { export PATH="$tools/node_modules/node-linux-$1/bin:$tools/node_modules/.bin:$PATH"; }

# Node.js ≥ 20.19 and npm: what is on PATH, else a copy in .tools/ from the npm registry (the packages node-linux-*
# and npm), fetched by whatever npm there is; the distribution's own is installed for that when there is none.
# Nothing that stands on the machine is replaced.
ensure_node() {
  has_node && return
  local machine
  case "$(uname -m)" in
    x86_64) machine=x64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) fail "no Node.js $node_wanted or newer, and no ready one for $(uname -m)" "install it, then run this again" ;;
  esac
  if [ -x "$tools/node_modules/node-linux-$machine/bin/node" ]; then
    use_local_node "$machine"
    has_node && return
  fi

  local found
  found="$(node --version 2>/dev/null || printf 'none')"
  if ! command -v npm >/dev/null; then
    case "$(distribution)" in
      debian:* | ubuntu:*) ;;
      *) fail "Node.js $node_wanted or newer is needed (found: $found)" "install Node.js and npm, then run this again" ;;
    esac
    is_root || fail "Node.js $node_wanted or newer is needed (found: $found)" \
      "as root: apt-get install nodejs npm (an older Node.js will do: the right one is then fetched into .tools/)"
    say "node: none found; installing the distribution's nodejs and npm"
    apt_install nodejs npm ca-certificates
    has_node && return
    found="$(node --version)"
  fi
  say "node: found $found, needs $node_wanted or newer; fetching Node.js 22 into .tools/"
  mkdir -p "$tools"
  # Its own package.json keeps npm from walking up to the project's.
  printf '{"private":true}\n' >"$tools/package.json"
  npm install --prefix "$tools" --no-save --no-audit --no-fund --loglevel=error "node-linux-$machine@22" npm@10 \
    >"$logs/node.log" 2>&1 || { tail -n 20 "$logs/node.log" >&2; fail "Node.js could not be fetched" "all output: $logs/node.log"; }
  use_local_node "$machine"
  has_node || fail "the Node.js in .tools/ does not run" "try: $tools/node_modules/node-linux-$machine/bin/node --version"
}
