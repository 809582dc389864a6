# examples.bats - examples/pipelines: each script says what transformers' pipelines say of the same
# texts (tests/oracle/pipelines.py), or what its parts do by hand; and all keep the same manners.
load helper

each_setup() {
  PATH=$TOP/examples/pipelines:$PATH
}

model() {
  golden "models/$1"
}

# texts CASE: the texts of a golden case, a line each.
texts() {
  sed 's/^{"text": "\(.*\)"}$/\1/' "$(golden "pipelines/$1.jsonl")"
}

# pairs CASE FIRST SECOND: its texts and pairs as CSV with these columns.
pairs() {
  echo "$2,$3"
  sed 's/^{"text": \(".*"\), "pair": \(".*"\)}$/\1,\2/' "$(golden "pipelines/$1.jsonl")"
}

# agrees WANT: standard input is what the pipeline said.
agrees() {
  cat >got
  "$WEFT_UNIT/jsonclose" "$(golden "pipelines/$1")" got 1e-4
}

@test "sentiment: text-classification's labels and scores" {
  texts bert-class | sentiment.sh "$(model bert-class)" --json | agrees bert-class.json
  texts bert-class | sentiment.sh "$(model bert-class)" -k 2 --json | agrees bert-class.k-2.json
  [ "$(echo 'I love this' | sentiment.sh "$(model bert-class)" | cut -f 1)" = neutral ]
}

@test "fill-mask: five words; those of --targets" {
  texts bert-mask | fill-mask.sh "$(model bert-mask)" --json | agrees bert-mask.json
  texts roberta-mask | fill-mask.sh "$(model roberta-mask)" --json | agrees roberta-mask.json
  texts bert-mask | fill-mask.sh "$(model bert-mask)" >got
  [ "$(sed -n 1p got | cut -f 1,2,4)" = $'1\tlike\tthe cat sat on the like.' ]
  sed -n 1p got | awk '$3 < 0.21234 || $3 > 0.21236 { exit 1 }'
  echo 'the cat is a [MASK]' | fill-mask.sh "$(model bert-mask)" --targets mat,cat |
    cut -f 2 | sort | tr '\n' ' ' >got
  [ "$(cat got)" = "cat mat " ]
}

@test "bias-probe: the words of two sentences, side by side" {
  bias-probe.sh 'the cat is a [MASK]' 'the company is a [MASK]' "$(model bert-mask)" >got
  [ "$(wc -l <got)" -eq 10 ]
  local one
  for one in 1:cat 3:company; do
    echo "the ${one#*:} is a [MASK]" | fill-mask.sh "$(model bert-mask)" -k 10 | cut -f 2,3 >want
    cut -f "${one%:*},$((${one%:*} + 1))" got | cmp want
  done
}

@test "ner: entities, words taken together" {
  texts bert-token | ner.sh "$(model bert-token)" --json | agrees bert-token.aggregate-simple.json
  printf 'Bob\n\nAnna\n' | ner.sh "$(model bert-token)" | cut -f 1-4,6 >got
  diff - got <<<$'1\t0\t3\tPER\tBob\n3\t0\t4\tPER\tAnna'
}

@test "qa: answers of questions whose contexts fit" {
  pairs bert-span question context | sed -n '1,4p' | qa.sh "$(model bert-span)" --json >three
  sed 3q "$(golden pipelines/bert-span.json)" >want
  "$WEFT_UNIT/jsonclose" want three 1e-4
  pairs bert-span question context | sed -n '1,2p' | qa.sh "$(model bert-span)" | cut -f 1,2,4 >got
  [ "$(cat got)" = $'5\t16\tSmith lives' ]
}

@test "zero-shot: the scores of any classes" {
  texts bart-mnli-candidates |
    zero-shot.sh 'good,bad flight,cat,a company' "$(model bart-mnli)" --json |
    agrees bart-mnli-candidates.json
  texts bert-nli-candidates |
    zero-shot.sh 'good,bad flight,cat,a company' "$(model bert-nli)" --multi --json |
    agrees bert-nli-candidates.multi.json
  fails_with 2 "which classes?" zero-shot.sh </dev/null
}

