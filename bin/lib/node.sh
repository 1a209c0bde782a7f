# Sets $node to a Node.js that runs Parley (24.7 or newer) and $root to the checkout. Sourced by the launchers.
# The system's Node is used when it is new enough, else the one that `npm ci` brought for this OS and CPU.
root=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)
node=
for candidate in "${PARLEY_NODE:-}" "$(command -v node 2>/dev/null)" "$root"/node_modules/node-*-*/bin/node "$root"/node_modules/node-bin-*/bin/node; do
  [ -n "$candidate" ] && [ -x "$candidate" ] || continue
  version=$("$candidate" --version 2>/dev/null) || continue
  version=${version#v}
  major=${version%%.*} minor=${version#*.}
  minor=${minor%%.*}
  { [ "$major" -gt 24 ] || { [ "$major" -eq 24 ] && [ "$minor" -ge 7 ]; }; } 2>/dev/null || continue
  node=$candidate
  break
done
if [ -z "$node" ]; then
  echo "Parley needs Node.js 24.7 or newer. Run 'make install' to fetch one, or point PARLEY_NODE at one." >&2
  exit 69
fi
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/parley/compile}"
