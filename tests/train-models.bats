# train-models: whole models learn as they do in PyTorch (tests/oracle/train_models.py).
load helper

G=$TOP/tests/golden/train

each_setup() {
  cp "$G/teacher.jsonl" . # cases name it
}

# ids_of MODEL WORD...: ids of a case's rows; the last word is the file's name. Words that come one by
# one are given the space that they have within texts.
ids_of() {
  local model=$1
  shift
  if [ "$1" = --conll ] && grep -q '"add_prefix_space": false' "$model/tokenizer_config.json"; then
    mkdir -p spaced
    cp -R "$model" spaced
    model=spaced/${model##*/}
    sed 's/"add_prefix_space": false/"add_prefix_space": true/' "$model/tokenizer_config.json" >config
    mv config "$model/tokenizer_config.json"
  fi
  tok -q -m "$model" "${@:1:$#-1}" "$G/${!#}"
}

# case_of NAME: the line of cases.tsv, in model, tok and how.
case_of() {
  IFS=$'\t' read -r _ model tok how < <(grep "^$1	" "$G/cases.tsv")
  model=$(golden "$model")
}

# learn NAME OUTPUT [OPTION...]: trains the case.
learn() {
  local model tok how out=$2
  case_of "$1"
  # shellcheck disable=SC2086 # words
  ids_of "$model" $tok | train -q -o "$out" --dropout 0 --max-steps 50 $how "${@:3}"
}

# steps NAME: trains as the case says, and compares losses, norms, weights and the saved logits.
steps() {
  local model tok how said
  case_of "$1"
  learn "$1" "$1" --log "$1.log" --log-every 1
  # shellcheck disable=SC2086
  ids_of "$model" $tok | encode -m "$PWD/$1" | weft-head >"$1.logits"
  said=$("$WEFT_UNIT/trained" "$G/steps/$1.safetensors" "$1.log" "$1" "$1.logits") ||
    { echo "$1: $said" >&2; return 1; }
  echo "$1: $said"
}

# all PATTERN: every case whose name it matches.
all() {
  local one bad=0
  cut -f 1 "$G/cases.tsv" | grep -E "^($1)\$" >names
  while read -r one; do
    steps "$one" || bad=1
  done <names
  [ "$bad" -eq 0 ]
}

@test "bert: class" { all 'bert-class.*'; }
@test "bert: numbers, several classes" { all 'bert-(multi|regression)'; }
@test "bert: tokens, answers, words" { all 'bert-(token|span|mlm|clm).*'; }
@test "roberta" { all 'roberta-.*'; }
@test "distilbert" { all 'distilbert-.*'; }
@test "albert" { all 'albert-.*'; }
@test "electra" { all 'electra-.*'; }
@test "xlm-roberta" { all 'xlm-roberta-.*'; }
@test "gpt2" { all 'gpt2-.*'; }
@test "mpnet" { all 'mpnet-.*'; }
@test "opt" { all 'opt-.*'; }
@test "llama: turned queries and keys, of fewer heads" { all 'llama-.*'; }
@test "modernbert" { all 'modernbert-.*'; }
@test "bart" { all 'bart-.*'; }
@test "t5" { all 'm?t5-.*'; }

# A case of each objective, and of each way to go back through a model.
KINDS='bert-token bert-span bert-mlm roberta-class distilbert-multi albert-class electra-regression
  gpt2-clm bart-class mt5-token bert-class-lora-all gpt2-class-lora'

# drops NAME OUTPUT [OPTION...]: some steps of the case with the model's own dropout; ids from `in`.
drops() {
  local model tok how
  case_of "$1"
  # shellcheck disable=SC2086
  train -q -o "$2" $how --epochs 4 "${@:3}" <in
}

same_bits() {
  cmp "$1/model.safetensors" "$2/model.safetensors"
}

@test "the same bits on any number of threads" {
  local one model tok how
  for one in $KINDS; do
    case_of "$one"
    # shellcheck disable=SC2086
    ids_of "$model" $tok >in
    drops "$one" "$one.1" -j 1
    drops "$one" "$one.2" -j 2
    drops "$one" "$one.5" -j 5
    same_bits "$one.1" "$one.2"
    same_bits "$one.1" "$one.5"
    drops "$one" "$one.seed" -s 7
    run ! cmp -s "$one.1/model.safetensors" "$one.seed/model.safetensors"
  done
}

@test "rows that are there many times weigh as once: sums of many pieces" {
  local one model tok how said
  for one in albert-class gpt2-clm bart-class mt5-token bert-mlm-wide; do
    case_of "$one"
    how=${how%% --batch*}
    # shellcheck disable=SC2086
    ids_of "$model" $tok >in
    for _ in {1..4}; do cat in; done >many
    if [ "$one" = bert-mlm-wide ]; then cat many many many many >in && mv in many; fi
    # shellcheck disable=SC2086
    train -q -o "$one" --dropout 0 --max-steps 50 $how -b 512 --log log --log-every 1 many
    # shellcheck disable=SC2086
    ids_of "$model" $tok | encode -m "$PWD/$one" | weft-head >logits
    said=$("$WEFT_UNIT/trained" "$G/steps/$one.safetensors" log "$one" logits) ||
      { echo "$one: $said" >&2; false; }
  done
}

@test "the same bits where layers are made again on the way back" {
  local one model tok how more
  for one in $KINDS; do
    case_of "$one"
    # shellcheck disable=SC2086
    ids_of "$model" $tok >in
    for more in "" "-t bf16 --freeze 1"; do
      if [[ $how == *--lora* ]]; then more=${more% --freeze*}; fi
      # shellcheck disable=SC2086
      drops "$one" "$one.kept" --force $more -j 1
      # shellcheck disable=SC2086
      drops "$one" "$one.again" --force $more -j 2 --checkpoint-activations
      same_bits "$one.kept" "$one.again"
    done
  done
}

# column NAME FILE: that column of a log, without its header.
column() {
  awk -F '\t' -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) k = i; next }
    { print $k }' "$2"
}

