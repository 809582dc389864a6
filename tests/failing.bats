# failing.bats - a call of the system's or of the allocator's that fails is told: exit 1 and a
# message, and nothing that was written looks whole. What get, deal and train leave behind is in
# their own files. Some calls may fail without harm (a thread less, a close of what was read).
load helper

# name  arguments; standard input is the stream's file where there is no other
table() {
  cat <<END
tok     -q -j 2 -m $(golden models/bert-class) -c text -l l text.csv
tok     -q -j 1 -m $(golden models/bpe-gpt2) -J text -l l text.jsonl
tok     -q -j 1 -m $(golden models/bpe-roberta-files) -c text -k l text.csv
tok     -q -j 1 -m $(golden models/unigram-albert) -c text text.csv
tok     --decode ids
embed   -j 1 ids
encode  -j 2 ids
encode  -j 1 sharded
encode  -j 1 gpt2
pool    -j 1 hidden
weft-head -T class -j 1 hidden
score   logit
score   -e --json logit
ppl     -j 1 gpt2
show    -m $(golden models/bert-class) ids
show    --digest ids
show    -n row.vector vector
near    -k 2 -j 1 vector
END
}

setup_file() {
  cd "$BATS_FILE_TMPDIR" || return 1
  printf 'text,l\nthe cat,positive\na "dog" sat,negative\nthe end,positive\n' >text.csv
  printf '{"text":"the cat","l":"x"}\n{"text":"a dog","l":"y"}\n' >text.jsonl
  tok -q -m "$(golden models/bert-class)" -c text -l l text.csv >ids
  tok -q -m "$(golden models/bert-sharded)" -c text text.csv >sharded
  tok -q --ids -m "$(golden models/gpt2-lm)" <<<'1 2 3 4' >gpt2
  encode ids >hidden
  pool hidden >vector
  weft head -T class hidden >logit
}

each_setup() {
  need_failing
  cd "$BATS_FILE_TMPDIR" || return 1
}

# sweep KIND MOST: each command with MOST of its calls of that kind failing, one a run.
sweep() {
  local kind=$1 most=$2 name args k n bad="" count=0
  local here=$BATS_TEST_TMPDIR
  while read -r name args <&3; do
    # shellcheck disable=SC2086 # the table's arguments are words
    set -- "$name" $args
    "$@" <vector >"$here/want"
    n=$(calls "$kind" "$@" <vector)
    for k in $(seq 1 $((n / most + 1)) "$n"); do
      local status=0
      failing "$kind:$k" "$@" <vector >"$here/got" 2>"$here/said" 3>&- || status=$?
      count=$((count + 1))
      case $status in
      0) cmp -s "$here/got" "$here/want" || bad+="$* ($kind $k): other output"$'\n' ;;
      1) [ -s "$here/said" ] || bad+="$* ($kind $k): no message"$'\n' ;;
      *) bad+="$* ($kind $k): exit $status"$'\n' ;;
      esac
    done
  done 3< <(table)
  [ "$count" -gt 0 ] && [ -z "$bad" ] || { echo "$bad" >&2; return 1; }
}

@test "memory" { sweep memory 15; }
@test "threads" { sweep thread 10; }
@test "files mapped" { sweep map 10; }
@test "reads" { sweep read 10; }
@test "writes" { sweep write 10; }
@test "closes" { sweep file 10; }
