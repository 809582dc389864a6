#!/bin/bash
# run.sh: tests/faults.bats and tests/kills.bats with every call and 200 moments (FAULTS_ALL=1, run by
# `make faults`): what does not hold, then the figures of each sweep and all together.
set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd)
FAULTS_SUMMARY=$(mktemp)
export FAULTS_SUMMARY
trap 'rm -f "$FAULTS_SUMMARY"' EXIT
"$TOP/tests/run.sh" "$TOP/tests/faults.bats" "$TOP/tests/kills.bats"
status=$?
awk -F'\t' '
    function row(name, n, i) {
        printf "%-20s", name
        for (i = 2; i <= NF; i++) printf "%12s", n[i]
        print ""
    }
    { for (i = 2; i <= NF; i++) { at = match($i, / [0-9]+$/); head[i] = substr($i, 1, at - 1)
                                  n[i] = substr($i, at + 1); all[i] += n[i] } }
    NR == 1 { row("", head) }
    { row($1, n) }
    END { row("all", all) }' "$FAULTS_SUMMARY"
exit $status
