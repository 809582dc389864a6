#!/bin/sh
# demo.sh - what the model that comes with weft answers, before anything is downloaded. Prints every
# command before it runs it; the first part of `make demo`.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p build/demo

# show_run COMMAND: prints it as one would type it, then runs it.
show_run() {
    printf '$ %s\n' "$1"
    eval "$1"
}

printf '\n# The programs first on PATH; work in a folder of its own.\n'
# shellcheck disable=SC2016 # eval expands it
show_run 'PATH=$PWD/bin:$PATH; cd build/demo'

printf '\n# A text in, its mood out: text to ids, to hidden states, to logits, to a label.\n'
show_run "echo 'I love this flight' | tok -m default | encode | head | score"

printf '\n# Several, as JSON, with all that the model thinks of them.\n'
show_run "printf '%s\\n' 'two hours late and nobody said why' 'the gate is B12' > lines.txt"
show_run 'tok -m default lines.txt | encode | head | score -k 0 --json'

printf '\n# What the model is.\n'
show_run 'show default | sed 9q'
