#!/bin/sh
# next-sentence.sh [MODEL] [OPTION...] < CSV: does the second sentence follow the first? For
# each record of the columns first and second: how likely it does, how likely it does not.
case ${1-} in -?*) set -- '' "$@" ;; esac # options alone: the usual model
model=${1:-${WEFT_MODEL:-google-bert/bert-base-uncased}}
[ $# -eq 0 ] || shift

weft tok -m "$model" -c first -p second | weft encode | weft head -T next | weft score "$@"
