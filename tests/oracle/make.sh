#!/bin/sh
# Makes tests/golden anew from what transformers and torch say (`make oracle`).
set -eu
cd "$(dirname "$0")/../.."
venv=build/oracle
python=${ORACLE_PYTHON:-$venv/bin/python}
if [ ! -x "$python" ]; then
    python3 -m venv "$venv"
    "$python" -m pip install --quiet --requirement tests/oracle/requirements.txt
fi
"$python" tests/oracle/models.py # the others read what it makes
for part in tests/oracle/*.py; do
    [ "$part" = tests/oracle/models.py ] || "$python" "$part"
done
