#!/bin/sh
# generate.sh [MODEL] [OPTION...] < TEXTS: what a language model writes behind each line. Options
# are gen's: --sample, --max-new N, -r N, ...
case ${1-} in -?*) set -- '' "$@" ;; esac # options alone: the usual model
model=${1:-${WEFT_MODEL:-openai-community/gpt2}}
[ $# -eq 0 ] || shift

weft tok -m "$model" | weft gen --prompt "$@" | weft tok --decode
