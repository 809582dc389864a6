# score-tasks.bats - every task but plain classes: the golden logits scored, and compared with what
# transformers' pipelines said of them (tests/oracle/pipelines.py). The tokenizers are the models'.
load helper

mkstream() {
  "${WEFT_UNIT:-$TOP/build/tests}/mkstream"
}

# answer MODEL CASE [OPTION...]: the golden logits of the case, scored.
answer() {
  score -m "$(golden "models/$1")" "${@:3}" "$(golden "pipelines/$2.safetensors")"
}

# agree PATTERN LEAST: all cases whose names fit, at least so many, in every option.
agree() {
  local case model want options n=0
  while IFS=$'\t' read -r case model want _ options; do
    # shellcheck disable=SC2053 # a pattern
    [[ $case == $1 ]] || continue
    local -a words=()
    # A list of targets is one word, blanks and all.
    case $options in
    --targets*) words=(--targets "${options#--targets }") ;;
    *) read -ra words <<<"$options" ;;
    esac
    answer "$model" "$case" --json "${words[@]}" >got 2>err || { cat err >&2; return 1; }
    "$WEFT_UNIT/jsonclose" "$(golden "pipelines/$want")" got 1e-4 ||
      { echo "$case $options" >&2; return 1; }
    # One row a frame is the same.
    "$WEFT_UNIT/frames" -c 1 "$(golden "pipelines/$case.safetensors")" |
      score -m "$(golden "models/$model")" --json "${words[@]}" 2>/dev/null | cmp - got
    n=$((n + 1))
  done <"$(golden pipelines/cases.tsv)"
  [ "$n" -ge "$2" ] || { echo "$n cases" >&2; return 1; }
}

@test "text-classification: labels and scores" { agree '*-class' 6; agree bert-multi 2; }
@test "regression: the value" { agree bert-regression 2; }
@test "fill-mask: BERT, DistilBERT, RoBERTa; several masks; targets" { agree '*-mask' 9; }
@test "lm: the likeliest next tokens" { agree gpt2-lm 1; }
@test "next sentence" { agree bert-next 1; }
@test "token-classification: BERT's words" { agree 'bert-token*' 11; }
@test "token-classification: DistilBERT's, RoBERTa's and XLM-RoBERTa's" {
  agree 'distilbert-token*' 7
  agree 'roberta-token*' 11
  agree 'xlm-roberta-token*' 7
}
@test "question-answering: windows, words, several answers" { agree '*-span' 12; }
@test "zero-shot-classification, of one and of several" { agree '*-candidates' 4; }

# ---- fill-mask ----

@test "mask: five lines a row, token, score and sequence; -k" {
  answer bert-mask bert-mask >out
  [ "$(sed -n 1p out)" = $'like\t0.212351\tthe cat sat on the like.' ]
  [ "$(wc -l <out)" -eq $((5 * 8)) ] # 8 masks in 5 rows
  answer bert-mask bert-mask -k 1 >out
  [ "$(sed -n 2p out)" = $'2\t##k\t0.171715\tik this flight' ]
  [ "$(cut -f 1 out | tr -d '\n')" = 12334445 ]
}

@test "mask: -k 0 is the whole vocabulary in its own order, and adds up to 1" {
  answer bert-mask bert-mask -k 0 --json >out
  [ "$(sed -n 1p out | grep -o '"token": [0-9]*' | sort -c -t : -k 2 -n && echo sorted)" = sorted ]
  sed -n 1p out | grep -o '"score": [^,]*' |
    awk '{ s += $2; n++ } END { exit !(n > 200 && s > 0.99999 && s < 1.00001) }'
}

@test "mask: --csv" {
  answer bert-mask bert-mask -k 1 --csv >out
  [ "$(sed -n 1p out)" = row,text,gold,token,score,sequence,margin ]
  [ "$(sed -n 2p out)" = "1,the cat sat on the [MASK].,,like,0.212351,the cat sat on the like.,0.030810" ] ||
    [ "$(sed -n 2p out)" = "1,the cat sat on the [MASK].,,like,0.212351,the cat sat on the like.,0.030809" ]
}

