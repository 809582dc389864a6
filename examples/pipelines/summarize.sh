#!/bin/sh
# summarize.sh [MODEL] [OPTION...] < TEXTS: each line said in fewer words, by the model's settings
# for summaries. Options are gen's.
case ${1-} in -?*) set -- '' "$@" ;; esac # options alone: the usual model
model=${1:-${WEFT_MODEL:-sshleifer/distilbart-cnn-12-6}}
[ $# -eq 0 ] || shift

weft tok -m "$model" --task summarization | weft gen "$@" | weft tok --decode
