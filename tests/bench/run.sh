#!/bin/bash
# run.sh [cpu|cold|memory|accuracy|gflops|thin|wordpiece|bpe|unigram|static|tasks|rerank|ppl|gen|argmax|train|learn]...:
# weft beside its peers, as Markdown; without arguments all of it, which takes more than an hour. The peers come
# from PyPI into build/bench.
#
# ROUNDS (5), ROWS (2048), THREADS (the cores), TWEETS (a CSV with a column text; default the
# airline tweets beside the checkout, else the VADER tweets), MEMORY_ROWS ("10000 1000000"),
# PEERS (all of them; names as in peers.py), BENCH_PYTHON (a Python that has the peers).
set -euo pipefail
cd "$(dirname "$0")/../.."
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE WEFT_THREADS WEFT_MODEL # as a user's shell has them
export PATH=${WEFT_BIN:-$PWD/bin}:$PATH
alone=${WEFT_UNIT:-$PWD/build/tests} # what measures products alone
venv=build/bench/venv
[ $# -gt 0 ] || set -- gflops thin wordpiece bpe unigram static cpu cold memory tasks rerank ppl gen argmax train learn accuracy

if [ -z "${BENCH_PYTHON-}" ]; then
    BENCH_PYTHON=$venv/bin/python
    if [ ! -e "$venv/ready" ]; then
        python3 -m venv "$venv"
        "$BENCH_PYTHON" -m pip install --quiet --requirement tests/bench/requirements.txt
        # It asks for a later transformers than this one, and works with it.
        "$BENCH_PYTHON" -m pip install --quiet --no-deps sentence-transformers==6.2.0
        touch "$venv/ready"
    fi
fi
# It asks for another huggingface-hub than transformers' here, and works with that one.
if [[ " $* " == *" static "* ]] && [ ! -d build/bench/model2vec ]; then
    "$BENCH_PYTHON" -m pip install --quiet --no-deps --target build/bench/model2vec model2vec==0.10.0 joblib==1.6.0
fi
[ -e model/all-MiniLM-L6-v2/model.safetensors ] && [ -d data/vader ] || make -s model tweets
for part; do
    if [ "$part" = gflops ] || [ "$part" = thin ]; then
        "$alone/$part" 1
        echo
        "$alone/$part" "${THREADS:-$(nproc)}"
    elif [ "$part" = learn ]; then
        tests/bench/learn.sh
    elif [ -e "tests/bench/$part.py" ] && [ "$part" != cold ]; then
        "$BENCH_PYTHON" "tests/bench/$part.py"
    else
        "$BENCH_PYTHON" tests/bench/bench.py "$part"
    fi
    echo
done
