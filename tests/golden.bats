# golden.bats - ids, hidden states, vectors, logits and scores against transformers (tests/oracle).
load helper

BOUND=1e-4
G=$TOP/tests/golden/encode
allclose() { "$WEFT_UNIT/allclose" "$@"; }

# same_scores A.tsv B.tsv: row, label and score agree, line by line.
same_scores() {
  [ "$(wc -l <"$1")" -eq "$(wc -l <"$2")" ]
  paste "$1" "$2" | awk -F '\t' '
    { d = $3 - $6; if (d < 0) d = -d }
    $2 != $5 || !(d <= 1e-4) { print "line " NR ": " $0; bad = 1 }
    END { exit bad || NR == 0 }'
}

# hidden MODEL GOLDEN TEXTS [TOK OPTION...]: ids and hidden states, left in ids and hidden.
hidden() {
  local model=$1 golden=$2 texts=$3 layers layer
  shift 3
  tok -q -m "$model" -J text "$@" "$G/$texts" >ids
  allclose "$golden" ids token.id 0
  layers=$(grep -ao '"layer\.[0-9]*"' "$golden" | tr -dc '0-9\n' | sort -n)
  [ -n "$layers" ]
  for layer in $layers; do
    encode -L "$layer" <ids >hidden
    allclose "$golden" hidden "layer.$layer=token.hidden" "$BOUND"
  done
  encode <ids >hidden # the last layer, without being told which
  allclose "$golden" hidden "layer.$layer=token.hidden" "$BOUND"
}

vectors() {
  local golden=$1 kind
  shift
  for kind; do
    pool "--$kind" <hidden >v
    allclose "$golden" v "pool.$kind=row.vector" "$BOUND"
    pool "--$kind" -n <hidden >v
    allclose "$golden" v "pool.$kind.unit=row.vector" "$BOUND"
  done
}

answers() {
  head <hidden >logits
  allclose "$1.safetensors" logits row.logit "$BOUND"
  score -k "$(grep -c '^1	' "$1.scores.tsv")" <logits >scores
  same_scores "$1.scores.tsv" scores
}

classifier() {
  hidden "$(golden "models/$1")" "$G/$1.safetensors" texts.jsonl
  vectors "$G/$1.safetensors" mean cls max last pooler
  answers "$G/$1"
}

@test "bert-class: every layer, every pooling, logits, scores" { classifier bert-class; }
@test "bert-gamma: old names of LayerNorm, position_ids" { classifier bert-gamma; }
@test "bert-f16: weights of 16 bits" { classifier bert-f16; }
@test "bert-bf16: weights of 16 bits, bfloat16" { classifier bert-bf16; }
@test "bert-sharded: four files and an index" { classifier bert-sharded; }
@test "bert-cased: letters keep their case" { classifier bert-cased; }
@test "bert-relu: another activation, another epsilon" { classifier bert-relu; }
@test "bert-gelu-new: GELU by tanh" { classifier bert-gelu-new; }

@test "bert-model: names without bert., vocab.txt alone, heads of 12" {
  hidden "$(golden models/bert-model)" "$G/bert-model.safetensors" texts.jsonl
  vectors "$G/bert-model.safetensors" mean cls max last pooler
}

@test "sentence: the folder's own pooling and length" {
  hidden "$(golden models/sentence)" "$G/sentence.safetensors" texts.jsonl
  vectors "$G/sentence.safetensors" mean cls max last
  pool <hidden >v
  allclose "$G/sentence.safetensors" v pool.mean.unit=row.vector "$BOUND"
}