@test "mask: a target that is no token is told; none that is one is an error" {
  run --separate-stderr answer bert-mask bert-mask --targets cat,catmat
  [ "$status" -eq 0 ]
  [[ $stderr == *"target 'catmat' is no token: its first piece 'cat' stands for it"* ]]
  [ "$(wc -l <<<"$output")" -eq 8 ] # one target is left
  run --separate-stderr answer bert-mask bert-mask -q --targets catmat
  [ -z "$stderr" ]
  fails_with 1 "none of them is a token" answer bert-mask bert-mask --targets ,
}

@test "mask: a row without a mask says so, the others are answered, exit 1" {
  run --separate-stderr answer bert-mask bert-mask-none --json -k 1
  [ "$status" -eq 1 ]
  [ "$stderr" = "score: $(golden pipelines/bert-mask-none.safetensors): row 2: no mask token [MASK] in it to fill" ]
  echo "$output" >got
  "$WEFT_UNIT/jsonclose" "$(golden pipelines/bert-mask-none.json)" got 1e-4
  run --separate-stderr answer bert-mask bert-mask-none -k 1
  [ "$(cut -f 1 <<<"$output" | tr -d '\n')" = 133 ]
}

@test "mask: the model must be the one whose logits they are" {
  fails_with 1 "no model" score "$(golden pipelines/bert-mask.safetensors)"
  "$WEFT_UNIT/frames" -k vocab=0123 "$(golden pipelines/bert-mask.safetensors)" >s.weft
  fails_with 1 "the stream's vocabulary is 0123" score -m "$(golden models/bert-mask)" s.weft
}

@test "mask: nothing to measure by" {
  fails_with 1 "--eval says nothing of the task 'mask'" answer bert-mask bert-mask -e
}

# ---- next sentence ----

next() {
  printf 'meta task next\nlogit 1 0 | label is_next | text a\nlogit 0 2 | label is_next\n' | mkstream
}

@test "next: two columns, one object" {
  [ "$(next | score)" = $'0.731059\t0.268941\n0.119203\t0.880797' ]
  [ "$(next | score -k 1 | cut -f 1 | tr -d '\n')" = 12 ]
  [ "$(next | score --json | sed -n 2p)" = '{"is_next": 0.119202919, "not_next": 0.880797088}' ]
  [ "$(next | score --csv | sed -n 2p)" = 1,a,is_next,0.731059,0.268941,0.462117 ]
}

@test "next: --eval" {
  next | score -e >out
  grep -qx 'accuracy	0.500000' out
  grep -qx 'not_next	0.000000	0.000000	0.000000	0' out
  printf 'meta task next\nlogit 1 0 | label maybe\n' | mkstream >s.weft
  fails_with 1 "row 1: label 'maybe' is not a class of the model (is_next, not_next)" score -e s.weft
  printf 'meta task next\nlogit 1 0 3\n' | mkstream >s.weft
  fails_with 1 "3 logits a row, and next sentence has two" score s.weft
}

# ---- zero-shot ----

nli() {
  cat <<'END'
meta candidates ["x","y","z"]
meta classes ["neutral","Entailment","contradiction"]
logit 0 1 0 | source 0 | text a "q" | label y | keep.id 7
logit 0 2 1 | source 0 | text a "q" | label y | keep.id 7
frame
logit 5 0 0 | source 0 | text a "q" | label y | keep.id 7
logit 0 0 0 | source 1 | text b | label z | keep.id 8
logit 0 0 0 | source 1 | text b | label z | keep.id 8
logit 0 3 0 | source 1 | text b | label z | keep.id 8
END
}

@test "zero-shot: the best candidate, -k, all in their own order" {
  nli | mkstream >s.weft
  # e^1, e^2, e^0 and 1, 1, e^3
  [ "$(score s.weft)" = $'y\t0.665241\nz\t0.909443' ]
  [ "$(score -k 2 s.weft | sed -n 2p)" = $'1\tx\t0.244728' ]
  [ "$(score -k 0 s.weft | cut -f 2 | tr -d '\n')" = xyzxyz ]
  # Against the first class, which neutral is here: e^2/(1+e^2).
  [ "$(score --multi s.weft | sed -n 1p)" = $'y\t0.880797' ]
}

