#!/bin/sh
# sentiment.sh [MODEL] [OPTION...] < TEXTS: is a line of text negative or positive? Its label
# (of whatever the model was trained to tell: topics, languages, stances) and score.
case ${1-} in -?*) set -- '' "$@" ;; esac # options alone: the usual model
model=${1:-${WEFT_MODEL:-distilbert/distilbert-base-uncased-finetuned-sst-2-english}}
[ $# -eq 0 ] || shift

weft tok -m "$model" | weft encode | weft head -T class | weft score "$@"
