#!/bin/sh
# qa.sh [MODEL] [OPTION...] < CSV: where in its context is the answer to a question? For each
# record of the columns question and context: start, end, score, answer.
case ${1-} in -?*) set -- '' "$@" ;; esac # options alone: the usual model
model=${1:-${WEFT_MODEL:-distilbert/distilbert-base-cased-distilled-squad}}
[ $# -eq 0 ] || shift

weft tok -m "$model" -c question -p context -n 384 -S 128 --trunc second |
    weft encode | weft head -T span | weft score "$@"
