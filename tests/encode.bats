# encode.bats - encode and embed: which layer, which model, what they refuse. That the numbers
# are right is golden.bats; that a row's bits are its own, bits.bats.
load helper
PATH=$WEFT_UNIT:$PATH

each_setup() {
  bert=$(golden models/bert-class)
  mkstream >ids <<END
meta model $bert
ids 2 17 3 | text a
ids 2 30 40 3 | text b
frame
ids 2 3 | text
END
}

# copy NAME: a model folder that a test may spoil, as ./model.
copy() {
  cp -r "$(golden "models/$1")" model
  chmod -R u+w model
}

@test "layers: 0 is embed, the last is the default" {
  embed ids >a
  encode -L 0 ids >b
  allclose a b token.hidden 0
  encode ids >a
  encode --layer 2 ids >b
  allclose a b token.hidden 0
  run ! allclose a <(encode -L 1 ids) token.hidden 1e-3
}

@test "a layer that the model does not have" {
  fails_with 1 "has 2" encode -L 3 ids
  fails_with 2 "-L" encode -L -1 ids
  fails_with 2 "-L" encode -L 1x ids
}

@test "the model: -m, else the stream's, else WEFT_MODEL, else a message" {
  encode ids >want
  mkstream >bare <<<'ids 2 17 3
ids 2 30 40 3
ids 2 3'
  encode -m "$bert" bare >got
  allclose want got token.hidden 0
  WEFT_MODEL=$bert encode bare >got
  allclose want got token.hidden 0
  WEFT_MODEL=/nowhere encode ids >got
  allclose want got token.hidden 0
  fails_with 1 "WEFT_MODEL" encode bare
}

@test "a model that is not there" {
  fails_with 1 "weft get some/where" encode -m some/where ids
}

@test "a model in the Hugging Face cache, by name" {
  mkdir -p hub/models--some--bert/refs hub/models--some--bert/snapshots/abc
  printf abc >hub/models--some--bert/refs/main
  cp -r "$bert"/* hub/models--some--bert/snapshots/abc/
  HF_HUB_CACHE=$PWD/hub encode -m some/bert ids >got
  encode ids >want
  allclose want got token.hidden 0
  HF_HUB_CACHE=$PWD/hub fails_with 1 "other" encode -m some/bert@other ids
}

@test "without config.json, without weights" {
  copy bert-class
  rm model/config.json
  fails_with 1 "config.json" encode -m ./model ids
  cp "$bert/config.json" model
  rm model/model.safetensors
  fails_with 1 "model.safetensors" encode -m ./model ids
}

@test "a tensor of another shape than config.json says" {
  copy bert-class
  sed -i 's/"intermediate_size": 64/"intermediate_size": 65/' model/config.json
  fails_with 1 "intermediate.dense" encode -m ./model ids
}

@test "a weights file cut short, a shard that is missing" {
  copy bert-class
  truncate -s 50000 model/model.safetensors
  fails_with 1 "model.safetensors" encode -m ./model ids
  rm -r model
  copy bert-sharded
  rm model/model-00002-of-00004.safetensors
  fails_with 1 "model-00002-of-00004.safetensors" encode -m ./model ids
}

@test "an architecture that is not there" {
  copy bert-class
  sed -i 's/"model_type": "bert"/"model_type": "mamba"/' model/config.json
  fails_with 1 "mamba" encode -m ./model ids
}

@test "an id outside the vocabulary: rows before it are delivered" {
  mkstream >bad <<END
meta model $bert
ids 2 17 3
ids 2 463 3
ids 2 3
END
  fails_with 1 "463" encode bad
  [[ "$stderr" == *"encode: bad: "*"record 2"* || "$stderr" == *"row 2"* ]]
  encode bad >got 2>/dev/null || true
  [ "$(show -r got 2>/dev/null | wc -l)" -eq 1 ]
  mkstream >bad <<<"meta model $bert
ids 2 -1 3"
  fails_with 1 "-1" encode bad
}

@test "a row longer than the model's positions" {
  { echo "meta model $bert"; printf 'ids'; yes ' 17' | sed 65q | tr -d '\n'; echo; } |
    mkstream >long
  fails_with 1 "64" encode long
}

@test "ids of another vocabulary" {
  printf 'the cat\n' | tok -m "$(golden models/bert-cased)" >other
  fails_with 1 "vocabulary" encode -m "$bert" other
  # The same vocabulary in another folder is no other.
  printf 'the cat\n' | tok -m "$(golden models/bert-gamma)" >other
  encode -m "$(golden models/bert-sharded)" other >/dev/null
}

@test "vectors of two encoders do not mix" {
  mkstream >bare <<<'ids 2 17 3'
  encode -m "$(golden models/bert-gamma)" bare >a
  encode -m "$(golden models/bert-sharded)" bare >b
  cat a b >ab
  fails_with 1 "bert-sharded" pool --mean ab
}

@test "many frames, one on its way while the next is read: each row is its own" {
  local i
  for ((i = 0; i < 700; i++)); do echo "ids 2 $((i % 40 + 4)) $((i / 40 + 4)) 9 3 | text $i"; done |
    { echo "meta model $bert"; cat; } | mkstream >many
  for i in 1 2 3 4 5; do cat many; done | encode -j 1 >got
  encode -D cpu -j 1 <many >want
  for i in 1 2 3 4 5; do cat want; done >all
  allclose all got token.hidden 1e-4
  [ "$(show -r got | wc -l)" -eq 3500 ]
}

@test "a fault in a later frame: all rows before it are delivered" {
  { echo "meta model $bert"; for i in $(seq 700); do echo "ids 2 17 3"; done; } | mkstream >many
  printf 'meta model %s\nids 2 5 3\nids 2 9999 3\n' "$bert" | mkstream >bad
  fails_with 1 "outside the model's vocabulary" encode -j 1 many many bad >/dev/null
  encode -q -j 1 many many bad >got 2>/dev/null || true
  [ "$(show -r got 2>/dev/null | wc -l)" -eq 1401 ]
}

@test "what encode does not know it keeps" {
  encode ids >got
  allclose ids got token.id 0
  [ "$(show -r got | grep -o '"text": *"[ab]*"' | tr -d ' \n')" = '"text":"a""text":"b""text":""' ]
}

@test "bf16: hidden states of 16 bits, near those of 32" {
  encode ids >a
  encode -t bf16 ids >b
  show b | grep -q 'BF16'
  allclose a b token.hidden 0.1
  run ! allclose a b token.hidden 1e-6
}

@test "f16: hidden states of 32 bits, nearer those of f32 than bf16's" {
  encode ids >a
  encode -t f16 ids >b
  show b | grep -q 'token.hidden  *F32'
  allclose a b token.hidden 0.02
  run ! allclose a b token.hidden 1e-6
}

@test "a line is answered when it comes, not at the end" {
  mkfifo in
  tok -m "$bert" <in | encode | head | score >out &
  local n i to
  exec {to}<>in
  for n in 1 2 3; do
    echo "the cat sat" >&"$to"
    for i in $(seq 200); do
      [ "$(wc -l <out)" -lt "$n" ] || break
      sleep 0.05
    done
    [ "$(wc -l <out)" -eq "$n" ]
  done
  exec {to}>&-
  wait $!
}
