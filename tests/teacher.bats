# teacher: soft targets, of a file or of the stream. How they compare with PyTorch's is in
# train-models.bats.
load helper

each_setup() {
  M=$(golden models/bert-class)
  awk 'BEGIN { for (i = 0; i < 24; i++) print (i % 2 ? "the cat sat on mat " : "a dog ran ") i % 7 }' \
    >texts
  tok -q -m "$M" texts >rows
}

# shares N: what a teacher says of so many rows, in awk's `share`: of class `b`.
shares() {
  awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) print (i % 2 ? 0.9375 : 0.125) + (i % 3) / 64 }'
}

# json: shares as lines of JSON, the classes in another order in each.
json() {
  awk '{ a = sprintf("{\"label\": \"a\", \"score\": %.9g}", 1 - $1)
    b = sprintf("{\"label\": \"b\", \"score\": %.9g}", $1)
    print "[" (NR % 2 ? a ", " b : b ", " a) "]" }'
}

# made FIELD: shares as rows of mkstream, behind what FIELD (an awk expression of NR) says.
made() {
  awk '{ print '"$1"' " | target " 1 - $1 " " $1 }'
}

@test "a teacher's file and row.target are one thing" {
  local how ids='"ids 101 " 5 + NR % 9 " 102"'
  shares 24 >share
  json <share >said.jsonl
  { echo 'meta labels ["a","b"]' && made "$ids" <share; } | "$WEFT_UNIT/mkstream" >soft
  made "$ids" <share | sed 's/ | target.*//' | "$WEFT_UNIT/mkstream" >plain
  for how in "-m $M" "-m $M --label-smoothing 0.2 --lora 2" "-m $M --freeze encoder" \
    "-m $M --head mlp:4"; do
    rm -rf soft.d file.d
    # shellcheck disable=SC2086
    train -q -o soft.d $how --max-steps 9 soft
    # shellcheck disable=SC2086
    train -q -o file.d $how --max-steps 9 --teacher said.jsonl plain
    cmp soft.d/model.safetensors file.d/model.safetensors || { echo "$how" >&2; false; }
  done
  grep -q '"0": "a"' file.d/config.json
  { echo 'meta labels ["a","b"]' && made '"vector 0.5 " NR / 10 " " NR % 2' <share; } |
    "$WEFT_UNIT/mkstream" >soft
  made '"vector 0.5 " NR / 10 " " NR % 2' <share | sed 's/ | target.*//' |
    "$WEFT_UNIT/mkstream" >plain
  train -q -o soft.v --head mlp:5 --dropout 0.1 soft
  train -q -o file.v --head mlp:5 --dropout 0.1 --teacher <(cat said.jsonl) plain
  cmp soft.v/model.safetensors file.v/model.safetensors
}

@test "a pupil learns what its teacher says" {
  local kind
  shares 24 | json >said.jsonl
  for kind in "train -q -o out -e 100 --lr 3e-3" \
    "train -q -o out --force --head mlp:8 --lr 0.03 -e 200"; do
    if [[ $kind == *mlp* ]]; then encode -q rows | pool >in; else cp rows in; fi
    $kind --teacher said.jsonl in
    if [[ $kind == *mlp* ]]; then cp in vectors; else encode -q -m "$PWD/out" rows >vectors; fi
    weft-head -m "$PWD/out" vectors | score -k 0 --json |
      sed 's/.*"b", "score": \([0-9.e-]*\).*/\1/' | paste - <(shares 24) |
      awk '{ d = $1 - $2; if (d > 0.06 || d < -0.06) { print; bad = 1 } } END { exit bad || NR != 24 }'
  done
}

@test "the loss of soft rows that it evaluates is the one that it trains by" {
  shares 24 | made '"ids 101 " 5 + NR % 9 " 102"' | "$WEFT_UNIT/mkstream" >soft
  train -q -o out -m "$M" --dropout 0 -b 24 --max-steps 2 -v soft --eval-first --log log \
    --log-every 1 soft
  awk -F '\t' 'NR == 2 { valid = $9 } NR == 3 { d = $3 / valid - 1; exit !(d < 1e-6 && d > -1e-6) }' log
  grep -q '"LABEL_1"' out/config.json
  sed 's/vector.*//' </dev/null
  shares 24 | made '"vector 1 " NR % 2' | "$WEFT_UNIT/mkstream" >soft
  train -q -o v -b 24 --max-steps 2 -v soft --eval-first --log log --log-every 1 soft
  awk -F '\t' 'NR == 2 { valid = $9 } NR == 3 { d = $3 / valid - 1; exit !(d < 1e-6 && d > -1e-6) }' log
}

