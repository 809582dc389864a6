# fuzz.bats - every surface that takes bytes from outside, with the inputs that were faults once
# (tests/fuzz/corpus, a folder a surface) and with those that the search begins with
# (tests/fuzz/seeds.sh): no crash, no end of the program, no more than seconds. `make fuzz` looks for
# more.
load helper

setup_file() {
  "$TOP/tests/fuzz/seeds.sh" "$BATS_FILE_TMPDIR/seeds"
}

# replay NAME: each input that was a fault by itself, since the first one would hide the others.
replay() {
  local f bad=0
  export TMPDIR=$BATS_TEST_TMPDIR
  for f in "$TOP/tests/fuzz/corpus/$1"/*; do
    [ ! -e "$f" ] || "$WEFT_UNIT/fuzz/$1" "$f" >said 2>&1 || { tail -n 5 said; bad=1; }
  done
  "$WEFT_UNIT/fuzz/$1" "$BATS_FILE_TMPDIR/seeds/$1"/* >said 2>&1 || { tail -n 5 said; bad=1; }
  return $bad
}

@test "every harness is replayed here" {
  local f name
  for f in "$TOP"/tests/fuzz/*.c; do
    name=$(basename "$f" .c)
    grep -q LLVMFuzzerTestOneInput "$f" && [ "$name" != replay ] || continue
    grep -q "{ replay $name; }" "$BATS_TEST_FILENAME" || { echo "$name is not"; return 1; }
  done
}

@test "bag" { replay bag; }
@test "config" { replay config; }
@test "conll" { replay conll; }
@test "csv" { replay csv; }
@test "filters" { replay filters; }
@test "folder" { replay folder; }
@test "frames" { replay frames; }
@test "headfile" { replay headfile; }
@test "hub" { replay hub; }
@test "jsonlines" { replay jsonlines; }
@test "jsonscan" { replay jsonscan; }
@test "pickle" { replay pickle; }
@test "plot" { replay plot; }
@test "rows" { replay rows; }
@test "safetensors" { replay safetensors; }
@test "score" { replay score; }
@test "shards" { replay shards; }
@test "show" { replay show; }
@test "spiece" { replay spiece; }
@test "text-bpe" { replay text-bpe; }
@test "text-spbpe" { replay text-spbpe; }
@test "text-unigram" { replay text-unigram; }
@test "text-wordpiece" { replay text-wordpiece; }
@test "tokenizer" { replay tokenizer; }
@test "tokfiles" { replay tokfiles; }
@test "torch" { replay torch; }