@test "zero-shot: JSON and CSV" {
  nli | mkstream >s.weft
  [ "$(score --json -k 1 s.weft | sed -n 1p)" = \
    '{"sequence": "a \"q\"", "labels": ["y"], "scores": [0.665240943]}' ]
  # Equal scores: the later candidate first, as an ascending order read backwards has it.
  [[ "$(score --json s.weft | sed -n 2p)" == *'"labels": ["z", "y", "x"]'* ]]
  score --csv s.weft >out
  [ "$(sed -n 1p out)" = row,id,text,gold,label,score,margin ]
  [ "$(sed -n 2p out)" = '1,7,"a ""q""",y,y,0.665241,0.420512' ]
}

@test "zero-shot: --eval measures the candidates" {
  nli | mkstream | score -e >out
  grep -qx 'rows	2' out
  grep -qx 'accuracy	1.000000' out
  grep -qx 'loss	0.251264' out
}

@test "zero-shot: rows missing, no entailment, no such label" {
  nli | sed '$d' | mkstream >s.weft
  fails_with 1 "2 rows for 3 candidates" score s.weft
  [ "$output" = $'y\t0.665241' ]
  nli | sed s/Entailment/yes/ | mkstream >s.weft
  fails_with 1 "no class of the model begins with 'entail' (neutral, yes, contradiction)" score s.weft
  nli | sed 's/label z/label q/' | mkstream >s.weft
  fails_with 1 "label 'q' is not a class of the model (x, y, z)" score -e s.weft
  nli | sed 's/"x","y","z"/1/' | mkstream >s.weft
  fails_with 1 "candidates" score s.weft
}

@test "zero-shot: rows without a source are counted off" {
  [ "$(nli | sed 's/source [01] | //' | mkstream | score)" = $'y\t0.665241\nz\t0.909443' ]
}

# ---- entities ----

@test "token: columns, -k by score, all rows" {
  answer bert-token bert-token-spread --aggregate simple >out
  awk -F '\t' 'NF != 5 || $1 > $2 { exit 1 }' out
  answer bert-token bert-token-spread --aggregate simple -k 0 | cut -f 2- | cmp - out
  answer bert-token bert-token-spread -k 2 >out
  awk -F '\t' '$1 == row && $5 > last || ++n[$1] > 2 { exit 1 } { row = $1; last = $5 }' out
}

@test "token: rows without entities are empty lists" {
  # Groups are called what stands behind the dash.
  "$WEFT_UNIT/frames" -k 'classes=["O","B-O","I-O","C-O","D-O","E-O","F-O"]' \
    "$(golden pipelines/bert-token.safetensors)" >s.weft
  [ "$(score -m "$(golden models/bert-token)" --aggregate simple --json s.weft)" = $'[]\n[]\n[]' ]
  [ -z "$(score -m "$(golden models/bert-token)" --aggregate max s.weft)" ]
}

@test "token: --eval is seqeval's, windows counted once" {
  score -e --json "$(golden score/entities.safetensors)" >out
  "$WEFT_UNIT/jsonclose" "$(golden score/entities.eval.json)" out 1e-6
  "$WEFT_UNIT/frames" -c 1 "$(golden score/entities.safetensors)" | score -e --json | cmp - out
  score -e "$(golden score/entities.safetensors)" >out
  [ "$(head -n 1 out)" = $'rows\t6' ]
  grep -q '^LOC	0.368421	0.437500	0.400000	16$' out
}

@test "token: --eval without labels, or with one that the model has not" {
  fails_with 1 "tok --conll" answer bert-token bert-token -e
  "$WEFT_UNIT/frames" -k 'classes=["O","B-PER","I-PER","B-ORG","I-ORG","B-MISC","I-MISC"]' \
    "$(golden score/entities.safetensors)" >s.weft
  fails_with 1 "is not a class of the model (O, B-PER, I-PER" score -e s.weft
  [[ $stderr == *": row 1: label 'I-LOC'"* ]]
}

