# static.bats - static embeddings: folders as model2vec and sentence-transformers save them, ids and
# vectors against theirs (tests/oracle/static.py).
load helper

G=$TOP/tests/golden/static
BOUND=1e-6
# What these two libraries round to 16 bits: half a unit of numbers under 1/2.
HALF=2.5e-4

# cases: all of them, ten at least.
cases() {
  local all
  mapfile -t all < <(cd "$G" && printf '%s\n' */ | tr -d /)
  [ ${#all[@]} -gt 10 ]
  printf '%s\n' "${all[@]}"
}

bound() {
  case $1 in *-f16) echo $HALF ;; *) echo $BOUND ;; esac
}

# a copy of CASE's folder that may be changed, as m.
arrange() {
  rm -rf m
  cp -r "$G/$1/model" m
  chmod -R u+w m
}

@test "ids: no special tokens, what is unknown, lengths" {
  local case bad=0
  for case in $(cases); do
    tok -q -m "$G/$case/model" "$G/texts" | show -r | grep -o '"ids": \[[^]]*\]' |
      sed 's/"ids": \[//; s/\]//; s/,//g' >got
    cmp -s got "$G/$case/want.ids" || { bad=1; echo "$case:"; diff got "$G/$case/want.ids" || true; }
  done
  [ "$bad" = 0 ]
}

@test "vectors: embed | pool, and encode | pool, are the libraries' own" {
  local case way bad=0
  for case in $(cases); do
    for way in embed encode; do
      tok -q -m "$G/$case/model" "$G/texts" | $way | pool >got
      "$WEFT_UNIT/allclose" "$G/$case/want.safetensors" got row.vector "$(bound "$case")" >said 2>&1 ||
        { bad=1; echo "$case, $way: $(cat said)"; }
    done
  done
  [ "$bad" = 0 ]
}

@test "the same bits, whatever the frames and threads" {
  local j
  tok -q -m "$G/m2v-shared/model" "$G/texts" >ids
  embed -j 1 ids | pool -j 1 | show --digest >want
  for j in 2 5; do
    "$WEFT_UNIT"/frames -c 3 ids | embed -j $j | pool -j $j | show --digest | cmp - want
  done
}

@test "embed gives rows without their tokens, encode tokens that pool another way" {
  tok -q -m "$G/m2v/model" "$G/texts" >ids
  embed ids >rows
  [ "$(show rows | grep -c '^token\.')" = 0 ]
  show rows | grep -q '^layer  *0$'
  show rows | grep -q '^pool  *mean$'
  encode -L 0 ids | pool --max | show | grep -q '^row.vector  *F32  *\[8, 12\]'
  fails_with 1 "run the ids through \`encode\` in place of \`embed\`" pool --max rows
  fails_with 1 "static embeddings have no pooler" pool -m "$G/m2v/model" --pooler ids
  fails_with 1 "static embeddings have no layers: leave -L out" encode -L 1 ids
  fails_with 1 "static embeddings have no layers: leave --attention out" encode --attention ids
  encode -t bf16 ids | show | grep -q '^token.hidden  *BF16'
}

@test "a head on them, near and show" {
  printf 'a,b\nthe cat,x\none day,y\nthe mat,x\n' >t.csv
  tok -q -m "$G/st-unit/model" -c a -l b t.csv | embed | pool >v
  train -q --head linear -e 200 -o h v
  tok -q -m h -c a t.csv | embed | pool | weft head -m h | score | cut -f 1 >got
  printf 'x\ny\nx\n' | cmp - got
  tok -q -m h -c a t.csv | encode | weft head -m h | score | cut -f 1 | cmp - got
  [ "$(near -k 1 v <v | cut -f 4 | paste -sd ,)" = "the cat,one day,the mat" ]
  show "$G/st-unit/model" >said
  grep -q '^architecture StaticEmbedding$' said
  grep -q '^pools        mean,normalize$' said
  show "$G/m2v-shared/model" | grep -q '^model type   model2vec$'
}

@test "what knows no static embeddings says so" {
  printf 'a,b\nthe cat,x\none day,y\n' >t.csv
  local m
  for m in "$G/m2v/model" "$G/st/model"; do
    tok -q -m "$m" -c a -l b t.csv >ids
    fails_with 1 "static embeddings, which have neither layers nor heads" train -o x ids
    fails_with 1 "static embeddings, which have neither layers nor heads" weft head -m "$m" ids
  done
}

@test "ids of a transformer with the same vocabulary are refused" {
  tok -q -m "$(golden models/sentence)" "$G/texts" >ids
  fails_with 1 "the ids were made with the vocabulary of" embed -m "$G/m2v/model" ids
}

@test "prompts stand before texts, without a config.json, too" {
  arrange st
  sed -i 's/"query": ""/"query": "the cat "/' m/config_sentence_transformers.json
  tok -q -m m --task query <<<'sat' | show -r >got
  tok -q -m m <<<'the cat sat' | show -r | grep -o '"ids": [^]]*' >want
  grep -o '"ids": [^]]*' got | cmp - want
  fails_with 1 "has no tasks" tok -m m --task other <<<'sat'
}

@test "windows, pairs and other lengths leave out what is unknown, too" {
  printf 'the \u2603 cat sat on\n' >text
  tok -q -m "$G/m2v/model" -n 2 -S 0 text | show -r | grep -o '"ids": \[[^]]*\]' >got
  tok -q -m "$G/m2v/model" -n 0 text | show -r | grep -o '"ids": \[[^]]*\]' >whole
  [ "$(grep -o '[0-9]*' got | paste -sd ,)" = "$(grep -o '[0-9]*' whole | paste -sd ,)" ]
  printf 'a,b\nthe \u2603,\u2603 cat\n' >pair
  tok -q -m "$G/m2v/model" -c a -p b pair | show -r >got
  grep -q '"ids": \[73, 7, 150\]' got || { cat got; false; }
}

@test "folders that lack something, or do not go together" {
  tok -q -m "$G/m2v-shared/model" "$G/texts" >ids
  arrange st-dense
  sed -i 's/base.modules.normalize.Normalize/models.Pooling/' m/modules.json
  fails_with 1 "has no tokens to pool behind a StaticEmbedding" tok -m m "$G/texts"
  arrange m2v
  rm m/tokenizer.json
  fails_with 1 "no tokenizer.json, which static embeddings need" tok -m m "$G/texts"
  arrange m2v
  sed -i 's/"max_length": 512/"max_length": -1/' m/config.json
  fails_with 1 "config.json: max_length -1 is no number of tokens" tok -m m "$G/texts"
  arrange m2v-shared
  cp "$G/m2v-words/want.safetensors" m/model.safetensors
  fails_with 1 "neither a tensor embedding.weight nor embeddings" embed -m m ids
  arrange m2v-words
  printf '40\n' | tok -q --ids -m m >far
  fails_with 1 "token id 40 is outside the model's vocabulary of 9" embed far
}
