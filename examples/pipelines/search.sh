#!/bin/sh
# search.sh TEXTS [MODEL] < QUERIES: which five lines of TEXTS are closest in meaning to a
# query? Row, rank, cosine, text. The vectors stay in TEXTS.weft until TEXTS is newer.
texts=${1:?which file of texts?}
model=${2:-${WEFT_MODEL:-sentence-transformers/all-MiniLM-L6-v2}}

if [ ! -e "$texts.weft" ] || [ -n "$(find "$texts" -newer "$texts.weft")" ]; then
    weft tok -m "$model" "$texts" | weft encode | weft pool > "$texts.new" || exit
    mv "$texts.new" "$texts.weft" || exit
fi
weft tok -m "$model" | weft encode | weft pool | weft near -k 5 "$texts.weft"
