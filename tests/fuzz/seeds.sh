#!/bin/bash
# seeds.sh FOLDER: what each harness begins with, cut small from tests/golden, into FOLDER/NAME/.
# WEFT_BIN and WEFT_UNIT are where programs and test programs are.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
to=$1
golden=$TOP/tests/golden
models=$golden/models
PATH=${WEFT_BIN:-$TOP/bin}:${WEFT_UNIT:-$TOP/build/tests}:$PATH
unset WEFT_MODEL
export WEFT_DEVICE=cpu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

# put NAME: standard input as one more seed.
put() {
  mkdir -p "$to/$1"
  cat >"$to/$1/seed-$(find "$to/$1" -name 'seed-*' | wc -l)"
}

# bytes N...: as they are.
bytes() {
  local n
  for n; do printf '%b' "\\x$(printf %02x "$n")"; done
}

# parts FILE...: with a line "%%" between them.
parts() {
  local f sep=
  for f; do
    printf '%s' "$sep"
    cat "$f"
    sep=$'\n%%\n'
  done
}

texts() {
  printf '%s\n' "The cat's sat,  on 12,345 mats." "don't you've 3.14 #tag @x http://a.b/c?d=e" \
    $'caf\xc3\xa9 na\xc3\xafve \xe4\xbd\xa0\xe5\xa5\xbd' \
    $'[MASK] <mask> [SEP]</s> \xef\xbc\xa1\xe2\x84\xab\xcc\x81 \xf0\x9f\x98\x80\t.'
}

# ---- streams: one of everything, ids, hidden states, vectors, logits of each task ----

# row LOGITS VECTOR LABEL TEXT PAIR IDS PARTS SOURCE
row() {
  printf 'logit %s | vector %s | label %s | text %s | pair %s | ids %s | part %s | source %s' "$@"
  printf ' | keep.id a7 | weight 2\n'
}

{
  printf 'meta model /m\nmeta vocab v1\nmeta classes ["neg","pos"]\n'
  row '0.5 1.5' '1 2' pos good it '101 7 102' '255 0 255' 0
  row '2 -1' '3 4' neg 'bad one' was '101 102' '255 255' 0
  echo frame
  row '3 -3' '0 0' neg worse '' '101 8 9 102' '255 0 0 255' 2
} | mkstream >all

for m in bert-class bert-mask bert-token bert-span bert-next bert-multi; do
  text=$'the cat sat\na dog'
  [ $m != bert-mask ] || text='the [MASK] sat'
  case $m in
  bert-span | bert-next)
    printf 'q,c\nthe cat,the man\na dog,sat\n' | tok -q -m "$models/$m" -c q -p c
    ;;
  *) tok -q -m "$models/$m" <<<"$text" ;;
  esac >$m.ids
  encode -m "$models/$m" $m.ids >$m.hidden
  weft-head -m "$models/$m" $m.hidden >$m.logits
done
tok -q -m "$models/bert-nli" -z 'sport,war' <<<'the cat' >nli.ids
encode -m "$models/bert-nli" nli.ids | weft-head -m "$models/bert-nli" >nli.logits
printf 'text,y\nthe cat,pos\na dog,neg\n' | tok -q -m "$models/bert-class" -c text -l y |
  encode -m "$models/bert-class" | pool --mean -m "$models/bert-class" >vectors
printf 'the\tB-A\ncat\tO\n\na\tO\n' | tok -q -m "$models/bert-token" --conll |
  encode -m "$models/bert-token" | weft-head -m "$models/bert-token" >words.logits
cat all vectors all >three

for f in all three bert-class.ids nli.ids vectors bert-mask.logits words.logits bert-next.logits \
  "$models"/bert-sharded/model-00001-of-*.safetensors; do
  for name in frames show safetensors; do
    { bytes 0; cat "$f"; } | put $name
  done
done
printf '\1%s' "$(seq -s, 1 60)" >built # what build.c makes a stream of
for name in frames show safetensors; do put $name <built; done
{ bytes 0 0 0; cat built; } | put score
{ bytes 1; cat built; } | put filters

for f in all ./*.logits; do
  for how in '0 0 0' '1 0 0' '2 0 0' '4 0 0' '69 0 0' '0 32 0' '1 32 0' '0 2 1' '1 2 18' '0 4 0' \
    '1 1 0' '5 24 100'; do
    # shellcheck disable=SC2086
    { bytes $how 0; cat $f; } | put score
  done
done
for n in {0..31}; do
  case $((n % 4)) in
  0) set -- bert-class.ids bert-mask.ids ;;
  1 | 2) set -- bert-class.hidden bert-mask.hidden ;;
  3) set -- vectors all ;;
  esac
  for f; do { bytes "$n" 0; cat "$f"; } | put filters; done
done

# ---- files of models ----

parts "$models/bert-sharded/model.safetensors.index.json" vectors | put shards
echo '{"metadata":{"total_size":8},"weight_map":{"row.vector":"a-00001.safetensors"}}' >index
parts index vectors | put shards

for f in "$models"/{bert-class,roberta-class,albert-class,xlm-roberta-token}/tokenizer.json \
  "$models"/{bert-class,t5}/config.json "$models"/bert-sharded/*.index.json; do
  put jsonscan <"$f"
done
printf '[1,-2.5e-3,"\\u00e9\\ud83d\\ude00\\n",{"a":null,"b":[true,false]},"",9223372036854775807]' |
  put jsonscan

texts >lines
for m in bert-class bert-cased roberta-class albert-class xlm-roberta-token wordpiece-added \
  spbpe-first unigram-odd bpe-roberta; do
  put tokenizer <"$models/$m/tokenizer.json"
  f=$models/$m/config.json
  [ -e "$f" ] || f=/dev/null
  [ ! -e "$models/$m/tokenizer_config.json" ] ||
    parts "$models/$m/tokenizer.json" "$models/$m/tokenizer_config.json" "$f" lines | put tokenizer
done
{
  bytes 1
  parts "$models"/bert-class/{vocab.txt,tokenizer_config.json}
} | put tokfiles
for m in roberta-class bpe-gpt2-files; do
  set -- "$models/$m/vocab.json" "$models/$m/merges.txt"
  [ ! -e "$models/$m/tokenizer_config.json" ] || set -- "$@" "$models/$m/tokenizer_config.json"
  { bytes 0; parts "$@"; } | put tokfiles
done
for n in 0 1 2 3 4; do
  for f in unigram-albert/spiece.model unigram-xlmr/sentencepiece.bpe.model marian-odd/source.spm; do
    { bytes $n; cat "$models/$f"; } | put spiece
  done
done

for f in "$models"/bart/pytorch_model-0000[25]-of-00005.bin "$golden"/torch/*.bin; do
  put torch <"$f"
  if unzip -p "$f" '*/data.pkl' >data.pkl 2>/dev/null; then put pickle <data.pkl; fi
