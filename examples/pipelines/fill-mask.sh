#!/bin/sh
# fill-mask.sh [MODEL] [OPTION...] < TEXTS: which words fit where a line says [MASK] (<mask> for
# RoBERTa)? The five likeliest: row, word, score, sentence; or of some: --targets man,woman.
case ${1-} in -?*) set -- '' "$@" ;; esac # options alone: the usual model
model=${1:-${WEFT_MODEL:-google-bert/bert-base-uncased}}
[ $# -eq 0 ] || shift

weft tok -m "$model" | weft encode | weft head -T mask | weft score -k 5 "$@"