@test "next sentence: both probabilities" {
  pairs bert-next first second | next-sentence.sh "$(model bert-next)" --json |
    agrees bert-next.json
  pairs bert-next first second | next-sentence.sh "$(model bert-pretraining)" >got
  [ "$(awk '{ print ($1 + $2 > 0.99999 && $1 + $2 < 1.00001) }' got | sort -u)" = 1 ]
}

@test "features: the last hidden states, tokens by width" {
  echo 'the cat sat' | features.sh "$(model bert-class)" >got.npy
  echo 'the cat sat' | tok -m "$(model bert-class)" | encode | show -n token.hidden | cmp got.npy
  head -c 128 got.npy | grep -qaF '(5, 32)'
}

@test "similarity: the cosine of two texts" {
  [ "$(similarity.sh 'the cat' 'the cat' "$(model sentence)" | cut -c 1-5)" = 1 ] ||
    [ "$(similarity.sh 'the cat' 'the cat' "$(model sentence)" | cut -c 1-6)" = 0.9999 ]
  printf '%s\n' 'the cat' 'a dog "on" board' | tok -m "$(model sentence)" | encode | pool |
    show -r | sed 's/.*"vector": \[\(.*\)\].*/\1/' >vectors
  awk -F ', ' 'NR == 1 { split($0, a) } NR == 2 { split($0, b) }
    END { for (i in a) { d += a[i] * b[i]; x += a[i] ^ 2; y += b[i] ^ 2 }
          print d / sqrt(x * y) }' vectors >want
  similarity.sh 'the cat' 'a dog "on" board' "$(model sentence)" >got
  paste want got | awk '{ exit !(($1 - $2) ^ 2 < 1e-10) }'
  fails_with 2 "which two texts?" similarity.sh 'the cat'
}

@test "search: the nearest lines, their vectors computed once" {
  printf '%s\n' 'the cat sat on the mat' 'I love this flight' 'bad service' >notes.txt
  echo 'I love this flight' | search.sh notes.txt "$(model sentence)" >got
  [ "$(cut -f 1,2,4 got | sed 1q)" = $'1\t1\tI love this flight' ]
  [ "$(wc -l <got)" -eq 3 ] # of five, those there are
  [ ! -e notes.txt.new ]
  touch -d '1 hour ago' notes.txt
  local before
  before=$(stat -c %Y.%i notes.txt.weft)
  echo cat | search.sh notes.txt "$(model sentence)" >got
  [ "$(stat -c %Y.%i notes.txt.weft)" = "$before" ]
  touch -d '1 hour' notes.txt
  echo cat | search.sh notes.txt "$(model sentence)" | cmp got
  [ "$(stat -c %Y.%i notes.txt.weft)" != "$before" ]
}

@test "the real model: what is alike in meaning is near" {
  need_model
  export WEFT_MODEL
  WEFT_MODEL=$(real_model)
  similarity.sh 'Two kittens sleep.' 'A pair of cats is asleep.' >alike
  similarity.sh 'Two kittens sleep.' 'The central bank raised its rates.' >other
  paste alike other | awk '{ exit !($1 > 0.6 && $2 < 0.2) }' || { paste alike other >&2; false; }
  printf '%s\n' 'The central bank raised its rates.' 'A pair of cats is asleep.' 'It rains.' >notes.txt
  [ "$(echo 'interest on loans' | search.sh notes.txt | cut -f 2,4 | sed 1q)" = \
    $'1\tThe central bank raised its rates.' ]
}

@test "search: what fails leaves no vectors" {
  echo 'the cat' >notes.txt
  fails_with 1 "no/model" search.sh notes.txt no/model </dev/null
  [ ! -e notes.txt.weft ]
}