@test "token: ids or texts that are not the model's" {
  fails_with 1 "row 1: no token has the id" \
    score -m "$(golden models/bert-bf16)" "$(golden pipelines/bert-token.safetensors)"
  # Spans into a text that is not there.
  "$WEFT_UNIT/frames" -R row.text "$(golden pipelines/bert-token.safetensors)" |
    "$WEFT_UNIT/frames" -R text.utf8 >s.weft
  fails_with 1 "row 1: token.span: [0, 4) is not in the row's text" \
    score -m "$(golden models/bert-token)" s.weft
}

# ---- answers ----

@test "span: a line a row; --max-answer; margin" {
  answer bert-span bert-span >out
  [ "$(sed -n 1p out)" = $'5\t16\t0.089792\tSmith lives' ]
  [ "$(wc -l <out)" -eq 5 ]
  answer bert-span bert-span -k 2 >out
  [ "$(cut -f 1 out | tr -d '\n')" = 1122334455 ]
  answer bert-span bert-span --csv >out
  [ "$(sed -n 1p out)" = row,text,pair,gold,start,end,score,answer,margin ]
  [ "$(sed -n 2p out)" = "1,who lives in Berlin?,Anna Smith lives in Berlin.,,5,16,0.089792,Smith lives,0.040639" ]
}

@test "span: -k 0 is every answer, best first" {
  answer bert-span bert-span -k 0 >out
  awk -F '\t' '$1 == row && $4 > last { exit 1 } { row = $1; last = $4; n[row]++ }
    END { exit !(n[1] > 10) }' out
}

@test "span: --eval is SQuAD's" {
  answer bert-span bert-span-eval -e --json >out
  "$WEFT_UNIT/jsonclose" "$(golden pipelines/bert-span-eval.json)" out 1e-6
  [ "$(answer bert-span bert-span-eval -e)" = $'rows\t5\nexact\t0.600000\nf1\t0.636364' ]
}

@test "span: no gold answer, and no second text" {
  fails_with 1 "row 1: no gold answer" answer bert-span bert-span -e
  run -0 answer bert-span bert-span -e --impossible
  "$WEFT_UNIT/frames" -R row.pair "$(golden pipelines/bert-span.safetensors)" |
    "$WEFT_UNIT/frames" -R pair.utf8 >s.weft
  fails_with 1 "a question and its context are a pair" score -m "$(golden models/bert-span)" s.weft
}

# ---- any task ----

@test "an empty stream of any task has no answers" {
  local task
  for task in class mask next token span lm; do
    printf 'meta task %s\nend\n' "$task" | mkstream >s.weft
    [ -z "$(score s.weft)" ]
    fails_with 1 "no rows to measure" score -e s.weft
  done
}

@test "the task does not change midway" {
  { printf 'meta task next\nlogit 1 0\n' | mkstream
    printf 'logit 1 0\n' | mkstream; } >s.weft
  fails_with 1 "s.weft: the task changes from 'next' to 'class'" score s.weft
  [ "$output" = $'0.731059\t0.268941' ]
}

@test "a record is answered when its last window has come" {
  mkfifo in
  score -m "$(golden models/bert-span)" <in >out &
  local pid=$! to n
  exec {to}>in
  "$WEFT_UNIT/frames" -c 1 "$(golden pipelines/bert-span.safetensors)" >all.weft
  n=$(($(od -An -tu8 -N8 all.weft) + 8 + $(first_bytes all.weft)))
  head -c "$n" all.weft >&"$to"
  for _ in $(seq 100); do [ -s out ] && break; sleep 0.02; done
  [ "$(cat out)" = $'5\t16\t0.089792\tSmith lives' ]
  tail -c +$((n + 1)) all.weft >&"$to"
  exec {to}>&-
  wait "$pid"
  [ "$(wc -l <out)" -eq 5 ]
}

# first_bytes FILE: how many bytes of tensors the first frame has.
first_bytes() {
  head -c $(($(od -An -tu8 -N8 "$1") + 8)) "$1" | tail -c +9 |
    grep -oE '"data_offsets": ?\[[0-9]+, ?[0-9]+' | grep -oE '[0-9]+$' | sort -n | tail -n 1
}
