#!/bin/sh
# SPDX-License-Identifier: MIT
#
#     apply.sh SOURCE PATCH OUTPUT
#
# A copy of the source with the fault in it. Where the patch does not apply, the copy is the source: then the walk finds
# nothing, and faults/see.sh fails.
patch --quiet --force --no-backup-if-mismatch --reject-file=- --output="$3" "$1" "$2" || {
        echo "$2 does not apply to $1" >&2
        cp "$1" "$3"
}
