# folders.bats - what stands in a model's folder beside the weights: each case of tests/golden/folders
# (tests/oracle/folders.py), ids as transformers makes them and vectors as sentence-transformers does.
load helper

# arrange CASE: the folder as m.
arrange() {
  local case into=
  case=$(golden "folders/$1")
  if [ -e "$case/into" ]; then into=/$(cat "$case/into"); fi
  rm -rf m
  mkdir -p "m$into"
  cp -r "$(golden "models/$(cat "$case/base")")/." "m$into"
  chmod -R u+w m
  cp -r "$case/files/." m
  chmod -R u+w m
}

# cases FILE: those that have it.
cases() {
  local file
  for file in "$TOP"/tests/golden/folders/*/"$1"; do
    basename "$(dirname "$file")"
  done
}

@test "ids: lengths, sides, classes, languages, ends, lower case, parts of tokenizers" {
  local case length bad=0
  [ "$(cases want.ids | wc -l)" -gt 12 ]
  for case in $(cases want.ids); do
    arrange "$case"
    length=()
    if [[ $case == parts-* ]]; then length=(-n 0); fi
    tok -q -m m "${length[@]}" "$(golden "folders/$case/texts")" | show -r | grep -o '"ids": \[[^]]*\]' |
      sed 's/"ids": \[//; s/\]//; s/,//g' >got
    cmp -s got "$(golden "folders/$case/want.ids")" ||
      { bad=1; echo "$case:"; diff got "$(golden "folders/$case/want.ids")" || true; }
  done
  [ "$bad" = 0 ]
}

@test "vectors: pooling modes, modules, prompts, folders" {
  local case bad=0
  [ "$(cases want.safetensors | wc -l)" -gt 12 ]
  for case in $(cases want.safetensors); do
    arrange "$case"
    length=()
    if [[ $case == parts-* ]]; then length=(-n 0); fi
    tok -q -m m "${length[@]}" "$(golden "folders/$case/texts")" | encode | pool >got
    "$WEFT_UNIT/allclose" "$(golden "folders/$case/want.safetensors")" got row.vector 1e-4 >said 2>&1 ||
      { bad=1; echo "$case: $(cat said)"; }
  done
  [ "$bad" = 0 ]
}

@test "prompts: said, not said, and counted for pool" {
  arrange prompt-past
  run --separate-stderr tok -m m --prefix '' <<<'the cat'
  [ "$stderr" = "" ]
  tok -q -m m --task query <<<'the cat' >a
  tok -m m <<<'the cat' 2>said >b
  grep -q "each text begins with the model's 'the query: '" said
  [ "$(show -r <a)" = "$(show -r <b)" ]
  tr -d '\0' <b | grep -aqF '"prompt":"7"' # [CLS] the q ##u ##er ##y :
  encode <b | pool | tr -d '\0' | grep -aqF '"pool":"mean+weighted+cls+last+max,past-prompt"'
  fails_with 1 "has no tasks (task_specific_params" tok -m m --task other <<<a
  sed -i 's/"default_prompt_name": "query"/"default_prompt_name": "other"/' m/config_sentence_transformers.json
  fails_with 1 "default_prompt_name 'other' is none of the prompts" tok -m m <<<a
}

@test "modules that weft lacks, or that do not go together" {
  local case
  arrange dense
  tok -q -m m <<<'the cat' | encode >hidden
  sed -i 's/activation.Tanh/activation.Sigmoid/' m/2_Dense/config.json
  fails_with 1 "2_Dense: activation_function 'torch.nn.modules.activation.Sigmoid' is not supported" pool -m m hidden
  sed -i 's/"in_features": 24/"in_features": 25/' m/2_Dense/config.json
  fails_with 1 "2_Dense" pool -m m hidden
  arrange dense
  sed -i 's/models.LayerNorm/models.CNN/' m/modules.json
  fails_with 1 "modules.json: module 'sentence_transformers.models.CNN' is not supported" pool -m m hidden
  sed -i 's/models.CNN/models.Dense/; s/"2_Dense"/"..\/2_Dense"/' m/modules.json
  fails_with 1 "the path '../2_Dense' leads out of the folder" pool -m m hidden
  arrange mode-max
  sed -i 's/"max"/"most"/' m/1_Pooling/config.json
  fails_with 1 "1_Pooling/config.json: pooling_mode 'most' is not supported" pool -m m hidden
  sed -i 's/24/25/; s/most/max/' m/1_Pooling/config.json
  fails_with 1 "embedding_dimension 25, but the model's hidden states have 24" pool -m m hidden
}

@test "a head on the vectors that modules made, and a stream that says which" {
  arrange dense
  printf 'the cat,a\nthe dog,b\n' >t.csv
  tok -q -m m -c 1 -H -l 2 t.csv | encode >hidden
  pool <hidden >v
  tr -d '\0' <v | grep -aqF '"pool":"mean,dense,norm,normalize"'
  train --head linear -q -e 1 -o h v
  weft head -m h v >a
  weft head -m h hidden >b
  "$WEFT_UNIT/allclose" a b row.logit 0
}

@test "classes whose ids come from elsewhere are refused by name" {
  local class file
  cp -r "$(golden models/bert-class)" m
  chmod -R u+w m
  for class in PhobertTokenizer BertJapaneseTokenizer RoFormerTokenizerFast; do
    echo "{\"tokenizer_class\": \"$class\"}" >m/tokenizer_config.json
    fails_with 1 "tokenizer_class '$class' is not supported: it calls for" tok -m m <<<a
  done
  rm m/tokenizer.json
  for class in FunnelTokenizer PreTrainedTokenizerFast SomeTokenizer; do
    echo "{\"tokenizer_class\": \"$class\"}" >m/tokenizer_config.json
    fails_with 1 "vocab.txt of tokenizer_class '$class' is not supported" tok -m m <<<a
  done
  echo '{}' >m/tokenizer_config.json
  sed -i 's/"model_type": "bert"/"model_type": "splinter"/' m/config.json
  fails_with 1 "vocab.txt of model_type 'splinter' is not supported" tok -m m <<<a
  echo '{"tokenizer_class": "ElectraTokenizer", "split_special_tokens": true}' >m/tokenizer_config.json
  fails_with 1 'split_special_tokens true is not supported' tok -m m <<<a
}

@test "--conll: a class that wants the space before words, and none said" {
  printf 'cat\tO\n' >c
  cp -r "$(golden models/roberta-token)" m
  chmod -R u+w m
  fails_with 1 'say add_prefix_space true' tok -m m --conll c
  sed -i 's/"add_prefix_space": false/"add_prefix_space": true/' m/tokenizer_config.json
  grep -q '"add_prefix_space": true' m/tokenizer_config.json
  tok -m m --conll c | show -r | grep -o '"ids": [^]]*]' >got
  sed -i 's/"tokenizer_class": "RobertaTokenizer"/"tokenizer_class": "PreTrainedTokenizerFast"/' m/tokenizer_config.json
  tok -m m --conll c | show -r | grep -o '"ids": [^]]*]' | cmp - got
}

@test "names of classes that are numbers" {
  cp -r "$(golden models/bert-nli)" m
  chmod -R u+w m
  sed -i 's/"0": "ENTAILMENT"/"0": 7/; s/"1": "NEUTRAL"/"1": 2.5/' m/config.json
  tok -q -m m <<<'the cat' | encode | weft head | show -r >said
  show <(tok -q -m m <<<'the cat' | encode | weft head) | grep -qF '["7","2.5","CONTRA"]'
}

# page: weft-model(5)'s keys as build/tests/folderkeys prints the table: file, key, values.
page() {
  awk '
    /^\.Ss Keys/ { on = 1 }
    /^\.Ss Architectures/ { on = 0 }
    on && /^\.Pa .* :$/ { file = $2 }
    on && /^\.Pa config.json$/ { getline; file = $3 }
    on && /^of a .* module :$/ { file = $3 }
    on && /^\.It Cm / {
      if ($4 == ",") { # several that have nothing beside them
        for (i = 3; i <= NF; i += 2)
          printf "%s\t%s\t\n", file, $i
        next
      }
      key = $3
      $1 = $2 = $3 = $4 = ""
      sub(/^ */, "")
      gsub(/\\\(dq/, "\"")
      printf "%s\t%s\t%s\n", file, key, $0
    }' "$TOP/man/weft-model.5"
}

