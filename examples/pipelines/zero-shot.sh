#!/bin/sh
# zero-shot.sh A,B,... [MODEL] [OPTION...] < TEXTS: which of these classes is a text about,
# though the model was trained on none of them? For each line the likeliest, and its score.
candidates=${1:?which classes?}
shift
case ${1-} in -?*) set -- '' "$@" ;; esac # options alone: the usual model
model=${1:-${WEFT_MODEL:-facebook/bart-large-mnli}}
[ $# -eq 0 ] || shift

weft tok -m "$model" -z "$candidates" | weft encode | weft head -T class | weft score "$@"
