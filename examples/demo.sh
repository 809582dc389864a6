#!/bin/sh
# demo.sh - 4,200 real tweets, a real model, and pipelines that learn to tell their mood.
# Prints every command before it runs it; `make demo` builds and fetches what it needs first.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build/demo

say() {
    printf '\n# %s\n' "$1"
}

# show_run COMMAND: prints it as one would type it, then runs it.
show_run() {
    printf '$ %s\n' "$1"
    eval "$1"
}

say 'The programs first on PATH; work in a folder of its own.'
# shellcheck disable=SC2016 # eval expands it
show_run 'PATH=$PWD/bin:$PATH; cd build/demo'

say 'Tweets with the mood that people heard in them, -4 to 4: made CSV, the mood made a label.'
show_run "awk -F '\\t' '
    BEGIN { print \"id,score,label,text\" }
    {
        sub(/\\r\$/, \"\")
        label = \$2 < -0.5 ? \"negative\" : \$2 <= 0.5 ? \"neutral\" : \"positive\"
        gsub(/\"/, \"\\\"\\\"\", \$3)
        printf \"%s,%s,%s,\\\"%s\\\"\\n\", \$1, \$2, label, \$3
    }' ../../data/vader/tweets_GroundTruth.txt > tweets.csv"
show_run 'sed 4q tweets.csv'

say 'Text to token ids, dealt into three files, the same ones for the same seed.'
show_run 'tok -m ../../model/all-MiniLM-L6-v2 -c text -l label \
    --labels negative,neutral,positive tweets.csv |
    deal -s 42 80:train.weft 10:valid.weft 10:test.weft'

say 'Ids to hidden states to one vector a tweet: computed once, used as often as one likes.'
# shellcheck disable=SC2016
show_run 'for part in train valid test; do
    encode < $part.weft | pool > $part.features
done'
show_run 'show train.features'

say 'A small network on the vectors, trained in seconds; its folder is a model like any other.'
show_run 'train --head mlp:64 --lr 1e-3 -e 15 -b 32 --best f1 -v valid.features \
    --log train.tsv --force -o sentiment train.features'

say 'The test tweets, which nothing has looked at so far.'
show_run 'head -m sentiment test.features | score --eval'

say 'From text to label in one line: ten of the test tweets.'
show_run 'head -m sentiment test.features | score --csv > test.csv'
show_run 'csvcut -c text test.csv | sed 11q |
    tok -m sentiment -c text | encode | head | score --csv | csvcut -c label,score,text'