@test "weft-model(5) has the table of keys, key by key" {
  "$WEFT_UNIT/folderkeys" >table
  [ "$(wc -l <table)" -gt 100 ]
  page | diff table -
}

@test "what the sources ask a configuration for is in the table" {
  cut -f 2 <("$WEFT_UNIT/folderkeys") | sort -u >known
  {
    cd "$TOP/common" || return 1
    sed -nE 's/.*json_(get_[a-z]+|object_get)\([^,]+, "([^"]+)".*/\2/p' model/config.c model/config_rope.c model/config_far.c model/modules.c model/bag.c \
      model/task_prefix.c model/model_tokenizer.c model/head/pooling.c model/head/pooler_modules.c \
      model/head/crossencoder.c \
      text/tokenizer_rules.c text/wordpiece/bert_files.c text/bpe/bpe_files.c
    # A family's keys, and how they are called there.
    grep -oE '\{"[a-z_]+", -?[0-9a-z.]+\}|\.(act|eps) = "[a-z_]+"' model/families_keys.c | grep -oE '"[a-z_]+"' | tr -d '"'
  } | sort -u >asked
  [ "$(wc -l <asked)" -gt 60 ]
  # Within a value, or of a folder that train made.
  printf '%s\n' encoder model prefix lstrip content factor low_freq_factor high_freq_factor \
    original_max_position_embeddings rope_type type | sort >others
  comm -23 asked known | comm -23 - others >missing
  [ ! -s missing ] || { cat missing; return 1; }
}