@test "the loss that it evaluates is the one that it trains by" {
  local one model tok how
  for one in $KINDS; do
    case_of "$one"
    # shellcheck disable=SC2086
    ids_of "$model" $tok >in
    drops "$one" "$one" --dropout 0 -v in --eval-first --log "$one.log" --log-every 1
    paste <(column valid_loss "$one.log") <(column loss "$one.log") | awk -v one="$one" '
      NR == 1 { valid = $1 }
      NR == 2 { d = $NF / valid - 1 }
      END { if (!(d < 1e-6 && d > -1e-6)) { print one, valid, d; exit 1 } }'
  done
}

# parts FILE: cuts it into part.*, a record or a few each.
parts() {
  case $1 in
  *.conll) awk -v n=1 '{ print >("part." n) } !NF && ++k % 4 == 0 { n++ }' "$G/$1" ;;
  *) split -l 3 "$G/$1" part. ;;
  esac
}

@test "the same bits from frames of any size" {
  local one model tok how part words
  for one in $KINDS; do
    case_of "$one"
    # shellcheck disable=SC2086
    ids_of "$model" $tok >in
    drops "$one" "$one.one"
    rm -f part.*
    parts "${tok##* }"
    read -ra words <<<"${tok% *}"
    for part in part.*; do tok -q -m "$model" "${words[@]}" "$part"; done >in
    drops "$one" "$one.many"
    same_bits "$one.one" "$one.many"
  done
}

# near A B: losses and norms of two logs, step by step; by the order of sums alone they differ.
near() {
  [ "$(wc -l <"$1")" -gt 5 ]
  paste "$1" "$2" | awk -F '\t' '
    function far(a, b, most) { d = (a - b) / (b > 1 ? b : 1); return !(d < most && d > -most) }
    NR > 1 && ($1 != $13 || far($3, $15, 1e-6) || far($5, $17, 2e-6)) { print; bad = 1 }
    END { exit bad }'
}

@test "batches that are added up are one batch, with dropout too" {
  local one model tok how
  for one in $KINDS; do
    case_of "$one"
    how="${how%% --batch*} --optim sgd --lr 0.001" # an Adam would make much of what is rounded
    # shellcheck disable=SC2086
    ids_of "$model" $tok >in
    for size in "6 1" "2 3" "1 6"; do
      # shellcheck disable=SC2086
      train -q -o "$one.${size% *}" $how --epochs 4 -b ${size% *} --accumulate ${size#* } \
        --log "$one.${size% *}.log" --log-every 1 <in
    done
    near "$one.6.log" "$one.2.log" || { echo "$one" >&2; false; }
    near "$one.6.log" "$one.1.log" || { echo "$one" >&2; false; }
  done
}

@test "a classifier that learns answers is no classifier any more" {
  local model
  model=$(golden models/bert-class)
  ids_of "$model" -J question -p context -l answer rows.jsonl |
    train -q -o out -e 1 --objective span
  run ! grep -qE 'id2label|label2id|num_labels|problem_type' out/config.json
}

@test "a model that saw all words learns the next ones as a decoder" {
  local model
  model=$(golden models/bert-class)
  ids_of "$model" -J text rows.jsonl | train -q -o out -e 1 --objective clm
  grep -q '"is_decoder": true' out/config.json
}

@test "what stands under masks: tokens or ids" {
  local model
  model=$(golden models/bert-mask)
  awk -F '\t' 'NR == FNR { id[$1] = NR - 1; next } NF { $2 = $2 == "" ? "" : id[$2] } { print }' \
    OFS='\t' "$model/vocab.txt" "$G/masks-bert-mask.conll" >ids.conll
  tok -q -m "$model" --conll "$G/masks-bert-mask.conll" | train -q -o a -e 2 --objective mlm
  tok -q -m "$model" --conll ids.conll | train -q -o b -e 2 --objective mlm
  same_bits a b
  sed 's/\t[a-z]/&-no-such/' ids.conll "$G/masks-bert-mask.conll" |
    tok -q -m "$model" --conll >in
  fails_with 1 "under a mask is no token of the vocabulary" train -q -o bad --objective mlm in
}
