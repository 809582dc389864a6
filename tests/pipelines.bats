# pipelines.bats - whole pipes against transformers' pipelines: from text to the same labels, words,
# answers and order, with scores within 1e-4 (tests/oracle/pipelines.py; score-tasks.bats scores the
# reference's own logits).
load helper

# pipe CASE MODEL OPTION...: what `tok | encode | head | score --json OPTION...` says of its texts.
pipe() {
  local case=$1 model=$2
  local -a read=(-J text)
  shift 2
  if grep -q '"pair"' "$(golden "pipelines/$case.jsonl")"; then read+=(-p pair); fi
  case $case in
  *-span) read+=(-n 64 -S 32 --trunc second) ;;
  *-candidates) read+=(-z 'good,bad flight,cat,a company') ;;
  esac
  tok -q -m "$(golden "models/$model")" "${read[@]}" "$(golden "pipelines/$case.jsonl")" |
    encode | weft head | score -q --json "$@"
}

# equal PATTERN LEAST: every whole case whose name fits, at least so many.
equal() {
  local case model want whole options n=0
  while IFS=$'\t' read -r case model want whole options; do
    # shellcheck disable=SC2053 # a pattern
    [[ $case == $1 && $whole == whole ]] || continue
    local -a words=()
    case $options in
    --targets*) words=(--targets "${options#--targets }") ;;
    *) read -ra words <<<"$options" ;;
    esac
    pipe "$case" "$model" "${words[@]}" >got
    "$WEFT_UNIT/jsonclose" "$(golden "pipelines/$want")" got 1e-4 ||
      { echo "$case $options" >&2; return 1; }
    n=$((n + 1))
  done <"$(golden pipelines/cases.tsv)"
  [ "$n" -ge "$2" ] || { echo "$n cases" >&2; return 1; }
}

@test "text-classification: BERT, DistilBERT, RoBERTa" { equal '*-class' 6; }
@test "text-classification: several labels a row, and a value" { equal bert-multi 2; equal bert-regression 2; }
@test "fill-mask: BERT" { equal bert-mask 3; }
@test "fill-mask: DistilBERT" { equal distilbert-mask 3; }
@test "fill-mask: RoBERTa" { equal roberta-mask 3; }
@test "next sentence: BERT" { equal bert-next 1; }
@test "next token: GPT-2" { equal gpt2-lm 1; }
@test "token-classification: BERT, DistilBERT" { equal bert-token 2; equal distilbert-token 2; }
@test "token-classification: RoBERTa, XLM-RoBERTa" { equal roberta-token 2; equal xlm-roberta-token 2; }
@test "question-answering: BERT" { equal bert-span 4; }
@test "question-answering: DistilBERT" { equal distilbert-span 4; }
@test "question-answering: RoBERTa" { equal roberta-span 4; }
@test "zero-shot-classification: BERT, BART" { equal bert-nli-candidates 2; equal bart-mnli-candidates 2; }

@test "a row without a mask: the others are answered" {
  run --separate-stderr pipe bert-mask-none bert-mask -k 1
  [ "$status" -eq 1 ]
  [[ $stderr == "score: stdin: row 2: no mask token [MASK] in it to fill" ]]
  echo "$output" >got
  "$WEFT_UNIT/jsonclose" "$(golden pipelines/bert-mask-none.json)" got 1e-4
}
