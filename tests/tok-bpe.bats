# tok-bpe.bats - byte-level BPE: the layouts of GPT-2, RoBERTa and BART, what is refused, real
# texts. The tokens themselves are compared with the reference in unit/bpe_test.c.
load helper

# ids: of each row of the stream on standard input, a line each.
ids() { show -r | sed 's/.*"ids": \[\([^]]*\)\].*/\1/'; }

# copy MODEL: a model of tests/golden/models as ./m, to be spoilt.
copy() {
  rm -rf m
  cp -r "$(golden "models/$1")" m
  chmod -R u+w m
}

# edit FILE SED-EXPRESSION: changes m/FILE, or fails when nothing changed.
edit() {
  cp "m/$1" before
  sed -i "$2" "m/$1"
  run ! cmp -s before "m/$1"
}

# refuses TEXT: tok says so of ./m.
refuses() {
  echo a >in
  fails_with 1 "$1" tok -m m in
}

# tokens: of each row of the stream on standard input, with spaces between.
tokens() { show -r | sed 's/.*"tokens": \[\([^]]*\)\].*/\1/; s/", "/ /g; s/"//g'; }

@test "templates: GPT-2 has none, RoBERTa and BART <s> A </s> </s> B </s>" {
  local m
  printf '{"a":"b a","b":"a"}\n' >in
  for m in bpe-gpt2 bpe-gpt2-files; do
    [ "$(tok -m "$(golden models/$m)" -J a -p b in | tokens)" = 'b Ġ a a' ]
    [ "$(tok -m "$(golden models/$m)" -J a in | tokens)" = 'b Ġ a' ]
  done
  m=$(golden models/bpe-roberta)
  [ "$(tok -m "$m" -J a -p b in | tokens)" = '<s> b Ġ a </s> </s> a </s>' ]
  m=$(golden models/bpe-roberta-files)
  [ "$(tok -m "$m" -J a -p b in | tokens)" = '<s> Ġ b Ġ a </s> </s> Ġ a </s>' ]
  copy bpe-roberta-files
  rm m/tokenizer_config.json
  echo '{"model_type": "bart"}' >m/config.json
  [ "$(tok -m m -J a -p b in | tokens)" = '<s> b Ġ a </s> </s> a </s>' ]
}

@test "add_bos_token: the beginning is told" {
  copy bpe-gpt2-files
  echo '{"add_bos_token": true}' >m/tokenizer_config.json
  echo 'b a' >in
  [ "$(tok -m m in | tokens)" = '<|endoftext|> b Ġ a' ]
}

@test "windows, cutting and limits count tokens" {
  local m
  m=$(golden models/bpe-roberta)
  yes 'a b' | head -n 200 | tr '\n' ' ' >in
  [ "$(tok -q -m "$m" -n 7 in | ids | tr -cd , | wc -c)" -eq 6 ]
  # 800 tokens, of which each window has 6, 4 of them new ones.
  [ "$(tok -m "$m" -n 8 -S 2 in | ids | wc -l)" -eq 200 ]
}

@test "vocab.json and merges.txt: no word of what model they are" {
  copy bpe-gpt2-files
  rm m/config.json
  refuses 'm: vocab.json with merges.txt is supported for GPT-2, RoBERTa and BART'
}

@test "merges.txt out of step with vocab.json: the line is told" {
  copy bpe-gpt2-files
  edit merges.txt '7s/.*/qq zz/'
  refuses "m: merges.txt: line 7: 'qq' of the merge 'qq zz' is not in the vocabulary"
  edit merges.txt '7s/.*/a zq/'
  refuses "merges.txt: line 7: 'zq' of the merge 'a zq'"
  edit merges.txt '7s/.*/\~ \~/'
  refuses "merges.txt: line 7: '~~' of the merge '~ ~'"
  edit merges.txt '7s/.*/ab/'
  refuses "merges.txt: line 7: not two words with a space between: 'ab'"
  edit merges.txt '7s/.*/a b c/'
  refuses "merges.txt: line 7: not two words"
  edit merges.txt '7s/.*//'
  refuses "merges.txt: line 7: not two words"
  edit merges.txt '7s/.*/ a/'
  refuses "merges.txt: line 7: a merge with nothing on one side"
  copy bpe-gpt2-files
  sed -n 3p m/merges.txt >>m/merges.txt
  refuses 'is there twice'
  rm m/merges.txt
  refuses 'm: no tokenizer.json'
}

