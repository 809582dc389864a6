# faults.bats - calls that fail, in every program: memory, reading, writing, opening, closing,
# renaming, mapping, threads (tests/faults/sweep.c says what has to hold). A sample of the calls, by
# $FAULTS_SEED; all of them with FAULTS_ALL=1, as `make faults` does it.
# shellcheck disable=SC2016 # sweeps() expands them
load helper

each_setup() {
  [ -e "$WEFT_UNIT/faults/inject.so" ] || skip "calls cannot be made to fail under a sanitizer"
  export FAULTS_LIB=$WEFT_UNIT/faults/inject.so WEFT_DEVICE=cpu M
  M=$(golden models)
  mkdir given here
  printf 'the cat sat\na dog, 12 \xc3\xa9\n' >given/text
  printf 'text,y\nthe cat,pos\na dog,neg\n"on, the",pos\na man,neg\n' >given/csv
}

# sweeps: each line of standard input is `sweep`'s arguments: [OPTION...] NAME PROGRAM [ARG...]. Each
# runs in a folder that holds what is in ./given.
sweeps() {
  local line bad=0
  while IFS= read -r line; do
    rm -rf here
    cp -r given here
    (cd here && eval "$WEFT_UNIT/faults/sweep $line") >figures || bad=1
    tee -a "${FAULTS_SUMMARY:-/dev/null}" <figures
  done
  return $bad
}

ids() { tok -q -m "$M/$1" given/text >given/ids; }

need_gnuplot() { command -v gnuplot || skip "no gnuplot"; }

# hidden MODEL; vectors: labelled ones.
hidden() { ids "$1" && encode -q -m "$M/$1" given/ids >given/hidden; }
vectors() {
  tok -q -m "$M/bert-class" -c text -l y given/csv | encode -q -m "$M/bert-class" |
    pool --mean >given/vectors
}
logits() { hidden "$1" && weft-head -q -m "$M/$1" given/hidden >given/logits; }

@test "tok: lines, WordPiece" {
  sweeps <<<'-i text tok-lines tok -q -m "$M/bert-class"'
}

@test "tok: a stream" {
  printf 'text,y,p\nthe cat,pos,a mat\na dog,neg,on\n' | tok -q -m "$M/bert-class" -c text -l y -p p >given/pairs
  sweeps <<<'-i pairs tok-stream tok -q -m "$M/bert-rerank" pairs'
}

@test "tok: CSV with labels" {
  sweeps <<<'tok-csv tok -q -m "$M/bert-class" -c text -l y -j 1 csv'
}

@test "tok: JSON lines" {
  printf '{"text":"the c\\u00e9","y":1}\n{"text":"a dog","y":null}\n' >given/json
  sweeps <<<'tok-json tok -q -m "$M/bert-class" -J text -l y json'
}

@test "tok: CoNLL" {
  printf 'the\tO\ncat\tB-A\n\na\tO\n' >given/conll
  sweeps <<<'tok-conll tok -q -m "$M/bert-token" --conll conll'
}

@test "tok: whole files" {
  mkdir given/pos
  cp given/text given/pos/a
  echo pos/a >given/names
  sweeps <<<'-i names tok-files tok -q -m "$M/bert-class" -F --label-dir'
}

@test "tok: candidates and windows" {
  sweeps <<'END'
tok-candidates tok -q -m "$M/bert-nli" -z 'sport,war' text
tok-windows tok -q -m "$M/bert-class" -n 5 -S 1 text
END
}

@test "tok: byte-level BPE, from tokenizer.json and from its two files" {
  sweeps <<'END'
tok-bpe tok -q -m "$M/bpe-gpt2" text
tok-bpe-files tok -q -m "$M/bpe-gpt2-files" text
END
}

@test "tok: Unigram and SentencePiece's BPE" {
  sweeps <<'END'
tok-unigram tok -q -m "$M/unigram-albert" text
tok-spbpe tok -q -m "$M/spbpe-llama" text
tok-marian tok -q -m "$M/marian-spm" text
END
}

