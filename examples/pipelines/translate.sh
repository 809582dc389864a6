#!/bin/sh
# translate.sh [TASK [MODEL [OPTION...]]] < TEXTS: each line in another language. TASK is one of the
# model's config.json (translation_en_to_fr); - for a model that only translates. Options are gen's.
task=${1:-translation_en_to_fr}
model=${2:-${WEFT_MODEL:-google-t5/t5-base}}
[ $# -eq 0 ] || shift
[ $# -eq 0 ] || shift

if [ "$task" = - ]; then
  weft tok -m "$model"
else
  weft tok -m "$model" --task "$task"
fi | weft gen "$@" | weft tok --decode
