#!/bin/bash
# SPDX-License-Identifier: MIT
#
# probes.sh GEMGATED SRC: the program's USDT probes (readelf -n) are the points that the source traces, no more and no
# fewer, docs/DEBUGGING.md lists them, and each has at least the request's id as an argument.
set -euo pipefail

notes=$(readelf -n "$1")
wanted=$(grep -rhoP '^\s+trace(_probe)?\(\K[a-z_]+(?=,)' "$2" --include='*.c' | sort -u)
found=$(sed -n '/Provider: gemgate/{n;s/ *Name: //p}' <<<"$notes" | sort -u)
documented=$(sed -n '/^| probe /,/^$/p' "$2/../docs/DEBUGGING.md" | sed 's/|[^|]*|$//' | grep -o '`[a-z_]*`' | tr -d '`' | sort -u)
[ -n "$wanted" ] || { echo "no trace() was found in $2" >&2; exit 1; }
diff <(echo "$wanted") <(echo "$found")
diff <(echo "$wanted") <(echo "$documented")
without=$(grep -A3 'Provider: gemgate' <<<"$notes" | grep -c 'Arguments: *$' || true)
[ "$without" = 0 ] || { echo "$without probes have no arguments" >&2; exit 1; }
