# Unigram and SentencePiece's BPE: T5's, XLM-R's, CamemBERT's, ALBERT's, DeBERTa's, Llama's and Marian's
# tokenizers, and what is wrong with a broken spiece.model. The reference's answers are tests/oracle/unigram.py's.
load helper

# model_of NAME: the folder of the model; T5's file is packed in the repository.
model_of() {
  if [ "$1" = unigram-t5 ]; then
    mkdir -p t5
    cp "$(golden models/unigram-t5)/config.json" t5
    xz -dc "$(golden models/unigram-t5)/spiece.model.xz" >t5/spiece.model
    echo t5
  else
    golden "models/$1"
  fi
}

# like_reference NAME [FOLDER]: ids, spans and words of texts; ids and spans of every code point
# and of 200,000 strings.
like_reference() {
  local folder seed count tokens ids spans
  folder=${2:-$(model_of "$1")}
  "$WEFT_UNIT/unigram" "$folder" "$1"
  IFS=$'\t' read -r _ seed count tokens ids spans < <(grep "^$1	" "$(golden tok/sp-strings.tsv)")
  "$WEFT_UNIT/strings" "$seed" "$count" >strings
  tok -q -n 0 -m "$folder" strings >out
  [ "$(show -n token.id out | tail -c $((4 * tokens)) | sha256sum)" = "$ids  -" ]
  [ "$(show -n token.span out | tail -c $((8 * tokens)) | sha256sum)" = "$spans  -" ]
}

# ids_like NAME: real texts' ids.
ids_like() {
  local folder file
  need_shared Tweets.csv s140-test.csv wikitext2-test.txt
  folder=$(model_of "$1")
  for file in Tweets.csv s140-test.csv wikitext2-test.txt; do
    if [[ $file == *.csv ]]; then set -- "$1" -c text; else set -- "$1"; fi
    tok -q -n 0 -m "$folder" "${@:2}" "$(shared "$file")" | show -r |
      sed 's/.*"ids": \[\([^]]*\)\].*/\1/' >ids
    grep -q "^$1	$file	$(wc -l <ids)	$(sha256sum <ids | cut -d' ' -f1)$" "$(golden tok/sp-real.tsv)" ||
      { echo "$1, $file: $(wc -l <ids) rows, other ids than the reference" >&2; return 1; }
  done
}

@test "T5: spiece.model with nmt_nfkc" {
  like_reference unigram-t5
}

@test "XLM-R: tokenizer.json" {
  like_reference unigram-xlmr
}

@test "CamemBERT: sentencepiece.bpe.model" {
  like_reference unigram-camembert
}

@test "ALBERT: tokenizer.json" {
  like_reference unigram-albert
}

@test "DeBERTa: spm.model, and tokenizer.json with lower case and punctuation apart" {
  like_reference unigram-deberta
  like_reference unigram-deberta-punct
}

@test "WhitespaceSplit and an old file's Metaspace" {
  like_reference unigram-old
}

@test "normalizers of all kinds, bytes, one word a text, added tokens in normalised text" {
  like_reference unigram-odd
}

@test "Llama: add_prefix_space makes the tokenizer of tokenizer.model anew, or is refused" {
  local said
  printf 'the cat\n the\n</s>the\na  b\n' >in
  for said in '"add_prefix_space": false' '"add_prefix_space": true, "legacy": false'; do
    mkdir m
    cp "$(golden models/spbpe-llama/tokenizer.model)" m
    echo "{\"tokenizer_class\": \"LlamaTokenizer\", $said}" >m/tokenizer_config.json
    tok -m m in | show --digest >want
    cp "$(golden models/unigram-odd/tokenizer.json)" m
    tok -m m in | show --digest | cmp - want
    rm m/tokenizer.model
    fails_with 1 'm/tokenizer_config.json: add_prefix_space is not supported without tokenizer.model' tok -m m in
    rm -r m
  done
}