@test "tok: SentencePiece's file, vocab.txt" {
  mkdir spiece words
  cp "$M/unigram-albert/spiece.model" spiece/
  [ ! -e "$M/unigram-albert/tokenizer_config.json" ] || cp "$M"/unigram-albert/tokenizer_config.json spiece/
  printf '{"model_type":"albert"}' >spiece/config.json
  cp "$M"/bert-class/{vocab.txt,tokenizer_config.json} words/
  sweeps <<'END'
tok-spiece tok -q -m ../spiece text
tok-vocab tok -q -m ../words text
END
}

@test "tok: by several threads" {
  for i in {1..3000}; do echo "the cat $i sat on a mat, the dog too"; done >given/long
  FAULTS_SAMPLES=4 sweeps <<<'tok-threads tok -q -m "$M/bert-class" -j 3 long'
}

@test "tok: ids" {
  printf '2 17 3\n5\n' >given/numbers
  sweeps <<<'tok-ids tok -q -m "$M/bert-class" --ids numbers'
}

@test "tok: back to text" {
  ids bert-class
  sweeps <<<'tok-decode tok -q -m "$M/bert-class" --decode ids'
}

@test "embed, encode" {
  ids bert-class
  sweeps <<'END'
embed embed -q -m "$M/bert-class" ids
-i ids encode encode -q -m "$M/bert-class"
END
}

@test "tok, embed, pool: static embeddings" {
  local S=$TOP/tests/golden/static
  tok -q -m "$S/m2v-shared/model" given/text >given/ids
  embed given/ids >given/rows
  sweeps <<END
tok-static tok -q -m "$S/m2v-words/model" text
embed-static embed -q -m "$S/m2v-shared/model" ids
pool-static pool -q rows
END
}

@test "encode: shards, two threads" {
  ids bert-sharded
  sweeps <<<'encode-shards encode -q -m "$M/bert-sharded" -j 2 ids'
}

@test "encode: pytorch_model.bin" {
  tok -q --ids -m "$M/gpt2" <<<'1 2 3' >given/ids
  sweeps <<<'encode-torch encode -q -m "$M/gpt2" ids'
}

@test "pool" {
  hidden bert-class
  sweeps <<'END'
pool-mean pool --mean -n hidden
pool pool -q -m "$M/bert-class" hidden
END
}

@test "head" {
  hidden bert-class
  sweeps <<<'head weft-head -q -m "$M/bert-class" hidden'
}

@test "head: picked tokens" {
  echo 'the [MASK] sat' >given/text
  hidden bert-mask
  sweeps <<<'head-mask weft-head -q -m "$M/bert-mask" hidden'
}

@test "head: one that train made" {
  vectors
  train -q -e 1 -o made given/vectors
  sweeps <<<'head-made weft-head -q -m ../made vectors'
}

@test "head: which of the two" {
  hidden bert-class
  sweeps <<'END'
head-choice head -q -m "$M/bert-class" hidden
-i text head-other head -n 1
END
}

@test "score: classes as TSV, JSON, CSV, measured" {
  vectors
  train -q -e 1 -o made given/vectors
  weft-head -q -m made given/vectors >given/logits
  sweeps <<'END'
score score logits
score-json score --json -k 2 logits
score-csv score --csv logits
score-eval score -e logits
END
}

@test "score: a group, sorted" {
  printf 'text,p\nthe cat,a mat\nthe cat,on\n' | tok -q -m "$M/bert-rerank" -c text -p p >given/ids
  encode -q -m "$M/bert-rerank" given/ids | weft-head -q -m "$M/bert-rerank" >given/logits
  sweeps <<'END'
score-sort score --sort logits
score-sort-json score --sort --json logits
END
}

@test "score: words" {
  printf 'the [MASK] sat\n' >given/text
  logits bert-mask
  sweeps <<<'score-mask score -m "$M/bert-mask" -k 3 logits'
}

@test "score: entities" {
  printf 'the cat sat\n' >given/text
  logits bert-token
  sweeps <<<'score-token score -m "$M/bert-token" --aggregate simple logits'
}

