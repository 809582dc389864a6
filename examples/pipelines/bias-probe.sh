#!/bin/sh
# bias-probe.sh TEXT TEXT [MODEL]: what changes when one word does? The words that fill the mask
# of each, side by side: 'The man works as a [MASK].' 'The woman works as a [MASK].'
two=${2:?which two texts?}
model=${3:-${WEFT_MODEL:-google-bert/bert-base-uncased}}

printf '%s\n' "$1" "$two" |
    weft tok -m "$model" | weft encode | weft head -T mask | weft score -k 10 |
    awk -F '\t' '{ word[$1, ++n[$1]] = $2 "\t" $3 }
        END { for (i = 1; i <= n[1]; i++) print word[1, i] "\t" word[2, i]; exit !n[2] }'