# architecture MODEL [LAYER [BOUND]]: every layer, and the attention weights, of rows of ids. `encode`
# by itself gives the last one, or that of a model whose decoder is for writing. BOUND: of bf16, for
# numbers of size 1, rounded time and again.
architecture() {
  local model layer layers
  model=$(golden "models/$1")
  tok --ids "$G/$1.ids" >ids
  layers=$(grep -ao '"layer\.[0-9]*"' "$G/$1.safetensors" | tr -dc '0-9\n' | sort -n)
  [ -n "$layers" ]
  for layer in $layers; do
    encode -m "$model" -L "$layer" <ids >hidden
    allclose "$G/$1.safetensors" hidden "layer.$layer=token.hidden" "$BOUND"
    encode -m "$model" -L "$layer" -t bf16 <ids >hidden
    allclose "$G/$1.safetensors" hidden "layer.$layer=token.hidden" "${3:-0.15}"
  done
  encode -m "$model" <ids >hidden
  allclose "$G/$1.safetensors" hidden "layer.${2:-$layer}=token.hidden" "$BOUND"
  if grep -q '"pool.pooler"' "$G/$1.safetensors"; then
    pool <hidden >v # what these models ask for by themselves
    allclose "$G/$1.safetensors" v pool.pooler=row.vector "$BOUND"
  fi
  if [ ! -e "$G/$1-look.ids" ]; then return; fi
  tok --ids "$G/$1-look.ids" | encode -m "$model" -L "$layer" --attention >hidden
  allclose "$G/$1-look.safetensors" hidden attention=token.attention "$BOUND"
}

@test "roberta: positions behind the padding id, padding within rows" { architecture roberta; }
@test "xlm-roberta: another padding id, four files" { architecture xlm-roberta; }
@test "camembert: old names of LayerNorm" { architecture camembert; }
@test "distilbert: no types, 16 bits" { architecture distilbert; }
@test "electra: narrow embeddings" { architecture electra; }
@test "albert: narrow embeddings, one layer three times" { architecture albert; }
@test "gpt2: norms first, causal, pytorch_model.bin" { architecture gpt2; }
@test "gpt2-scaled: norms first, attention scaled by layer" { architecture gpt2-scaled; }
@test "bart: encoder and decoder, scaled embeddings, five pickled files" { architecture bart; }
@test "mbart: norms first, the last token first" { architecture mbart; }
@test "marian-table: encoder and decoder, the checkpoint's own positions" { architecture marian-table 2; }
# Torch itself is 0.26 away in bf16 there.
@test "marian: sines and cosines, pytorch_model.bin" { architecture marian 2 0.25; }
@test "t5: bias by distance, heads of another width" { architecture t5; }
@test "mpnet: a bias by distance beside positions" { architecture mpnet; }
@test "opt: norms first, causal, positions from 2" { architecture opt; }
@test "llama: turned queries and keys, fewer keys, slowed turns" { architecture llama; }
@test "mistral: one head of keys, near ones alone" { architecture mistral; }
@test "qwen2: tied, with biases" { architecture qwen2; }
@test "qwen3: norms of queries and keys" { architecture qwen3; }
@test "modernbert: near and far by layer, no norm first" { architecture modernbert; }
# Torch itself is 0.19 away in bf16 there.
@test "deberta-v3: distances by the matrices of contents, ranges" { architecture deberta-v3 2 0.25; }
@test "deberta-v2: distances by matrices of their own, narrow embeddings" { architecture deberta-v2; }
@test "deberta-v2: one side alone, positions; no distances" {
  architecture deberta-v2-keys
  architecture deberta-v2-queries
  architecture deberta-v2-plain
}
@test "mt5: gated activation, distances beyond the table's" { architecture mt5; }

@test "bert-pruned: heads that were pruned, 16 bits" { architecture bert-pruned; }
@test "distilbert-pruned: heads that were pruned" { architecture distilbert-pruned; }
@test "gpt2-pruned: heads that were pruned, attention without its scale" { architecture gpt2-pruned 2 0.3; }

@test "pruned heads: what cannot be, and what does without" {
  cp -r "$(golden models/bert-pruned)" m
  chmod -R u+w m
  tok --ids <<<'5 6' >ids
  fails_with 1 'pruned_heads is not supported for training' train -m m --objective mlm -o d ids
  sed -i 's/"0": \[/"2": [/' m/config.json
  fails_with 1 "pruned_heads: '2' is no layer" encode -m m ids
  cp "$(golden models/bert-pruned)/config.json" m
  sed -i ':a;N;$!ba;s/"0": \[[^]]*\]/"0": [9]/' m/config.json
  fails_with 1 'pruned_heads: layer 0 has no such head: they are 0 to 3' encode -m m ids
  cp -r "$(golden models/bart)" b
  chmod -R u+w b
  sed -i 's/"model_type"/"pruned_heads": {"0": [0]}, "model_type"/' b/config.json
  fails_with 1 'pruned_heads is not supported for bart' encode -m b ids
}

