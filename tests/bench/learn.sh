#!/bin/bash
# learn.sh - what learns without the model beneath it, as `tests/bench/run.sh learn` runs it: a frozen
# encoder beside one pass of `encode`, heads on vectors, and from SIGTERM to a checkpoint. Markdown,
# medians of ROUNDS (3).
#
# THREADS (the cores), LEARN_TWEETS (a CSV with text and airline_sentiment).
set -euo pipefail
threads=${THREADS:-$(nproc)} rounds=${ROUNDS:-3}
tweets=${LEARN_TWEETS:-../shared/data/Tweets.csv}
model=$PWD/model/all-MiniLM-L6-v2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# seconds COMMAND...: the median of what it takes.
seconds() {
    local i begin
    for ((i = 0; i < rounds; i++)); do
        begin=$(date +%s%N)
        "$@" >"$work/out"
        echo $(($(date +%s%N) - begin))
    done | sort -n | awk '{ t[NR] = $1 } END { printf "%.2f\n", t[int((NR + 1) / 2)] / 1e9 }'
}

how=(-q -j "$threads" --force -o "$work/o")

# From the signal to the end, in the middle of a run that would go on.
stopped() {
    train "${how[@]}" --objective class -b 32 -e 100 "$work/ids" & # itself, not a shell around it
    sleep "${BEFORE_S:-8}"
    kill -TERM $!
    date +%s%N >"$work/begin"
    wait $! || true
    ls -d "$work"/o/checkpoint-* >/dev/null
}

tok -q -m "$model" -n 64 -c text -l airline_sentiment "$tweets" | deal -n 1000:"$work/ids" 1:-
encode -q -j "$threads" "$work/ids" | pool >"$work/vectors"
for _ in 1 2 3 4 5 6 7 8 9 10 11; do cat "$work/vectors"; done >"$work/many"

echo "Heads and what is frozen, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sed 1q), $threads threads, seconds"
echo
echo '| | |'
echo '|---|---:|'
echo "| encode, 1,000 tweets | $(seconds encode -q -j "$threads" "$work/ids") |"
echo "| train --freeze encoder --head linear -e 10, the same | $(seconds train "${how[@]}" \
    --freeze encoder --head linear --objective class -b 32 -e 10 "$work/ids") |"
for head in linear mlp:64; do
    echo "| train --head $head -e 10, 11,000 vectors | $(seconds train "${how[@]}" --head $head \
        -b 32 -e 10 "$work/many") |"
done
stopped
echo "| from SIGTERM to a checkpoint and the end | $(awk -v a="$(cat "$work/begin")" -v b="$(date +%s%N)" \
    'BEGIN { printf "%.2f", (b - a) / 1e9 }') |"