@test "score: spans" {
  printf 'q,c\nthe cat,a man sat\n' | tok -q -m "$M/bert-span" -c q -p c |
    encode -q -m "$M/bert-span" | weft-head -q -m "$M/bert-span" >given/logits
  sweeps <<<'score-span score -m "$M/bert-span" --json logits'
}

@test "ppl" {
  tok -q -m "$M/gpt2-lm" given/text >given/ids
  sweeps <<<'ppl ppl -q -m "$M/gpt2-lm" -v ids'
}

@test "gen" {
  tok -q -m "$M/gpt2-lm" given/text >given/ids
  sweeps <<'END'
gen gen -q -m "$M/gpt2-lm" --max-new 3 ids
gen-beams gen -q -m "$M/gpt2-lm" --beams 2 --max-new 3 ids
-x kept gen-cache gen -q -m "$M/gpt2-lm" --max-new 2 --cache kept ids
END
}

@test "train" {
  vectors
  sweeps <<'END'
train train -q -e 2 -o head vectors
-x log train-log train -q -e 1 --head mlp:3 -v vectors -o head --log log vectors
END
}

@test "train: adapters, and a teacher" {
  vectors
  tok -q -m "$M/bert-class" -c text -l y given/csv >given/ids
  show given/ids | awk '$1 == "rows" { for (i = 0; i < $2; i++)
    print "[{\"label\": \"a\", \"score\": 0.25}, {\"label\": \"b\", \"score\": 0.75}]" }' >given/said
  sweeps <<'END'
train-teacher train -q -e 1 --teacher said -o head vectors
train-lora train -q --max-steps 1 --lora 1 --lora-only -o head ids
END
}

@test "train: over the one that is there" {
  vectors
  (cd given && train -q -e 1 -o head vectors)
  sweeps <<<'train-force train -q -e 2 --force -o head vectors'
}

@test "deal" {
  vectors
  sweeps <<'END'
-i vectors deal deal 50:a 50:b
-i vectors deal-label deal --by label -n 2:a 1:-
END
}

@test "deal: over old ones" {
  vectors
  (cd given && deal -s 7 25:a 75:b <vectors)
  sweeps <<<'-a -l -i vectors deal-old deal 50:a 50:b'
}

@test "show: streams" {
  vectors
  ids bert-class
  sweeps <<'END'
-t show show ids
show-model show -m "$M/bert-class" ids
show-rows show -r vectors
show-npy show -n row.vector vectors
show-pad show --pad 0 -m "$M/bert-class" ids
show-digest show --digest vectors
show-lengths show --lengths ids
END
}

@test "show: one document, a folder" {
  vectors
  sweeps <<'END'
show-document show -o doc.safetensors vectors
-t show-folder show "$M/bert-class"
END
}

@test "show: one document over an old one" {
  vectors
  echo old >given/doc.safetensors
  sweeps <<<'show-document-old show -o doc.safetensors vectors'
}

@test "near" {
  vectors
  sweeps <<'END'
-i vectors near near -k 2 vectors
-i vectors near-pairs near -k 2 --pairs vectors
END
}

@test "plot: logs, reports, the terminal" {
  need_gnuplot
  printf 'step\tloss\n1\t2\n2\t1\n' >given/log
  vectors
  train -q -e 1 -o made given/vectors
  weft-head -q -m made given/vectors | score --csv >given/scored
  sweeps <<'END'
plot plot -y loss log
plot-picture plot -y loss -o log.svg log
-i scored plot-margins plot --margins -o margins.svg
END
}

@test "plot: a stream, over an old picture" {
  need_gnuplot
  vectors
  echo old >given/map.svg
  sweeps <<<'-i vectors plot-map plot --map -o map.svg'
}

@test "weft" {
  sweeps <<'END'
weft-list weft --list
-i text weft-tok weft tok -q -m "$M/bert-class"
END
}

@test "get" {
  hub_for_faults
  sweeps <<<'-r -l get get -q org/tiny'
}

teardown() {
  if [ -n "${HUB:-}" ]; then kill "$HUB"; fi
}
