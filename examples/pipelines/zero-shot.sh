#!/bin/sh
# zero-shot.sh A,B,... [MODEL [OPTION...]] < TEXTS: which of these classes is a text about,
# though the model was trained on none of them? For each line the likeliest, and its score.
candidates=${1:?which classes?}
model=${2:-${WEFT_MODEL:-facebook/bart-large-mnli}}
shift
[ $# -eq 0 ] || shift

weft tok -m "$model" -z "$candidates" | weft encode | weft head -T class | weft score "$@"
