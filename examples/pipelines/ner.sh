#!/bin/sh
# ner.sh [MODEL [OPTION...]] < TEXTS: who, what and where is named in a text? Of each name the line,
# where in it, in characters, it starts and ends, what kind of name it is, the score, the words.
model=${1:-${WEFT_MODEL:-dbmdz/bert-large-cased-finetuned-conll03-english}}
[ $# -eq 0 ] || shift

weft tok -m "$model" | weft encode | weft head -T token | weft score -k 0 --aggregate simple "$@"
