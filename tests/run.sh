#!/bin/bash
# run.sh [--list] [FILE.bats | PROGRAM]...: the tests, several files at a time (JOBS, default the
# cores). Says what failed; the last line is `N passed, M failed` and `, K skipped` where any were.
# --list: only says what it would run.
# Without arguments: all of tests/*.bats, the unit tests $WEFT_UNIT/*_test, a program each, and
# where the CUDA stand-in is built, those of kernels once more with WEFT_DEVICE=cuda on it
# (cuda:FILE.bats; WEFT_STANDIN=0 leaves them out).
set -u
TOP=$(cd "$(dirname "$0")/.." && pwd)
standin=${WEFT_UNIT:-$TOP/build/tests}/standin/weft-cuda.so
export TOP taps standin WEFT_BIN=${WEFT_BIN:-$TOP/bin} WEFT_UNIT=${WEFT_UNIT:-$TOP/build/tests}

# one FILE: writes its TAP; a unit test is one line of it, with what it said.
one() {
    local name out
    name=$(basename "$1")
    if [[ $1 == cuda:* ]]; then
        export WEFT_DEVICE=cuda WEFT_CUDA_LIB=$standin
        set -- "${1#cuda:}"
        name=cuda:$name
    fi
    out=$taps/$name.tap
    case $1 in
    *.bats)
        bats --formatter tap "$1" >"$out" 2>&1 ||
            grep -q '^not ok' "$out" || echo "not ok 0 $name: bats itself failed" >>"$out"
        ;;
    *)
        mkdir "$out.d"
        if (cd "$out.d" && "$1") >"$out.said" 2>&1; then
            echo "ok 1 $name" >"$out"
        else
            { echo "not ok 1 $name: exit $?"; sed 's/^/# /' "$out.said" | tail -n 40; } >"$out"
        fi
        ;;
    esac
    summary "$name" "$out"
}

count() {
    cat -- "$@" | awk '
        /^not ok / { failed++; next }
        /^ok .* # skip/ { skipped++; next }
        /^ok / { passed++ }
        END { printf "%d passed, %d failed", passed, failed
              if (skipped) printf ", %d skipped", skipped
              print "" }'
}

summary() {
    printf '%-20s %s\n' "$1" "$(count "$2")"
    # A failure with what bats said of it; everything if a file could not be run at all.
    awk '/^(ok|not ok|1\.\.)/ { on = /^not ok/ } on' "$2"
    grep -q '^not ok 0' "$2" && cat "$2"
    return 0
}
export -f one count summary

list=
if [ "${1-}" = --list ]; then
    list=1
    shift
fi
again=()
if [ $# -eq 0 ]; then
    shopt -s nullglob
    set -- "$TOP"/tests/*.bats "$WEFT_UNIT"/*_test
    # Those whose numbers the kernels make, the slowest first.
    if [ -e "$standin" ] && [ "${WEFT_STANDIN:-1}" != 0 ] && [ "${WEFT_DEVICE:-cpu}" = cpu ]; then
        for name in bits golden heads gen-few encode embed pool; do
            again+=("cuda:$TOP/tests/$name.bats")
        done
    fi
fi
if [ "$list" ]; then
    printf '%s\n' "$@"
    exit
fi
taps=$(mktemp -d)
trap 'rm -rf "$taps"' EXIT
begin=$SECONDS
{
    [ ${#again[@]} -eq 0 ] || printf '%s\0' "${again[@]}"
    realpath -z -- "$@"
} | xargs -0 -P "${JOBS:-$(nproc)}" -I{} bash -c 'one "$1"' one {}
skips=$(cat "$taps"/*.tap | sed -n 's/^ok .* # skip *//p' | sort | uniq -c)
[ -z "$skips" ] || printf 'skipped:\n%s\n' "$skips"
echo "$((SECONDS - begin)) s"
total=$(count "$taps"/*.tap)
echo "$total"
case $total in
0\ passed*) exit 1 ;;
*" 0 failed"*) exit 0 ;;
*) exit 1 ;;
esac