@test "perplexity: of each line and of all" {
  printf '%s\n' 'the cat sat on the mat' 'bad service' >lines.txt
  perplexity.sh "$(model gpt2-lm)" <lines.txt >got
  tok -m "$(model gpt2-lm)" lines.txt | ppl | cmp got
  [ "$(cut -f 1 got | tr '\n' ' ')" = "1 2 all " ]
  awk -F '\t' '{ d = exp($3) / $4 - 1; if (d * d > 1e-9) exit 1 }' got
}

@test "generate: lines that go on" {
  printf '%s\n' 'the cat' 'bad service' >lines.txt
  generate.sh "$(model gpt2-lm)" --max-new 3 <lines.txt >got
  tok -m "$(model gpt2-lm)" lines.txt | gen --max-new 3 --prompt | tok --decode | cmp got
  [ "$(cut -c 1-7 got | tr '\n' '|')" = "the cat|bad ser|" ]
}

@test "summarize, translate: transformers' answers, by the task's settings" {
  printf '%s\n' 'the cat sat on the mat' 'no way to get home' 'we love the great service' >lines
  tok -m "$(model t5-writer)" --task translation_en_to_fr lines | gen | tok --decode --json |
    sed 's/, "finish".*/}/' | cmp - "$(golden pipelines)/t5-writer.json"
  tok -m "$(model bart-writer)" --task summarization lines | gen | tok --decode --json |
    sed 's/, "finish".*/}/' | cmp - "$(golden pipelines)/bart-writer.json"
  translate.sh translation_en_to_fr "$(model t5-writer)" <lines >got
  tok -m "$(model t5-writer)" --task translation_en_to_fr lines | gen | tok --decode | cmp - got
  translate.sh - "$(model t5-writer)" --max-new 3 <lines >got
  tok -m "$(model t5-writer)" lines | gen --max-new 3 | tok --decode | cmp - got
  summarize.sh "$(model bart-writer)" --max-new 5 <lines >got
  tok -m "$(model bart-writer)" --task summarization lines | gen --max-new 5 | tok --decode | cmp - got
  [ "$(wc -l <got)" -eq 3 ]
}

@test "WEFT_MODEL is the model where none is named; without either, the usual one" {
  export WEFT_MODEL
  WEFT_MODEL=$(model bert-class)
  echo 'the cat' | sentiment.sh >got
  echo 'the cat' | sentiment.sh "$WEFT_MODEL" | cmp got
  WEFT_MODEL=$(model bart-mnli)
  echo 'the cat' | zero-shot.sh good,bad >got
  echo 'the cat' | zero-shot.sh good,bad "$WEFT_MODEL" | cmp got
  unset WEFT_MODEL
  export HF_HOME=$PWD/none
  local script
  for script in "$TOP"/examples/pipelines/*.sh; do
    run --separate-stderr "$script" one two </dev/null # each has two operands at most before it
    case $script in
    *bias-probe.sh | *similarity.sh) [[ $stderr == *"weft get "*/* ]] ;;
    *) [[ $stderr == *one* || $stderr == *two* ]] ;;
    esac || { echo "$script: $stderr" >&2; false; }
    [ "$status" -eq 1 ]
  done
}

@test "options alone are options, for the usual model" {
  export WEFT_MODEL
  WEFT_MODEL=$(model bert-class)
  echo 'the cat' | sentiment.sh -k 0 >got
  echo 'the cat' | sentiment.sh "$WEFT_MODEL" -k 0 | cmp got
  [ "$(wc -l <got)" -eq 3 ]
  WEFT_MODEL=$(model bart-mnli)
  echo 'the cat' | zero-shot.sh good,bad --multi -k 0 >got
  echo 'the cat' | zero-shot.sh good,bad "$WEFT_MODEL" --multi -k 0 | cmp got
  WEFT_MODEL=$(model gpt2-lm)
  echo 'the cat' | generate.sh --max-new 3 >got
  echo 'the cat' | generate.sh "$WEFT_MODEL" --max-new 3 | cmp got
  echo 'the cat' | perplexity.sh --json | grep -q '^{'
  WEFT_MODEL=$(model t5-writer)
  echo 'the cat' | translate.sh --max-new 3 >got
  echo 'the cat' | translate.sh translation_en_to_fr "$WEFT_MODEL" --max-new 3 | cmp got
  echo 'the cat' | translate.sh - --max-new 3 >got
  echo 'the cat' | translate.sh - "$WEFT_MODEL" --max-new 3 | cmp got
}

