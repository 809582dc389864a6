#!/bin/sh
# perplexity.sh [MODEL] [OPTION...] < TEXTS: how likely does a language model find each line?
# Row, tokens, mean negative log likelihood, perplexity; then those of all lines.
case ${1-} in -?*) set -- '' "$@" ;; esac # options alone: the usual model
model=${1:-${WEFT_MODEL:-openai-community/gpt2}}
[ $# -eq 0 ] || shift

weft tok -m "$model" -n 0 | weft ppl "$@"