@test "merges.txt: carriage returns, no last newline, no version" {
  echo 'the flight was late again' >in
  tok -m "$(golden models/bpe-gpt2-files)" in | ids >want
  copy bpe-gpt2-files
  edit merges.txt 's/$/\r/'
  tok -m m in | ids | cmp - want
  copy bpe-gpt2-files
  edit merges.txt 1d
  truncate -s -1 m/merges.txt
  tok -m m in | ids | cmp - want
}

@test "vocab.json: entries twice, missing, no numbers; bytes without one" {
  copy bpe-gpt2-files
  edit vocab.json 's/"a": [0-9]*/"a": 1/'
  refuses 'vocab.json'
  copy bpe-gpt2-files
  edit vocab.json 's/"a": \([0-9]*\)/"a": \1, "a": 9999/'
  refuses "'a' is there twice"
  copy bpe-gpt2-files
  edit vocab.json 's/"a": [0-9]*/"a": "x"/'
  refuses "'a' has no proper id"
  copy bpe-gpt2-files
  edit vocab.json 's/"Ĥ"/"Ĥ+"/'
  : >m/merges.txt
  refuses "m: no entry for the byte 0x82 ('Ĥ') in the vocabulary"
  copy bpe-gpt2-files
  truncate -s 900 m/vocab.json
  refuses 'm: vocab.json: line 1'
  echo '[]' >m/vocab.json
  refuses 'm: vocab.json: no object of entries with ids'
  : >m/vocab.json
  refuses 'm: vocab.json: '
}

@test "parts of tokenizer.json that are not supported are named" {
  local model='s/"continuing_subword_prefix":""/'
  copy bpe-gpt2
  edit tokenizer.json "$model\"continuing_subword_prefix\":\"@@\"/"
  refuses "m/tokenizer.json: model BPE: continuing_subword_prefix '@@' is not supported"
  copy bpe-gpt2
  edit tokenizer.json 's/"end_of_word_suffix":""/"end_of_word_suffix":"<\/w>"/'
  refuses "end_of_word_suffix '</w>' is not supported"
  copy bpe-gpt2
  edit tokenizer.json 's/"dropout":null/"dropout":0.1/'
  refuses 'dropout is not supported'
  copy bpe-gpt2
  edit tokenizer.json 's/"pre_tokenizer":{"type":"ByteLevel"/"pre_tokenizer":{"type":"Digits"/'
  refuses "pre_tokenizer 'Digits' is not supported"
  copy bpe-gpt2
  edit tokenizer.json 's/"normalizer":null/"normalizer":{"type":"BertNormalizer"}/'
  refuses "normalizer 'BertNormalizer' is not supported"
}

@test "a Sequence of ByteLevel alone; ignore_merges" {
  echo "It's a flight, isn't it?" >in
  copy bpe-gpt2
  tok -m m in | ids >want
  edit tokenizer.json 's/"pre_tokenizer":\({[^}]*}\)/"pre_tokenizer":{"type":"Sequence","pretokenizers":[\1]}/'
  tok -m m in | ids | cmp - want
  edit tokenizer.json 's/"pretokenizers":\[\({[^}]*}\)\]/"pretokenizers":[\1,{"type":"Digits"}]/'
  refuses "pre_tokenizer 'Digits' behind ByteLevel is not supported"
  # A word of the vocabulary that no merges make.
  copy bpe-gpt2
  edit tokenizer.json 's/"<|endoftext|>":\([0-9]*\)}/"<|endoftext|>":\1,"Ġqzqz":901}/'
  echo 'a qzqz' >in
  [ "$(tok -m m in | tokens)" != 'a Ġqzqz' ]
  edit tokenizer.json 's/"ignore_merges":false/"ignore_merges":true/'
  [ "$(tok -m m in | tokens)" = 'a Ġqzqz' ]
}

# split REGEX: bpe-gpt2 with a Split before ByteLevel, as ./m; backslashes as JSON has them.
split() {
  local file old level
  copy bpe-gpt2
  file=$(cat m/tokenizer.json)
  old=$(grep -o '"pre_tokenizer":{[^}]*}' m/tokenizer.json)
  level='{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}'
  {
    printf '%s"pre_tokenizer":{"type":"Sequence","pretokenizers":[' "${file%%"$old"*}"
    printf '{"type":"Split","pattern":{"Regex":"%s"},"behavior":"Isolated","invert":false},' "$1"
    printf '%s]}%s\n' "$level" "${file#*"$old"}"
  } >m/tokenizer.json
}

