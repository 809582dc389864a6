# model-files.bats - the files of a model's folder are regular files: what is none, what is not
# there after all, and what would take all memory is refused by its name, in every program alike.
load helper

# folder MODEL[-FILE]: a copy of a golden model as m, which may be changed, without that file.
folder() {
  rm -rf m
  cp -r "$(golden "models/${1%-*.*}")" m
  chmod -R u+w m
  if [[ $1 == *.* ]]; then rm "m/${1##*-}"; fi
}

# names MODEL NAME COMMAND...: in a copy of the model where NAME is a FIFO, a device, or a link to
# nowhere, the command fails by that name and at once.
names() {
  local model=$1 name=$2
  shift 2
  folder "$model"
  rm -f "m/$name"
  mkfifo "m/$name"
  fails_with 1 "$name: not a file" timeout 20 "$@"
  rm "m/$name"
  ln -s /dev/zero "m/$name"
  fails_with 1 "$name: not a file" timeout 20 "$@"
  rm "m/$name"
  ln -s nowhere "m/$name"
  fails_with 1 "$name: cannot open: No such file" timeout 20 "$@"
}

@test "configuration and weights" {
  local name
  for name in config.json model.safetensors; do
    names bert-class "$name" encode -m m
    names bert-class "$name" weft head -T class -m m
    names bert-class "$name" show m
  done
  names bert-sharded model.safetensors.index.json encode -m m
  names bert-sharded model-00002-of-00004.safetensors encode -m m
  names gpt2 pytorch_model.bin encode -m m
  names bart pytorch_model-00002-of-00005.bin show m
  tok -q -m "$(golden models/sentence)" <<<a | encode >hidden
  names sentence modules.json pool -m m hidden
  names sentence 1_Pooling/config.json pool -m m hidden
}

@test "the tokenizer's files" {
  local name
  for name in tokenizer.json tokenizer_config.json; do
    names bert-class "$name" tok -m m
  done
  names bert-class-tokenizer.json vocab.txt tok -m m
  names sentence sentence_bert_config.json tok -m m
  names bpe-gpt2-files vocab.json tok -m m
  names bpe-gpt2-files merges.txt tok -m m
  names bpe-roberta-files added_tokens.json tok -m m
  names spbpe-llama tokenizer.model tok -m m
}

@test "a head that train made" {
  printf 'a,x\nb,y\n' >t.csv
  tok -q -m "$(golden models/bert-class)" -H -c 1 -l 2 t.csv | encode | pool >v.weft
  train -q -e 1 -o h v.weft
  rm h/model.safetensors
  mkfifo h/model.safetensors
  fails_with 1 "h/model.safetensors: not a file" timeout 20 weft head -m h v.weft
}

# lists N: N empty lists, one behind the other.
lists() {
  head -c $((3 * $1)) < <(yes '[],' | tr -d '\n')
}

@test "JSON of too many values is refused before it takes memory" {
  need_limit 400000
  folder bert-class
  { printf '{"more": ['; lists 1000000; printf '[]], "model_type": "bert"}'; } >m/config.json
  fails_with 1 "m" encode -m m </dev/null
  [[ $stderr != *values* ]]
  { printf '{"more": ['; lists 30000000; printf '[]]}'; } >many
  cp many m/config.json
  ulimit -v 400000
  fails_with 1 "m/config.json: line 1: more than 1048576 values" show m
  folder bert-class
  cp many m/tokenizer_config.json
  fails_with 1 "m/tokenizer_config.json: line 1: more than 1048576 values" tok -m m </dev/null
  { printf '{"a": "x"}\n{"a": "y", "more":\t['; lists 30000000; printf '[]]}\n'; } >lines
  fails_with 1 "lines: record 2: byte 3145739: more than 1048576 values" \
    tok -m "$(golden models/bert-class)" -J a lines
}

@test "weights that are cut short while they are in use: a message that names them, and no end" {
  local status=0
  folder bert-class
  mkfifo text ids
  tok -m m <text >ids 3>&- &
  encode -m m <ids >out 2>said 3>&- &
  local pid=$!
  exec 4>text
  echo 'the cat' >&4
  until [ -s out ]; do sleep 0.05; done
  : >m/model.safetensors
  echo 'a dog' >&4
  exec 4>&-
  wait $pid || status=$?
  [ "$status" -eq 1 ]
  [ "$(cat said)" = "encode: $PWD/m/model.safetensors: it was cut short, or cannot be read, while it was in use" ]
  fails_with 1 "stream ends early" show --digest out
}

# not_really NAME TEXT COMMAND...: where NAME is another kind of file the command says which.
not_really() {
  local name=$1 text=$2
  shift 2
  fails_with 1 "$name" "$@"
  [[ $stderr == *"$text"* ]] || { echo "stderr lacks '$text': $stderr" >&2; return 1; }
}

@test "files that are not what they are called" {
  folder bert-class
  tok -q -m m <<<a >ids
  local name lfs='version https://git-lfs.github.com/spec/v1'
  for name in config.json model.safetensors; do
    folder bert-class
    printf '%s\noid sha256:00\nsize 437955512\n' "$lfs" >"m/$name"
    not_really "$name" git-lfs encode -m m ids
    printf '\n<!DOCTYPE HTML>\n<html>Not found</html>' >"m/$name"
    not_really "$name" 'a page of a web server' encode -m m ids
  done
  for name in tokenizer.json tokenizer_config.json; do
    folder bert-class
    printf '%s\n' "$lfs" >"m/$name"
    not_really "$name" git-lfs tok -m m ids
  done
  folder bert-class-tokenizer.json
  printf '<html>' >m/vocab.txt
  not_really vocab.txt 'a page of a web server' tok -m m ids
  folder spbpe-llama
  printf '%s\n' "$lfs" >m/tokenizer.model
  not_really tokenizer.model git-lfs tok -m m ids

  folder gpt2
  tok --ids <<<1 >ids
  cp m/pytorch_model.bin m/model.safetensors
  not_really model.safetensors 'call it pytorch_model.bin' encode -m m ids
  printf '\x80\x02}q\x00.and some more' >m/model.safetensors
  not_really model.safetensors 'a pickle, as torch.save writes' encode -m m ids
  rm m/model.safetensors
  printf '%s\n' "$lfs" >m/pytorch_model.bin
  not_really pytorch_model.bin git-lfs encode -m m ids
  cp "$(golden models/bert-class)/model.safetensors" m/pytorch_model.bin
  not_really pytorch_model.bin 'call it model.safetensors' encode -m m ids
}