done

for f in "$models"/*/config.json; do put config <"$f"; done
train -q -e 1 -o head vectors
train -q -e 1 -o mlp --head mlp:2 vectors
for m in m2v-shared m2v-int8 st-unit; do
  m=$golden/static/$m/model
  [ -e "$m/config.json" ] && cat "$m/config.json" >config || : >config
  parts config "$m/modules.json" "$(find "$m" -name model.safetensors)" | put bag
done
for f in head mlp; do parts $f/config.json $f/model.safetensors | put headfile; done
parts head/config.json head/model.safetensors | put folder
for m in bert-class t5 gpt2 bart; do parts "$models/$m/config.json" vectors | put folder; done

# ---- texts ----

for how in '0 0' '8 0' '1 3' '8 255' '2 0' '9 7'; do
  # shellcheck disable=SC2086
  {
    bytes $how
    printf '\xef\xbb\xbfid,text,label\n1,"a ""b"", c\nd",pos\r\n2,caf\xc3\xa9,\n'
  } | put csv
done
for how in '0 0' '4 1' '1 0' '2 2'; do
  # shellcheck disable=SC2086
  {
    bytes $how
    printf '{"text":"a\\u00e9","label":1.5,"x":[{}]}\n{"text":"b","label":null}\r\n'
  } | put jsonlines
done
{
  bytes 0
  printf -- '-DOCSTART- O\n\nEU NNP B-ORG\nrejects VBZ O\r\n\nin\tB-X\n\xc3\xa9\tI-X\n'
} | put conll
{ bytes 1; printf 'a\nb\n\nc\n'; } | put conll

for how in 0 1 2 3 20 36 52 68 84 132; do
  text='the cat sat on the mat\ta dog was here\tpos\ncaf\xc3\xa9 12\tABC\t\n'
  [ $how != 132 ] || text='1 2 3\n7\n'
  for most in '0 0' '8 0' '9 3' '7 4' '12 9'; do
    # shellcheck disable=SC2086
    { bytes $how $most; printf '%b' "$text"; } | put rows
  done
done
for kind in wordpiece bpe unigram spbpe; do
  for n in 0 1 2 3; do
    { bytes $n; texts; } | put text-$kind
    texts | while IFS= read -r line; do { bytes $n; printf '%s' "$line"; } | put text-$kind; done
  done
done

# ---- what plot draws ----

{ bytes 0; printf 'step\tloss\tacc\n1\t2.5\t\n2\t1e-3\t.5\n\n3\tnan\t1\n4\t'; } | put plot
{ bytes 1; printf 'a\tstep\tb\n1\t2\t3\r\n4\t-5\t6e100\n7\t8\t0\n'; } | put plot
for f in "" --json; do
  # shellcheck disable=SC2086
  { bytes 2; score -e $f all; } | put plot
done
for n in 3 4; do { bytes $n; score --csv -k 0 all; } | put plot; done
{ bytes 4; score --json -k 2 all; } | put plot
tok -q -m "$models/bert-class" <<<'the cat' | encode --attention -m "$models/bert-class" >looks
for f in bert-class.ids looks vectors; do
  for n in 128 129 145 130 131; do { bytes $n 0; cat $f; } | put plot; done
done

# ---- a hub's answers: what it lists, then for each file the head and the body ----

commit=0123456789abcdef0123456789abcdef01234567
listed() {
  printf '200\nContent-Type: application/json\n\n{"sha":"%s","siblings":[' $commit
  printf '{"rfilename":"config.json"},{"rfilename":"%s"}]}' "$1"
}
file() {
  local sum
  sum=$({ printf 'blob %s\0' "${#1}"; printf '%s' "$1"; } | sha1sum | cut -d' ' -f1)
  printf '\n%%%%\n200\nX-Repo-Commit: %s\nETag: W/"%s"\n' $commit "$sum"
  printf 'X-Linked-Size: %s\n\n\n%%%%\n200\n\n%s' "${#1}" "$1"
}
{
  listed model.safetensors
  file "$(cat "$models/bert-class/config.json")"
  file 'not really'
} | put hub
{
  listed pytorch_model.bin.index.json
  file '{}'
  file '{"weight_map":{"a":"config.json"}}'
} | put hub
{
  listed model.safetensors
  printf '\n%%%%\n302\nLocation: /org/other\n\n\n%%%%\n429\nRetry-After: 3\n\n'
  file '{}'
} | put hub
printf '404\nX-Error-Code: RevisionNotFound\nX-Error-Message: none\n\n' | put hub
printf '200\n\n{"sha":"%s","siblings":[{"rfilename":"../x"}]}' $commit | put hub