@test "a program that fails: so does the script" {
  local script
  for script in sentiment fill-mask ner next-sentence qa perplexity features; do
    fails_with 1 "no/model" $script.sh no/model </dev/null
  done
}

@test "they run wherever weft is installed" {
  mkdir -p usr/bin usr/libexec/weft
  cp -P "$WEFT_BIN"/* usr/libexec/weft/ 2>/dev/null || true
  ln -s ../libexec/weft/weft usr/bin/weft
  echo 'I love this' | PATH=$PWD/usr/bin:/usr/bin:/bin \
    "$TOP/examples/pipelines/sentiment.sh" "$(model bert-class)" >got
  echo 'I love this' | sentiment.sh "$(model bert-class)" | cmp got
}

# cached NAME MODEL: the golden model, by that name in a Hugging Face cache.
cached() {
  local repo=$HF_HOME/hub/models--${1/\//--}
  mkdir -p "$repo/refs" "$repo/snapshots"
  printf 0123456789 >"$repo/refs/main"
  ln -s "$(model "$2")" "$repo/snapshots/0123456789"
}

@test "README's tasks run as they stand" {
  export HF_HUB_OFFLINE=1 HF_HOME=$PWD/home
  cached distilbert/distilbert-base-uncased-finetuned-sst-2-english distilbert-class
  cached facebook/bart-large-mnli bart-mnli
  cached dbmdz/bert-large-cased-finetuned-conll03-english bert-token
  cached distilbert/distilbert-base-cased-distilled-squad distilbert-span
  cached google-bert/bert-base-uncased bert-pretraining
  cached sentence-transformers/all-MiniLM-L6-v2 sentence
  cached cross-encoder/ms-marco-MiniLM-L6-v2 bert-rerank
  cached openai-community/gpt2 gpt2-lm
  cached sshleifer/distilbart-cnn-12-6 bart-writer
  cached google-t5/t5-base t5-writer
  sed -n '/^## Tasks/,/^## Recipes/s/^    //p' "$TOP/README.md" >tasks.sh
  [ "$(grep -c '^[a-z]*=' tasks.sh)" -eq 10 ]
  run --separate-stderr bash -e -o pipefail tasks.sh
  [ "$status" -eq 0 ] || { echo "$stderr" >&2; false; }
  [ -s features.npy ]
  local task
  for task in text-classification zero-shot-classification token-classification \
    question-answering fill-mask 'next sentence' feature-extraction 'semantic search' reranking perplexity text-generation summarization translation; do
    grep -q "^#.*$task" tasks.sh
  done
}

@test "the scripts' usual models are README's" {
  local name
  cat "$TOP"/examples/pipelines/*.sh | grep -o 'WEFT_MODEL:-[^}]*' | sed 's/.*:-//' | sort -u >used
  [ -s used ]
  while read -r name; do
    [ "$name" = distilbert/distilbert-base-cased ] || grep -qF "get $name)" "$TOP/README.md" ||
      { echo "$name" >&2; false; }
  done <used
}

@test "each is short, in POSIX sh, says in two lines what it answers, and is in the cookbook" {
  local script name
  for script in "$TOP"/examples/pipelines/*.sh; do
    name=$(basename "$script")
    [ -x "$script" ]
    [ "$(wc -l <"$script")" -lt 15 ]
    [ "$(sed -n 1p "$script")" = '#!/bin/sh' ]
    [ "$(sed -n '2,5p' "$script" | grep -c '^# ')" -eq 2 ]
    sed -n 2p "$script" | grep -q "^# $name "
    sh -n "$script"
    grep -qF "$name" "$TOP/man/weft-cookbook.7"
    ! command -v dash >/dev/null || dash -n "$script"
  done
}
