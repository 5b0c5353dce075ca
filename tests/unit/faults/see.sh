#!/bin/sh
# SPDX-License-Identifier: MIT
#
#     see.sh PROGRAM...
#
# Each program is the walk of the exchanges with one fault in the code under test. It must fail because of a
# check of the walk or an assertion. Meson names the emulator if this machine cannot execute the programs.
unseen=0
for program; do
        name=${program##*/exchange-fault-}
        if out=$($MESON_EXE_WRAPPER "$program" 2>&1); then
                echo "$name: the walk does not see it, or its patch does not apply"
                unseen=$((unseen + 1))
        elif ! echo "$out" | grep -m 1 -E '^step |Assertion' | sed "s|^|$name: |" | grep .; then
                echo "$name: the program fails, and no check has seen it"
                echo "$out"
                unseen=$((unseen + 1))
        fi
done
[ "$unseen" -eq 0 ]
