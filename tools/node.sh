#!/bin/sh
# Runs a TypeScript file of this repository with a Node.js that can.
. "$(dirname -- "$(readlink -f -- "$0")")/../bin/lib/node.sh"
exec "$node" --disable-warning=ExperimentalWarning "$@"