@test "Llama: tokenizer.model, BPE by the pieces' scores" {
  like_reference spbpe-llama
}

@test "BPE behind Metaspace, without bytes" {
  like_reference spbpe-first
}

@test "Marian: source.spm and target.spm, numbered by vocab.json" {
  like_reference marian-spm
}

@test "Marian: pieces of the user's, unused ones, bytes, spaces kept" {
  like_reference marian-odd
}

@test "Marian: a language code, its length, and no tokenizer.json of another kind" {
  cp -r "$(golden models/marian-spm)" m && chmod u+w m m/*
  printf '%s\n' '>>fra<< Hello' '>>nowhere<<' '>>fra<' '>>fra<<>>deu<<' >in
  tok -m m in | show -r | grep -o '"tokens": [^]]*]' >got
  [ "$(sed -n 1p got)" = '"tokens": [">>fra<<", "▁He", "ll", "o", "</s>"]' ] || { cat got >&2; false; }
  [ "$(sed -n 2p got)" = '"tokens": ["<unk>", "</s>"]' ]
  [ "$(sed -n '3,4p' got | grep -c '>>fra<<')" -eq 1 ]
  head -c 9000 /dev/zero | tr '\0' z >long
  tok -q -m m long | show -r | grep -o '"ids": [^]]*]' | tr -cd , | wc -c >got
  [ "$(cat got)" -eq 511 ] # 512, the class's own
  tok -m m in >out
  cp "$(golden models/unigram-xlmr/tokenizer.json)" m
  tok -m m in | cmp - out
  tok --decode -m m out >got
  [ "$(sed -n 1p got)" = '>>fra<< Hello' ] || { cat got >&2; false; }
}

@test "Marian: what is missing or not supported" {
  made() { rm -rf m && cp -r "$(golden models/marian-spm)" m && chmod u+w m m/*; }
  made && rm m/target.spm
  fails_with 1 'm: target.spm: cannot open' tok -m m
  made && rm m/vocab.json
  fails_with 1 'm: vocab.json: cannot open' tok -m m
  made && sed -i 's/"<unk>"/"<other>"/' m/vocab.json
  fails_with 1 "vocab.json: no '<unk>' in it" tok -m m
  made && sed -i 's/"<pad>"/"<other>"/' m/vocab.json
  fails_with 1 "vocab.json: no '<pad>' in it" tok -m m
  made && echo '{"separate_vocabs": true}' >m/tokenizer_config.json
  fails_with 1 'separate_vocabs is not supported' tok -m m
  made && echo '{"sp_model_kwargs": {"enable_sampling": true}}' >m/tokenizer_config.json
  fails_with 1 'sp_model_kwargs are not supported' tok -m m
  made && cp "$(golden models/spbpe-llama/tokenizer.model)" m/source.spm
  fails_with 1 'source.spm: model_type 2 is not supported: Unigram is' tok -m m
  made && head -c 5001 m/source.spm >cut && cp cut m/source.spm
  fails_with 1 'source.spm: the file is cut off or damaged' tok -m m
}

@test "SentencePiece's file alone is what the tokenizer.json made of it is" {
  local name
  for name in xlmr albert deberta-punct; do
    mkdir "$name"
    cp "$(golden "models/unigram-$name")"/*.model "$(golden "models/unigram-$name")"/config.json "$name"
    cp "$(golden "models/unigram-$name")"/tokenizer_config.json "$name" 2>/dev/null || true
    "$WEFT_UNIT/unigram" "$name" "unigram-$name"
    for folder in "$name" "$(golden "models/unigram-$name")"; do
      echo 'The flight, at last' | tok -m "$folder" | show -r | sed 's/"model": "[^"]*"//'
    done | uniq | wc -l >same
    [ "$(cat same)" -eq 1 ]
  done
}

@test "real texts: the reference's ids" {
  local name
  for name in unigram-t5 unigram-xlmr unigram-camembert unigram-albert unigram-deberta \
    unigram-deberta-punct unigram-old unigram-odd spbpe-llama spbpe-first marian-spm marian-odd; do
    ids_like "$name"
  done
}

@test "a text and its pair" {
  t5=$(model_of unigram-t5)
  run -0 bash -c "printf '{\"a\":\"a cat\",\"b\":\"the dog\"}\n' | tok -m '$t5' -J a -p b | show -r"
  [[ $output == *'"</s>"'*'"</s>"]'* ]]
  run -0 bash -c "printf '{\"a\":\"a cat\",\"b\":\"the dog\"}\n' | tok -m '$(golden models/unigram-xlmr)' -J a -p b | show -r"
  [[ $output == *'["<s>", '*'"</s>", "</s>", '*'"</s>"]'* ]]
}

@test "a text without a space is split in bounded memory" {
  need_limit 3000000
  head -c 20000000 /dev/zero | tr '\0' 'a' >long
  (
    ulimit -v 3000000
    tok -q -n 0 -m "$(golden models/unigram-xlmr)" long
  ) >out
  [ "$(show -r out | wc -l)" -eq 1 ]
}

@test "a spiece.model that is cut off or damaged" {
  xlmr=$(golden models/unigram-xlmr)
  mkdir m
  echo '{"model_type": "xlm-roberta"}' >m/config.json
  head -c 9000 "$xlmr/sentencepiece.bpe.model" >m/sentencepiece.bpe.model
  fails_with 1 'sentencepiece.bpe.model: the file is cut off or damaged' tok -m m
  : >m/sentencepiece.bpe.model
  fails_with 1 "no pieces: is it SentencePiece's model?" tok -m m
  printf '\x0a\xff\xff\xff\xff\x0f' >m/sentencepiece.bpe.model
  fails_with 1 'the file is cut off or damaged' tok -m m
  printf '\x0a\x05\x0a\x03a\xff\xfe' >m/sentencepiece.bpe.model
  fails_with 1 'piece 0 is no text' tok -m m
}

@test "layouts that are refused" {
  mkdir m
  cp "$(golden models/unigram-xlmr)/sentencepiece.bpe.model" m/spiece.model
  fails_with 1 "the layout of model_type '' is not supported" tok -m m
  echo '{"tokenizer_class": "PegasusTokenizer"}' >m/tokenizer_config.json
  fails_with 1 "the layout of tokenizer_class 'PegasusTokenizer' is not supported" tok -m m
}

# with_part NAME VALUE: XLM-R's tokenizer.json with another part.
with_part() {
  mkdir -p m
  sed "s/\"$1\": {\"type\": \"[A-Za-z]*\"/\"$1\": {\"type\": \"$2\"/" \
    "$(golden models/unigram-xlmr)/tokenizer.json" >m/tokenizer.json
}

@test "parts that are not supported are named" {
  with_part normalizer ByteLevel
  fails_with 1 "normalizer 'ByteLevel' is not supported" tok -m m
  with_part pre_tokenizer Digits
  fails_with 1 "pre_tokenizer 'Digits' is not supported" tok -m m
  sed 's/{"Regex": " {2,}"}/{"Regex": "x+"}/' "$(golden models/unigram-xlmr)/tokenizer.json" >m/tokenizer.json
  fails_with 1 "normalizer Replace: the pattern 'x+' is not supported" tok -m m
  sed 's|"precompiled_charsmap": "......|"precompiled_charsmap": "|' "$(golden models/unigram-xlmr)/tokenizer.json" >m/tokenizer.json
  fails_with 1 'precompiled_charsmap' tok -m m
  sed 's/"unk_id": 3/"unk_id": 9999/' "$(golden models/unigram-xlmr)/tokenizer.json" >m/tokenizer.json
  fails_with 1 'unk_id 9999 is not in its vocabulary of 802 entries' tok -m m
}
