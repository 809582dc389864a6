#!/bin/sh
# Makes tests/golden anew from what transformers and torch say (`make oracle`).
set -eu
cd "$(dirname "$0")/../.."
venv=build/oracle
mkdir -p build
export PYTHONDONTWRITEBYTECODE=1
python=${ORACLE_PYTHON:-$venv/bin/python}
if [ ! -x "$python" ]; then
    python3 -m venv "$venv"
    "$python" -m pip install --quiet --requirement tests/oracle/requirements.txt
fi
"$python" tests/oracle/unicode.py >build/oracle.h
cmp -s build/oracle.h common/text/unicode_tables.h || cp build/oracle.h common/text/unicode_tables.h
"$python" tests/oracle/normal.py >build/oracle.h
cmp -s build/oracle.h common/text/normal/normal_tables.h || cp build/oracle.h common/text/normal/normal_tables.h
"$python" tests/oracle/bpe_unicode.py >build/oracle.h
cmp -s build/oracle.h common/text/bpe/bytelevel_tables.h || cp build/oracle.h common/text/bpe/bytelevel_tables.h
make --quiet build/tests/strings
for part in models arch checkpoint heads encode tok classes decode rows real strings unigram bpe score deal train train_models pipelines ppl parameters; do # the others read what models makes
    "$python" "tests/oracle/$part.py"
done
