#!/bin/sh
# make.sh [PART]...: makes tests/golden anew from what transformers and torch say, all of it or these
# parts (`make oracle`, `make oracle PARTS="arch parameters"`). A part is a script beside this one. What
# is there stays where it says the same but for rounding, which is another on another CPU.
set -eu
cd "$(dirname "$0")/../.."
venv=build/oracle
mkdir -p build
export PYTHONDONTWRITEBYTECODE=1
python=${ORACLE_PYTHON:-$venv/bin/python}
if [ ! -x "$python" ]; then
    python3 -m venv "$venv"
    "$python" -m pip install --quiet --requirement tests/oracle/requirements.txt
    # It asks for a later transformers than this one, and works with it.
    "$python" -m pip install --quiet --no-deps sentence-transformers==6.2.0
fi
if [ $# -eq 0 ]; then
    "$python" tests/oracle/unicode.py >build/oracle.h
    cmp -s build/oracle.h common/text/unicode_tables.h || cp build/oracle.h common/text/unicode_tables.h
    "$python" tests/oracle/normal.py >build/oracle.h
    cmp -s build/oracle.h common/text/normal/normal_tables.h || cp build/oracle.h common/text/normal/normal_tables.h
    "$python" tests/oracle/bpe_unicode.py >build/oracle.h
    cmp -s build/oracle.h common/text/bpe/bytelevel_tables.h || cp build/oracle.h common/text/bpe/bytelevel_tables.h
    "$python" tests/oracle/regex_unicode.py >build/oracle.h
    cmp -s build/oracle.h common/text/regex_tables.h || cp build/oracle.h common/text/regex_tables.h
    "$python" tests/oracle/scripts.py >build/oracle.h
    cmp -s build/oracle.h common/text/cut/cut_tables.h || cp build/oracle.h common/text/cut/cut_tables.h
    "$python" tests/oracle/folderkeys.py >build/oracle.h
    cmp -s build/oracle.h common/store/folderkeys_tables.h || cp build/oracle.h common/store/folderkeys_tables.h
    set -- models arch checkpoint heads encode tok classes decode rows real strings unigram bpe parts score \
        deal train train_models pipelines ppl generate writers default rerank folders static parameters # the others read what models makes
fi
case " $* " in
*" static "*) # what it asks wants other versions than the other parts do
    [ -d build/oracle-static ] || "$python" -m pip install --quiet --no-deps --target build/oracle-static \
        --requirement tests/oracle/static.txt
    ;;
esac
make --quiet build/tests/strings
rm -rf build/golden
cp -r tests/golden build/golden
for part; do
    "$python" "tests/oracle/$part.py"
done
"$python" tests/oracle/stable.py build/golden tests/golden