@test "labels that the rows have are the teacher's to say, and those to evaluate by are their own" {
  awk '{ print $0 "," (NR % 2 ? "b" : "a") }' texts >with.csv # the other way round
  tok -q -m "$M" -H -c 1 -l 2 with.csv >labelled
  shares 24 | json >said.jsonl
  train -q -o one -m "$M" --max-steps 9 --teacher said.jsonl labelled
  train -q -o two -m "$M" --max-steps 9 --teacher said.jsonl rows
  cmp one/model.safetensors two/model.safetensors
  train -q -o three -m "$M" -e 30 --lr 3e-3 --teacher said.jsonl -v labelled --log log rows
  [ "$(tail -n 1 log | cut -f 10)" = 0 ]
}

@test "a checkpoint's head goes on in its own order" {
  encode -q rows | weft-head | score -k 0 --json >said.jsonl
  sed 's/\[\({.*}\), \({.*}\), \({.*}\)\]/[\3, \1, \2]/' said.jsonl >turned.jsonl
  run ! cmp -s said.jsonl turned.jsonl
  run --separate-stderr train -o one --max-steps 5 --teacher said.jsonl rows
  [[ "$stderr" == *"of the checkpoint, whose head goes on: negative, neutral, positive"* ]]
  train -q -o two --max-steps 5 --teacher turned.jsonl rows
  cmp one/model.safetensors two/model.safetensors
}

@test "what a teacher must not say" {
  local t
  shares 24 | json >said.jsonl
  # wrong MESSAGE SED: the file changed so is refused.
  wrong() {
    sed "$2" said.jsonl >bad.jsonl
    fails_with 1 "$1" train -q -o out --teacher bad.jsonl rows
    [ ! -e out ]
  }
  wrong "bad.jsonl: 23 lines, but there are 24 rows in rows" 5d
  wrong "bad.jsonl: 25 lines, but there are 24 rows in rows" '5p'
  wrong "bad.jsonl: line 3: label 'c' is not among those of the first line" '3s/"a"/"c"/'
  wrong "bad.jsonl: line 3: label 'a' is there twice" '3s/"b"/"a"/'
  wrong "bad.jsonl: line 4: label 'a' is missing" '4s/, {.*/]/'
  wrong "bad.jsonl: line 2: its scores add up to" '2s/"score": [0-9.]*/"score": 0.5/'
  wrong "bad.jsonl: line 2: the score of 'b' is 1.5" '2s/"score": [0-9.]*/"score": 1.5/'
  wrong "bad.jsonl: line 2: it is no list of" '2s/"score": [0-9.]*/"score": "x"/'
  wrong "bad.jsonl: line 2: it is no list of" '2s/.*/{}/'
  wrong "bad.jsonl: line 1: 1 classes: score -k 0 --json gives the scores of all" 's/, {.*/]/'
  wrong "bad.jsonl: line 24: " '24s/}.$//'
  wrong "bad.jsonl: 0 lines" '1,$d'
  fails_with 1 "none.jsonl" train -q -o out --teacher none.jsonl rows
  fails_with 2 "--teacher is about classes" train -o out --objective token --teacher said.jsonl rows
  fails_with 2 "leave --skip-unlabelled out" train -o out --skip-unlabelled --teacher said.jsonl rows
  fails_with 2 "--class-weight is of labels" \
    train -q -o out --class-weight balanced --teacher said.jsonl rows
  for t in "nan 1" "-1 2" "0 0"; do
    echo "ids 101 102 | target $t" | "$WEFT_UNIT/mkstream" >soft
    fails_with 1 "record 1: " train -q -o out -m "$M" soft
  done
  printf '%s\n' "ids 101 102 | target 1 0" frame "ids 101 102 | label a" | "$WEFT_UNIT/mkstream" >soft
  fails_with 1 "rows with row.target and rows without do not go together" train -q -o out -m "$M" soft
}

@test "a run goes on with the same teacher alone" {
  shares 24 | json >said.jsonl
  train -q -o whole -e 4 --teacher said.jsonl rows
  train -q -o cut -e 4 --teacher said.jsonl --checkpoint 5 rows
  rm cut/*.*
  sed 's/"a"/"c"/' said.jsonl >other.jsonl
  fails_with 1 "other the rows" train -q -o cut --resume -e 4 --teacher other.jsonl rows
  train -q -o cut --resume -e 4 --teacher said.jsonl rows
  cmp cut/model.safetensors whole/model.safetensors
}