@test "no model_type: by architectures, or by the folder's name" {
  cp -r "$(golden models/bert-model)" some-bert-base
  chmod -R u+w some-bert-base
  tok --ids <<<'5 6' | encode -m "$(golden models/bert-model)" | show -n token.hidden >want
  sed -i '/"model_type"/d' some-bert-base/config.json
  grep -q '"BertModel"' some-bert-base/config.json
  cp -r some-bert-base called
  tok --ids <<<'5 6' | encode -m called | show -n token.hidden | cmp - want
  show called | grep -q '^model type *bert$'
  sed -i 's/"BertModel"/"LongformerModel"/' called/config.json
  fails_with 1 'no model_type: which architecture is it?' encode -m called
  sed -i '/"BertModel"/d; s/"architectures": \[/"architectures": [/' some-bert-base/config.json
  tok --ids <<<'5 6' | encode -m some-bert-base | show -n token.hidden | cmp - want
  mv some-bert-base robertas
  fails_with 1 'no model_type: which architecture is it?' encode -m robertas
}

@test "rows of no tokens" {
  local name
  for name in roberta gpt2 bart t5; do
    printf '\n5 6\n\n' | tok --ids | encode -m "$(golden "models/$name")" >both
    echo 5 6 | tok --ids | encode -m "$(golden "models/$name")" >alone
    allclose both alone token.hidden 0
  done
}

# compared TYPE: the model of that architecture, of tests/golden/models, that this file compares.
compared() {
  local config name
  for config in "$TOP"/tests/golden/models/*/config.json; do
    name=$(basename "$(dirname "$config")")
    if grep -qF "\"model_type\": \"$1\"" "$config" &&
      grep -qE "\{ (architecture|classifier) $name( [0-9]+)?; \}" "$BATS_TEST_FILENAME"; then
      echo "$name"
      return
    fi
  done
  return 1
}

@test "an architecture is compared here, and has all else that one has" {
  local type name types bad=""
  types=$(sed -n 's/^ *{*\.type = "\([^"]*\)".*/\1/p' "$TOP/common/model/families.c")
  [ -n "$types" ]
  for type in $types; do
    if name=$(compared "$type"); then
      cut -f 1 "$(golden parameters.tsv)" | grep -qxF "$name" || bad+=" $name: not in parameters.tsv;"
    else
      bad+=" $type: not compared;"
    fi
    # mbart's tokenizer is of a class that weft lacks, modernbert's of none.
    [ "$type" = mbart ] || [ "$type" = modernbert ] ||
      cut -f 1 "$(golden tok/classes.tsv)" | grep -qxF "$type" || bad+=" $type: not in classes.tsv;"
    grep -q "^\.It $type Ta " "$TOP/man/weft-model.5" || bad+=" $type: not in weft-model(5);"
  done
  [ -z "$bad" ] || { echo "$bad" >&2; false; }
}

@test "rows as long as there are positions, and longer ones" {
  long() { seq "$2" | sed 's/.*/7/' | tr '\n' ' ' | tok --ids | encode -m "$(golden "models/$1")" >v; }
  long roberta 38
  fails_with 1 "row 1: 39 tokens, but the model has 38 positions: tok -n 38" long roberta 39
  long gpt2 36
  fails_with 1 "37 tokens, but the model has 36 positions" long gpt2 37
  long bart 36
  fails_with 1 "37 tokens, but the model has 36 positions" long bart 37
  long t5 900
}

