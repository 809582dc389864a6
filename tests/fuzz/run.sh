#!/bin/bash
# run.sh SECONDS JOBS NAME...: each fuzzer for so long, several at a time: a line each with what it
# ran, how much of the code that reached and what it found (`not ok`). Inputs found lie in
# build/fuzz/finds/NAME, what was said of them in build/fuzz/log/NAME; the corpus grows in
# build/fuzz/corpus/NAME. Exit 1 where anything was found. Run by `make fuzz`.
# With FUZZ_SEED=N a fuzzer makes the same inputs in the same order each time, from the seeds alone,
# and stops at the first find or after 20,000 inputs: a check that fails by a change, not by luck.
set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd)
cd "$TOP" || exit 1
seconds=$1 jobs=$2
shift 2
here=build/fuzz
at=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)")
trap 'rm -rf "$at"' EXIT
export TOP here seconds at

# Longest input of a surface, in bytes.
longest() {
  case $1 in
  tokenizer | tokfiles | jsonscan) echo 40000 ;;
  spiece) echo 20000 ;;
  torch | pickle | folder | filters | score) echo 16000 ;;
  text-* | csv | jsonlines | conll | rows) echo 1000 ;;
  *) echo 8000 ;;
  esac
}

# one NAME: those inputs that were finds before, then new ones.
one() {
  local name=$1 log=$here/log/$1 finds=$here/finds/$1 corpus=$here/corpus/$1 limits how f
  rm -rf "$finds"
  limits=(-timeout=1) how=(-fork=1 -ignore_crashes=1 -ignore_ooms=1 -ignore_timeouts=1)
  if [ -n "${FUZZ_SEED:-}" ]; then # a clock that others' work moves decides nothing
    limits=(-timeout=60 -report_slow_units=60) how=("-seed=$FUZZ_SEED" -runs=20000) corpus=$at/$name.new
  fi
  mkdir -p "$finds" "$corpus" "$here/log" "$at/$name"
  export TMPDIR=$at/$name
  export ASAN_OPTIONS=allocator_may_return_null=0
  limits+=(-rss_limit_mb=1024 "-artifact_prefix=$finds/")
  : >"$log"
  for f in tests/fuzz/corpus/"$name"/*; do
    [ ! -e "$f" ] || "$here/fuzzers/$name" "${limits[@]}" "$f" >>"$log" 2>&1 || cp "$f" "$finds/"
  done
  "$here/fuzzers/$name" "${limits[@]}" -max_len="$(longest "$name")" -max_total_time="$seconds" \
    "${how[@]}" "$corpus" "$here/seeds/$name" >>"$log" 2>&1
  awk -v name="$name" -v finds="$(find "$finds" -type f | wc -l)" '
    /^#[0-9]+.* cov: / { runs = $1; for (i = 2; i < NF; i++) if ($i == "cov:") cov = $(i + 1) }
    END { gsub(/[#:]/, "", runs)
          printf "%-16s %9d executions  %5d edges  %d finds\n", name, runs, cov, finds }' "$log"
  if [ -n "$(find "$finds" -type f -print -quit)" ]; then
    echo "not ok fuzz $name"
    find "$finds" -type f | head -n 5 | while read -r f; do
      echo "# $f"
      "$here/fuzzers/$name" "${limits[@]}" "$f" 2>&1 |
        grep -aE '^(SUMMARY|tests/fuzz/.*not so)|runtime error' | sed 's/^/#   /'
    done
    # The least of them, for a machine that nobody can look at.
    f=$(find "$finds" -type f -size -5 -printf '%s %p\n' | sort -n | head -n 1 | cut -d' ' -f2-)
    [ -z "$f" ] || { echo "# base64 of $f:" && base64 "$f" | sed 's/^/#   /'; }
  fi
  rm -rf "${at:?}/$name" "$at/$name.new"
}
export -f one longest

rm -rf "$here/seeds"
tests/fuzz/seeds.sh "$TOP/$here/seeds" || exit 1
# shellcheck disable=SC2016
printf '%s\0' "$@" | xargs -0 -P "$jobs" -I{} bash -c 'one "$1"' one {}
[ -z "$(find $here/finds -type f -print -quit)" ]