@test "a key that nobody knows is told, once; those of folders that people share are not" {
  local m
  cp -r "$(golden models/gpt2-lm)" m
  chmod -R u+w m
  sed -i '0,/{/s//{"qk_twist": 2, "_name_or_path": "x", "no_such": null, "n_such": [], "torch_dtype": "float32",/' m/config.json
  echo '{"eos_token_id": 1, "beam_twist": 0.5, "transformers_version": "4.57.6"}' >m/generation_config.json
  [ -e m/tokenizer_config.json ] || echo '{"x": null}' >m/tokenizer_config.json
  sed -i '0,/{/s//{"spell_twist": "so", "special_tokens_map_file": "x", /' m/tokenizer_config.json
  printf '3 4\n' | tok --ids >in
  fails_with 0 "m/config.json: 'qk_twist' is not a key that weft knows: it is not looked at" gen -m m --max-new 2 in
  [ "$(grep -c 'qk_twist' <<<"$stderr")" -eq 1 ]
  [ "$(grep -c "m/generation_config.json: 'beam_twist'" <<<"$stderr")" -eq 1 ]
  [ "$(grep -c 'is not a key' <<<"$stderr")" -eq 2 ]
  echo a >text
  said() { tok -m m text >/dev/null; }
  fails_with 0 "m/tokenizer_config.json: 'spell_twist' is not a key" said
  [ "$(grep -c 'tokenizer_config' <<<"$stderr")" -eq 1 ]
  fails_with 0 '' gen -q -m m --max-new 2 in
  [ -z "$stderr" ]
  for m in "$TOP"/tests/golden/models/*/config.json; do
    show "${m%/*}" 2>&1 >/dev/null
  done | run ! grep 'is not a key'
}

@test "keys that may have but some values" {
  said() { # FILE KEY VALUE TEXT COMMAND...
    cp -r "$(golden models/sentence)" m
    chmod -R u+w m
    [ -e "m/$1" ] || echo '{"x": 1}' >"m/$1"
    sed -i "0,/{/s//{\"$2\": $3,/" "m/$1"
    fails_with 1 "$4" "${@:5}"
    rm -rf m
  }
  tok -q -m "$(golden models/sentence)" <<<'the cat' >ids
  said config.json quantization_config '{"bits": 4}' 'config.json: quantization_config {"bits":4} is not supported' encode -m m ids
  said config.json auto_map '{"AutoModel": "modeling_x.X"}' 'auto_map AutoModel modeling_x.X is not supported' encode -m m ids
  said sentence_bert_config.json transformer_task '"fill-mask"' 'transformer_task "fill-mask" is not supported: only "feature-extraction"' tok -m m ids
  said sentence_bert_config.json query_expansion '{"length": 3}' 'query_expansion {"length":3} is not supported' tok -m m ids
  said tokenizer_config.json from_slow true 'tokenizer_config.json: from_slow true is not supported: only false' tok -m m ids
  said tokenizer_config.json truncation_side '"up"' "truncation_side 'up' is neither left nor right" tok -m m ids
  # What another family's class reads is nothing to BERT.
  cp -r "$(golden models/sentence)" m
  chmod -R u+w m
  encode -m m ids | show -n token.hidden >want
  sed -i '0,/{/s//{"scale_attn_weights": false, "scale_attn_by_inverse_layer_idx": true, "is_gated_act": true, "no_such_key": [1],/' m/config.json
  encode -m m ids | show -n token.hidden | cmp - want
  cp -r "$(golden models/mt5)" t5
  chmod -R u+w t5
  sed -i '0,/{/s//{"x": 1,/; s/"is_gated_act": true/"is_gated_act": false/' t5/config.json
  fails_with 1 'is_gated_act false is not what feed_forward_proj says' encode -m t5 < <(tok --ids <<<5)
}

@test "extra_special_tokens, by names and as a list" {
  local given
  for given in '{"image_token": "<img>"}' '["<img>"]'; do
    rm -rf m
    cp -r "$(golden models/bert-class)" m
    chmod -R u+w m
    sed -i "/\"extra_special_tokens\": {},/d; 0,/{/s//{\"extra_special_tokens\": $given,/" m/tokenizer_config.json
    tok -q -m m <<<'the <img> the' | show -r | grep -o '"tokens": .*' >said
    grep -qF '"<img>"' said
  done
}

@test "show says what it understood" {
  arrange prompt-past
  show m >said
  grep -qx 'pools        mean+weighted+cls+last+max,past-prompt' said
  grep -qx 'prompt       the query: ' said
  arrange subfolder
  show m | grep -qx 'pools        max'
  arrange cut-left
  show m | grep -q 'at most 6 tokens a row, cut at the left$'
}