@test "an architecture that is not known, and what a known one lacks" {
  # changed NAME FROM TO: the model with one thing changed in its configuration.
  changed() {
    rm -rf m && cp -r "$(golden "models/$1")" m && chmod u+w m/*
    sed "s/$2/$3/" m/config.json >config && ! cmp -s config m/config.json && mv config m/config.json
    echo 5 6 | tok --ids | encode -m "$PWD/m" >v
  }
  fails_with 1 "architecture 'perceptron' is not one that weft knows (albert, bart, bert, " \
    changed roberta '"roberta"' '"perceptron"'
  fails_with 1 "activation 'step' is not one that weft knows" changed distilbert '"relu"' '"step"'
  fails_with 1 "several groups" changed albert '"num_hidden_groups": 1' '"num_hidden_groups": 2'
  fails_with 1 "a decoder with other sizes" changed mbart '"decoder_ffn_dim": 40' '"decoder_ffn_dim": 8'
  fails_with 1 "share_encoder_decoder_embeddings false is not supported for marian" changed marian \
    '"share_encoder_decoder_embeddings": true' '"share_encoder_decoder_embeddings": false'
  fails_with 1 "normalize_before true is not supported for marian" \
    changed marian '"use_cache": true' '"normalize_before": true'
  fails_with 1 "static_position_embeddings false is not supported for marian" \
    changed marian '"use_cache": true' '"static_position_embeddings": false'
  fails_with 1 "a decoder with a vocabulary of its own" \
    changed marian '"decoder_vocab_size": 61' '"decoder_vocab_size": 62'
  fails_with 1 "position_embedding_type 'relative_key' is not supported" \
    changed electra '"absolute"' '"relative_key"'
  fails_with 1 "do not go together" \
    changed t5 '"relative_attention_max_distance": 20' '"relative_attention_max_distance": 2'
  fails_with 1 "d_kv 0 is out of range" changed t5 '"d_kv": 10' '"d_kv": 0'
  fails_with 1 "is_gated_act true is not what feed_forward_proj says" \
    changed mt5 '"gated-gelu"' '"relu"'
  fails_with 1 "no tensor encoder.block.0.layer.1.DenseReluDense.wi.weight (nor transformer." \
    changed mt5 '"gated-gelu"' '"relu"/;s/"is_gated_act": true/"is_gated_act": false/;s/"gelu_new"/"relu"'
  fails_with 1 "num_hidden_layers 268435456 is out of range: 0 to 4096" \
    changed roberta '"num_hidden_layers": [0-9]*' '"num_hidden_layers": 268435456'
  fails_with 1 "num_heads 65536 of d_kv 1048576 are too large" \
    changed t5 '"d_kv": 10' '"d_kv": 1048576/;s/"num_heads": 3/"num_heads": 65536'
  fails_with 1 "but config.json wants [61, 30]" changed gpt2 '"n_embd": 24' '"n_embd": 30'
}

@test "deberta-v2: what cannot be" {
  changed() { # FROM TO [PROGRAM...]
    rm -rf m && cp -r "$(golden models/deberta-v2)" m && chmod u+w m/*
    sed "s/$1/$2/" m/config.json >config && ! cmp -s config m/config.json && mv config m/config.json
    echo 5 6 | tok --ids | "${@:3}" -m "$PWD/m" >v
  }
  fails_with 1 'conv_kernel_size 3 is not supported for deberta-v2: only 0' \
    changed '"hidden_size"' '"conv_kernel_size": 3, "hidden_size"' encode
  fails_with 1 'pooler_hidden_size 8 is not supported for deberta-v2' \
    changed '"pooler_hidden_size": 24' '"pooler_hidden_size": 8' encode
  fails_with 1 "pooler_hidden_act 'step' is not one that weft knows" \
    changed '"pooler_hidden_act": "gelu"' '"pooler_hidden_act": "step"' encode
  fails_with 1 "pos_att_type 'p2p' is not one that weft knows (c2p, p2c)" changed '"p2c"' '"p2p"' encode
  fails_with 1 "norm_rel_ebd 'batch' is not one that weft knows" \
    changed '"hidden_size"' '"norm_rel_ebd": "batch", "hidden_size"' encode
  fails_with 1 'position_buckets 8 and max_relative_positions 5 do not go together' \
    changed '"max_relative_positions": 40' '"max_relative_positions": 5' encode
  fails_with 1 'a deberta-v2 model cannot be trained (a head on its vectors can' \
    changed '"hidden_dropout_prob": 0.1' '"hidden_dropout_prob": 0' train --objective mlm -o d
}

@test "pytorch_model.bin: what it must not hold" {
  mkdir m
  cp "$(golden models/gpt2)/config.json" m
  cp "$(golden torch/evil.bin)" m/pytorch_model.bin
  cp "$(golden models/gpt2)/pytorch_model.bin" whole
  ids() { echo 5 6 | tok --ids | encode -m "$PWD/m"; }
  fails_with 1 "m/pytorch_model.bin: posix.system is not part of a tensor dictionary" ids
  head -c 9000 whole >m/pytorch_model.bin
  fails_with 1 "m/pytorch_model.bin: no zip archive of torch.save" ids
  [ ! -e /tmp/weft-was-here ]
}

@test "pairs: types, the longest part cut, empty parts" {
  hidden "$(golden models/bert-class)" "$G/bert-class-pairs.safetensors" pairs.jsonl -p pair
  answers "$G/bert-class-pairs"
  hidden "$(golden models/bert-model)" "$G/bert-model-pairs.safetensors" pairs.jsonl -p pair
}

@test "embed is layer 0" {
  tok -q -m "$(golden models/bert-class)" -J text "$G/texts.jsonl" | embed >v
  allclose "$G/bert-class.safetensors" v layer.0=token.hidden "$BOUND"
}

@test "all-MiniLM-L6-v2" {
  need_model
  sed 3q "$G/texts.jsonl" >three.jsonl
  tok -q -m "$(real_model)" -J text three.jsonl >ids
  local golden=$G/all-MiniLM-L6-v2.safetensors
  allclose "$golden" ids token.id 0
  encode -L 3 <ids >hidden
  allclose "$golden" hidden layer.3=token.hidden "$BOUND"
  encode <ids >hidden
  allclose "$golden" hidden layer.6=token.hidden "$BOUND"
  vectors "$golden" mean cls max last pooler
  pool <hidden >v
  allclose "$golden" v pool.mean=row.vector "$BOUND" ||
    allclose "$golden" v pool.mean.unit=row.vector "$BOUND"
}

# json_near A B: the same JSON, numbers within 1e-6.
json_near() {
  local number='-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?'
  local f
  for f; do
    tr -d ' \n' <"$f" | sed -E "s/([:,[])($number)/\1#/g; s/([:,[])($number)/\1#/g" >"$(basename "$f").form"
    tr -d ' \n' <"$f" | grep -oE "[:,[]$number" | tr -d ':,[' >"$(basename "$f").numbers"
  done
  diff "$(basename "$1").form" "$(basename "$2").form"
  paste "$(basename "$1").numbers" "$(basename "$2").numbers" | awk '
    { d = $1 - $2; if (d < 0) d = -d }
    !(d <= 1e-6) { print "number " NR ": " $0; bad = 1 }
    END { exit bad || NR == 0 }'
}

@test "score: metrics, with a class that nothing is taken for" {
  score --eval --json "$(golden score/class.safetensors)" >said.json
  json_near "$(golden score/class.eval.json)" said.json
}

@test "score: metrics of weighted rows" {
  score --eval --json "$(golden score/weighted.safetensors)" >said.json
  json_near "$(golden score/weighted.eval.json)" said.json
}

@test "score: every class of every row" {
  score -k 4 "$(golden score/class.safetensors)" >said.tsv
  same_scores "$(golden score/class.scores.tsv)" said.tsv
}

@test "allclose tells numbers apart" {
  allclose "$G/bert-relu.safetensors" "$G/bert-relu.safetensors" pool.mean 0
  run allclose "$G/bert-relu.safetensors" "$G/bert-relu.safetensors" pool.mean=pool.max 1e-4
  [ "$status" -eq 1 ]
  run allclose "$G/bert-relu.safetensors" "$G/bert-relu.safetensors" pool.mean=row.logit 1e9
  [ "$status" -eq 1 ]
}