@test "regular expressions that PCRE2 reads otherwise are refused by name" {
  local at='m/tokenizer.json: pre_tokenizer Split: the regular expression'
  split '[a-z&&[^b]]'
  refuses "$at '[a-z&&[^b]]': && of classes is not supported, at character 5"
  split 'a(?~b)'
  refuses "$at 'a(?~b)': this group is not supported, at character 4"
  split 'x\\p{Klingon}'
  refuses 'this property is not supported, at character 4'
  split '(?i)straight|ss'
  refuses "'ss', 'st', 'ff', 'fi' or 'fl' whose case is of no account is not supported"
  split '\\X'
  refuses 'this escape is not supported'
  split '(a'
  refuses 'a group without its end'
  split 'a**)'
  refuses 'a bracket that closes nothing'
  split '(?<=a+)b'
  refuses 'lookbehind assertion is not fixed length'
}

@test "an expression that tries without end gives up, and says so" {
  split '(x+x+)+[yz]'
  printf 'a\n%s\nb\n' "$(head -c 60 /dev/zero | tr '\0' x)" >in
  fails_with 1 'in: record 2: a regular expression of tokenizer.json gives up on the text: match limit exceeded' \
    tok -m m in
}

@test "-j: the same result with several threads" {
  yes "It's a flight, isn't it? 日本語 42" | head -n 5000 >in
  tok -m "$(golden models/bpe-gpt2)" -j 1 in >one
  tok -m "$(golden models/bpe-gpt2)" -j 3 in >three
  show --digest one >want
  show --digest three | cmp - want
}

# real_layout NAME: GPT-2's vocabulary as tests/oracle/bpe.py lays it out, in ./m.
real_layout() {
  need_shared gpt2-encoder.json gpt2-vocab.bpe Tweets.csv s140-test.csv wikitext2-test.txt
  mkdir -p m
  ln -sf "$(realpath "$(shared gpt2-vocab.bpe)")" m/merges.txt
  if [ "$1" = gpt2 ]; then
    ln -sf "$(realpath "$(shared gpt2-encoder.json)")" m/vocab.json
    echo '{"tokenizer_class": "GPT2Tokenizer"}' >m/tokenizer_config.json
    return
  fi
  sed 's/}$/, "<s>": 50257, "<pad>": 50258, "<\/s>": 50259, "<unk>": 50260, "<mask>": 50261}/' \
    "$(shared gpt2-encoder.json)" >m/vocab.json
  printf '{"tokenizer_class": "RobertaTokenizer", "add_prefix_space": %s}\n' \
    "$([ "$1" = roberta-prefix ] && echo true || echo false)" >m/tokenizer_config.json
}

# like_reference LAYOUT FILE OPTION...: the reference's ids and spans. RoBERTa's <s> and </s>
# have no span, and are not in the reference's answer.
like_reference() {
  local layout=$1 name=$2
  shift 2
  tok -q -n 0 -m m "$@" "$(shared "$name")" | show -r >rows
  sed 's/.*"ids": \(\[[0-9, ]*\]\).*"spans": \(\[[][0-9, ]*\]\)}$/\1\t\2/' rows >got
  if [ "$layout" != gpt2 ]; then
    sed -i 's/^\[50257, 50259\]\t.*/[]\t[]/; t
            s/^\[50257, /[/; s/, 50259\]\t/]\t/
            s/\t\[\[0, 0\], /\t[/; s/, \[0, 0\]\]$/]/' got
  fi
  grep -q "^$layout	$name	$(wc -l <got)	$(sha256sum <got | cut -d' ' -f1)$" \
    "$(golden tok/bpe-real.tsv)" ||
    { echo "$layout, $name: $(wc -l <got) rows, not as the reference" >&2; return 1; }
}

@test "real texts, GPT-2's vocabulary: the reference's ids and spans" {
  local layout
  for layout in gpt2 roberta roberta-prefix; do
    real_layout $layout
    like_reference $layout Tweets.csv -c text
    like_reference $layout s140-test.csv -c text
    like_reference $layout wikitext2-test.txt
    rm -r m
  done
}

@test "every code point and 200,000 drawn texts, GPT-2's vocabulary: the reference's tokens" {
  local layout
  for layout in gpt2 roberta roberta-prefix; do
    real_layout $layout
    "$WEFT_UNIT/bpe_test" $layout m
    rm -r m
  done
}

@test "a line of 100 MB takes bounded memory" {
  local limit=1500000 # KiB: the text a few times over, and no more
  need_limit $limit
  head -c 100000000 /dev/zero | tr '\0' 'x' >in
  (ulimit -v $limit && exec tok -q -m "$(golden models/bpe-gpt2-files)" -n 16 in >out)
  [ "$(show -n token.id out | tail -c 64 | od -An -v -w4 -td4 | sort -u | wc -l)" -eq 1 ]
  [ "$(show -n row.tokens out | tail -c 8 | od -An -td8 | tr -d ' ')" -eq 16 ]
}
