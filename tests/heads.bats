# heads.bats - the heads of checkpoints: logits against transformers' (tests/oracle/heads.py), and
# which head is taken.
load helper

G=$TOP/tests/golden/heads
allclose() { "$WEFT_UNIT/allclose" "$@"; }

# tensor TASK: where its logits are.
tensor() {
  case $1 in
  class | next) echo row.logit ;;
  token | span) echo token.logit ;;
  mask | lm) echo pick.logit ;;
  esac
}

# same NAME TASK...: the reference's logits, from its hidden states, and from ids by encode.
same() {
  local name=$1 task m
  m=$(golden "models/$name")
  shift
  for task; do
    weft head -m "$m" -T "$task" "$G/$name.safetensors" >logits
    allclose "$G/$name.safetensors" logits "want.$task=$(tensor "$task")" 1e-4
    encode -m "$m" "$G/$name.safetensors" | weft head -T "$task" >logits
    allclose "$G/$name.safetensors" logits "want.$task=$(tensor "$task")" 1e-4
  done
}

@test "BertForPreTraining, by the names of the first checkpoints" { same bert-pretraining mask next; }
@test "BertForMaskedLM, a matrix of its own" { same bert-mask mask; }
@test "BertForNextSentencePrediction" { same bert-next next; }
@test "BertForTokenClassification" { same bert-token token; }
@test "BertForQuestionAnswering" { same bert-span span; }
@test "BertLMHeadModel" { same bert-lm lm; }
@test "BertForSequenceClassification: several labels, one number" {
  same bert-multi class
  same bert-regression class
}
@test "DistilBERT" {
  same distilbert-class class
  same distilbert-mask mask
  same distilbert-token token
  same distilbert-span span
}
@test "RoBERTa" {
  same roberta-class class
  same roberta-mask mask
  same roberta-token token
  same roberta-span span
}
@test "XLM-RoBERTa" { same xlm-roberta-token token; }
@test "GPT2LMHeadModel" { same gpt2-lm lm; }
@test "GPT2ForSequenceClassification: the last token that is no padding" { same gpt2-class class; }
@test "BartForSequenceClassification: the last token that ends a text" { same bart-mnli class; }
@test "BartForConditionalGeneration and mBART's fill masks, as pipeline(fill-mask) has it" {
  same bart-mask mask
  same mbart-mask mask
}
@test "MPNet" {
  same mpnet-mask mask
  same mpnet-class class
}
@test "OPT" {
  same opt-lm lm
  same opt-class class
}
@test "Llama, a matrix of its own; Qwen3" {
  same llama-lm lm
  same qwen3-class class
}
@test "ModernBERT, its head's norm, and a class by the mean" {
  same modernbert-mask mask
  same modernbert-class class
  same modernbert-mean class
  same modernbert-token token
}
@test "DeBERTa, its pooler, and both of its heads for words" {
  same deberta-class class
  same deberta-tanh-class class
  same deberta-token token
  same deberta-span span
  same deberta-mask mask
  same deberta-legacy-mask mask
}
@test "ELECTRA, its embeddings narrower than its states" {
  same electra-class class
  same electra-mask mask
}
@test "ALBERT" {
  same albert-class class
  same albert-mask mask
}

@test "-a: logits for every token" {
  weft head -m "$(golden models/bert-pretraining)" -T mask -a "$G/bert-pretraining.safetensors" >all
  allclose "$G/bert-pretraining.safetensors" all want.mask.all=token.logit 1e-4
  weft head -m "$(golden models/gpt2-lm)" -a "$G/gpt2-lm.safetensors" >all
  allclose "$G/gpt2-lm.safetensors" all want.lm.all=token.logit 1e-4
  show --digest all >names
  run grep -c pick names
  [ "$output" = 0 ]
  fails_with 2 '-T class has one answer a row' weft head -T class -a all
  fails_with 1 'the class head of' weft head -m "$(golden models/bert-class)" -a all
}

# Three rows of bert-pretraining's ids: two masks, one, none (4 is the mask, 2 and 3 the ends).
each_setup() {
  P=$(golden models/bert-pretraining)
  printf '%s\n' "2 20 4 21 4 3" "2 4 30 3" "2 40 41 42 3" >rows
  tok --ids -m "$P" rows | encode >hidden
}

@test "mask tokens alone are picked, counted from the frame's first token" {
  weft head -T mask hidden >logits
  show logits >out
  grep -q '^task  *mask$' out
  run grep -q '^classes' out
  [ "$status" -eq 1 ]
  grep -q 'pick.logit  *F32  *\[3, 228\]' out
  show -n pick.token logits | od -An -t d8 -j 128 | tr -s ' \n' ' ' >at
  [ "$(cat at)" = " 2 4 7 " ]
  show --digest logits >names
  run grep -c token.hidden names
  [ "$output" = 0 ]
}

# digest: of all but the number of the record, of which each `tok` has its own.
digest() {
  show --digest | grep -v row.source
}

