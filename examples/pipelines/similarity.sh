#!/bin/sh
# similarity.sh TEXT TEXT [MODEL]: how close are two texts in meaning? The cosine of their
# vectors, 1 for the same text.
two=${2:?which two texts?}
model=${3:-${WEFT_MODEL:-sentence-transformers/all-MiniLM-L6-v2}}
one=$(mktemp) || exit
trap 'rm -f "$one"' EXIT

printf '%s\n' "$1" | weft tok -m "$model" | weft encode | weft pool > "$one" || exit
printf '%s\n' "$two" | weft tok -m "$model" | weft encode | weft pool | weft near "$one" |
    awk -F '\t' '{ print $3 } END { exit !NR }'
