#!/bin/sh
# translate.sh [TASK] [MODEL] [OPTION...] < TEXTS: each line in another language. TASK is one of the
# model's config.json (translation_en_to_fr); - for a model that only translates. Options are gen's.
case ${1-} in -?*) set -- '' "$@" ;; esac # options alone: the usual task and model
task=${1:-translation_en_to_fr}
[ $# -eq 0 ] || shift
case ${1-} in -?*) set -- '' "$@" ;; esac
model=${1:-${WEFT_MODEL:-google-t5/t5-base}}
[ $# -eq 0 ] || shift
[ "$task" != - ] || task=

weft tok -m "$model" ${task:+--task "$task"} | weft gen "$@" | weft tok --decode