@test "how rows fall into frames is no matter" {
  local i
  weft head -T mask hidden | digest >a
  for i in 1 2 3; do
    sed -n "${i}p" rows | tok --ids -m "$P" | encode
  done | weft head -T mask | digest >b
  cmp a b
  weft head -a -T mask hidden | digest >a
  for i in 1 2 3; do
    sed -n "${i}p" rows | tok --ids -m "$P" | encode
  done | weft head -a -T mask | digest >b
  cmp a b
  weft head -j 1 -a -T mask hidden | digest | cmp - a
}

@test "one head is taken; of several, mask where every row has one" {
  sed 2q rows | tok --ids -m "$P" | encode >masked
  weft head masked | show | grep -q '^task  *mask$'
  weft head masked | show --digest >a
  weft head -T mask masked | show --digest | cmp - a
  weft head -T next masked | show >out
  grep -q '^classes  *\["is_next","not_next"\]$' out
  sed -n 3p rows | tok --ids -m "$P" | encode >none
  fails_with 1 'row 1: no mask token [MASK]: ' weft head none
  fails_with 1 'has several heads: -T one of mask, next' weft head none
  weft head -m "$(golden models/bert-span)" "$G/bert-span.safetensors" | show >out
  grep -q '^classes  *\["start","end"\]$' out
}

@test "a row without a mask where the rows were to tell: told, after those before it" {
  run --separate-stderr weft head hidden
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"hidden: row 3: no mask token [MASK]: "*"-T one of mask, next" ]]
  weft head hidden 2>/dev/null | "$WEFT_UNIT/frames" -d >got 2>/dev/null || true
  [ "$(wc -l <got)" -eq 2 ]
}

@test "no row has a mask, and mask was asked for: no picks" {
  sed -n 3p rows | tok --ids -m "$P" | encode | weft head -T mask | show >out
  grep -q 'pick.logit  *F32  *\[0, 228\]' out
}

@test "the mask's id is the stream's, else the tokenizer's" {
  PATH=$WEFT_UNIT:$PATH
  printf 'meta model %s\nmeta mask 21\nids 2 20 4 21 4 3\n' "$P" | mkstream | encode >said
  weft head -T mask said | show -n pick.token | od -An -t d8 -j 128 | tr -d ' \n' >at
  [ "$(cat at)" = 3 ]
  echo "a [MASK] b" | tok -m "$P" | show | grep -q '^mask  *4$'
}

@test "a head that the checkpoint lacks: what it has" {
  fails_with 1 'BertForPreTraining has no class head, but mask, next' weft head -T class hidden
  fails_with 1 'BertForPreTraining has no lm head, but mask, next' weft head -T lm hidden
  tok --ids -m "$(golden models/bert-token)" rows | encode >tokens
  fails_with 1 'BertForTokenClassification has no class head, but token' weft head -T class tokens
  tok --ids -m "$(golden models/bert-model)" rows | encode >bare
  fails_with 1 'BertModel has no class head: train one' weft head bare
  fails_with 1 'BertModel has no mask head, nor any other' weft head -T mask bare
}

@test "a head of tokens after pool, and of another layer" {
  fails_with 1 'leave pool out' weft head -T mask <(pool --mean hidden)
  tok --ids -m "$P" rows | encode -L 1 >one
  fails_with 1 'layer 1' weft head -T mask one
  fails_with 1 'was made for' weft head -m "$(golden models/bert-mask)" hidden
  pool --pooler hidden | weft head -T next | show --digest | grep row.logit >a
  weft head -T next hidden | show --digest | grep row.logit | cmp - a
}

@test "GPT-2's last token by pool" {
  local m
  m=$(golden models/gpt2-class)
  echo "20 30 40" | tok --ids -m "$m" | encode >states
  pool --last states | weft head | show --digest | grep row.logit >a
  weft head states | show --digest | grep row.logit | cmp - a
}

@test "BART without a token that ends a text" {
  local m
  m=$(golden models/bart-mnli)
  printf '0 20 30 2\n0 20 30\n' | tok --ids -m "$m" | encode >states
  fails_with 1 'states: row 2: no token that ends a text' weft head states
}

@test "picks of another head make way together" {
  # A row of five tokens, one of them the mask (4), their states 0; two picks that are not head's.
  { header '{"__metadata__":{"weft":"1","mask":"4","end":"ok"},"row.tokens":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},"pick.token":{"dtype":"I64","shape":[2],"data_offsets":[16,32]},"token.id":{"dtype":"I32","shape":[5],"data_offsets":[32,52]},"pick.other":{"dtype":"F32","shape":[2,2],"data_offsets":[52,68]},"token.hidden":{"dtype":"F32","shape":[5,24],"data_offsets":[68,548]}}'
    printf '\0\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0'
    printf '\2\0\0\0\x9\0\0\0\4\0\0\0\x8\0\0\0\3\0\0\0'
    head -c 496 /dev/zero; } >other.weft
  "$WEFT_UNIT/frames" -d other.weft | grep -q 'pick.token: 0 1'
  weft head -m "$(golden models/bert-mask)" -T mask other.weft >logits
  "$WEFT_UNIT/frames" -d logits >rows
  grep -q 'pick.token: 2' rows
  run ! grep pick.other rows
}
