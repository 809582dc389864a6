# lora: adapters of low rank. How their numbers compare with peft's is in train-models.bats.
load helper

G=$TOP/tests/golden/train

# rows N: labelled texts that two words tell apart.
rows() {
  echo text,label
  awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++)
    print (i % 2 ? "the cat sat on mat " : "a dog ran ") i % 7 "," (i % 2 ? "good" : "bad") }'
}

each_setup() {
  M=$(golden models)
  rows 40 >rows.csv
  tok -q -m "$M/bert-class" -c text -l label rows.csv >rows
}

# header_of FILE: its JSON.
header_of() {
  tail -c +9 "$1" | command head -c "$(od -An -t u8 -N 8 "$1" | tr -d ' ')"
}

# tensors_of FILE: name, tab, shape, a line each, by name.
tensors_of() {
  header_of "$1" | grep -o '"[^"]*":{"dtype":"F32","shape":\[[0-9,]*\]' |
    sed 's/^"\([^"]*\)".*\[\(.*\)\]/\1\t\2/' | sort
}

# tensor FILE NAME: its bytes.
tensor() {
  local head at
  head=$(od -An -t u8 -N 8 "$1" | tr -d ' ')
  at=$(header_of "$1" | sed 's/.*"'"$2"'":{[^}]*"data_offsets":\[\([0-9]*\),\([0-9]*\)\].*/\1 \2/')
  tail -c +$((9 + head + ${at% *})) "$1" | command head -c $((${at#* } - ${at% *}))
}

@test "adapters have the names and shapes that peft gives them" {
  local name model tok how words one=0
  while IFS=$'\t' read -r name model tok how; do
    read -ra words <<<"${tok% *}"
    # shellcheck disable=SC2086 # words
    tok -q -m "$(golden "$model")" "${words[@]}" "$G/${tok##* }" |
      train -q -o "$name" --init-only --lora-only $how
    tensors_of "$name/adapter_model.safetensors" >got
    grep "^$name	" "$G/adapters.tsv" | cut -f 2- | sort >want
    diff got want || { echo "$name" >&2; false; }
    [ ! -e "$name/model.safetensors" ]
    one=$((one + 1))
  done < <(grep -- ' --lora ' "$G/cases.tsv")
  [ "$one" -gt 5 ]
}

@test "an adapter's folder says what peft asks for" {
  train -q -o out --init-only --lora 4:16 --lora-only rows
  for line in '"peft_type": "LORA"' '"task_type": "SEQ_CLS"' '"r": 4' '"lora_alpha": 16' \
    '"attention.self.query"' '"attention.self.value"' '"classifier"' '"fan_in_fan_out": false' \
    "\"base_model_name_or_path\": \"$M/bert-class\""; do
    grep -qF -- "$line" out/adapter_config.json || { echo "$line" >&2; false; }
  done
  run ! grep -q 'attention.self.key' out/adapter_config.json
  tok -q -m "$M/gpt2-class" -c text -l label rows.csv |
    train -q -o gpt2 --init-only --lora 4:0.5 --lora-only
  grep -q '"fan_in_fan_out": true' gpt2/adapter_config.json
  grep -q '"lora_alpha": 0.5' gpt2/adapter_config.json
  fails_with 1 "out: adapters alone" encode -m "$PWD/out" rows
}

@test "what is adapted changes, and what is not stays" {
  train -q -o out --lora 4 --lr 1e-2 --max-steps 5 rows
  changed() {
    for name in embeddings.word_embeddings encoder.layer.0.attention.self.query \
      encoder.layer.1.attention.self.key encoder.layer.1.attention.self.value \
      encoder.layer.1.output.dense pooler.dense; do
      cmp -s <(tensor "$M/bert-class/model.safetensors" "bert.$name.weight") \
        <(tensor out/model.safetensors "bert.$name.weight") || echo "$name"
    done
  }
  [ "$(changed | tr '\n' ' ')" = "encoder.layer.0.attention.self.query \
encoder.layer.1.attention.self.value " ]
  [ "$(tensors_of out/model.safetensors)" = "$(tensors_of "$M/bert-class/model.safetensors" |
    sed 's/^\(classifier.*\t\)3/\12/')" ]
  run --separate-stderr train -o few --lora 4 --lora-all --max-steps 1 rows
  train -q -o out --force --lora 4 --lora-all --lr 1e-2 --max-steps 5 rows
  [ "$(changed | grep -c encoder)" -eq 4 ]
}

@test "adapters learn" {
  train -q -o out -e 30 --lora 4:16 --lr 1e-2 -v rows --log log rows
  [ "$(tail -n 1 log | cut -f 10)" = 1 ]
  [ "$(encode -q -m "$PWD/out" rows | weft-head | score -e | sed -n 's/^accuracy	//p')" = 1.000000 ]
}

@test "they go on from a checkpoint to the same bits" {
  local only
  for only in "" --lora-only; do
    rm -rf cut whole log
    # shellcheck disable=SC2086
    train -q -o whole -e 60 --lora 4 --lr 1e-3 --lora-all $only rows
    # shellcheck disable=SC2086
    train -q -o cut -j 1 -e 60 --lora 4 --lr 1e-3 --lora-all $only --log log --log-every 1 rows 3>&- &
    for _ in $(seq 500); do
      [ "$(wc -l 2>/dev/null <log || echo 0)" -gt 20 ] && break
      sleep 0.01
    done
    kill -TERM $!
    wait $! || true
    checkpoints=(cut/checkpoint-*)
    [ -e "${checkpoints[0]}/adapter_model.safetensors" ]
    if [ "$only" ]; then
      [ ! -e "${checkpoints[0]}/model.safetensors" ]
    else
      [ ! -e "${checkpoints[0]}/adapter_config.json" ] # or it would be no model's folder to peft
      encode -q -m "$PWD/${checkpoints[0]}" rows >/dev/null
    fi
    # Moments of what learns alone: less than a fifth of the model.
    [ "$(stat -c %s "${checkpoints[0]}/state.safetensors")" -lt \
      "$(($(stat -c %s "$M/bert-class/model.safetensors") / 2))" ]
    # shellcheck disable=SC2086
    run --separate-stderr train --resume -o cut -j 2 -e 60 --lora 4 --lr 1e-3 --lora-all $only rows
    [ "$status" -eq 0 ]
    [[ "$stderr" == *"goes on from cut/checkpoint-"* ]]
    for file in model adapter_model; do
      [ ! -e "whole/$file.safetensors" ] ||
        cmp "whole/$file.safetensors" "cut/$file.safetensors"
    done
    fails_with 1 "other --lora-alpha" \
      train -q --resume -o cut -e 60 --lora 4:9 --lr 1e-3 --lora-all $only rows
  done
}

@test "the best evaluation's adapters are kept" {
  train -q -o best -e 12 --lora 4 --lr 0.05 -v rows --best loss --log log rows
  train -q -o alone --lora-only -e 12 --lora 4 --lr 0.05 -v rows --best loss rows
  step=$(awk -F '\t' 'NR > 1 && (!n++ || $9 < least) { least = $9; at = $1 } END { print at }' log)
  grep -q "\"kept_step\": $step" best/config.json
  said=$(encode -q -m "$PWD/best" rows | weft-head | score -e | sed -n 's/^loss	//p')
  awk -F '\t' -v said="$said" 'NR > 1 && (!n++ || $9 < least) { least = $9 }
    END { d = said - least; exit !(d < 2e-6 && d > -2e-6) }' log
}

@test "a head that is new is saved with its adapters, and Linear layers beside the model" {
  tok -q -m "$M/bert-model" -c text -l label rows.csv >other
  train -q -o out --lora 4 --lora-only --init-only other
  tensors_of out/adapter_model.safetensors | grep -q '^base_model.model.classifier.weight	2,'
  train -q -o mlp --lora 4 --lr 5e-3 -e 30 --head mlp:8 --pool mean rows
  [ "$(encode -q -m "$PWD/mlp" rows | weft-head -m "$PWD/mlp" | score -e |
    sed -n 's/^accuracy	//p')" = 1.000000 ]
}

@test "with more rows than fit into a batch, in bf16, and with layers made again" {
  train -q -o a --lora 4 --lr 1e-3 --lora-all -b 4 -t bf16 --max-steps 12 rows
  train -q -o b --lora 4 --lr 1e-3 --lora-all -b 4 -t bf16 --max-steps 12 -j 1 \
    --checkpoint-activations rows
  cmp a/model.safetensors b/model.safetensors
}

@test "what does not go together" {
  wrong() { fails_with 2 "$1" train -o out "${@:2}" rows; }
  wrong "--lora-all is about adapters: --lora RANK" --lora-all
  wrong "--lora-only is about adapters: --lora RANK" --lora-only
  wrong "--scratch begins one" --lora 4 --scratch "$M/bert-class/config.json"
  wrong "leave --freeze out" --lora 4 --freeze encoder
  wrong "not --head linear and mlp" --lora 4 --lora-only --head linear
  wrong "--lora: " --lora 0
  wrong "it is RANK or RANK:ALPHA" --lora 4:x
  encode -q rows | pool >vectors
  fails_with 2 "--lora is for whole models" train -o out --lora 4 vectors
  [ ! -e out ]
}
