#!/bin/sh
# ner.sh [MODEL] [OPTION...] < TEXTS: who, what and where is named in a text? Of each name its
# line, where in the line it starts and ends, in characters, its kind, the score, the words.
case ${1-} in -?*) set -- '' "$@" ;; esac # options alone: the usual model
model=${1:-${WEFT_MODEL:-dbmdz/bert-large-cased-finetuned-conll03-english}}
[ $# -eq 0 ] || shift

weft tok -m "$model" | weft encode | weft head -T token | weft score -k 0 --aggregate simple "$@"
