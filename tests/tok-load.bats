# tok-load.bats - which files of a folder make a tokenizer, what they may say, and what is wrong
# with them. Decoding and words are compared with the reference in unit/decode_test.c.
load helper

each_setup() {
  M=$(golden models/wordpiece-uncased)
  B=$(golden models/roberta-mask)
  PATH=$WEFT_UNIT:$PATH
}

# ids: of each row of the stream on standard input, a line each.
ids() { show -r | sed 's/.*"ids": \[\([^]]*\)\].*/\1/'; }
# wordpiece VOCAB [PROCESSOR]: a tokenizer.json of WordPiece.
wordpiece() {
  printf '{"version": "1.0", "added_tokens": [], "normalizer": null,'
  printf ' "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": %s,' "${2:-null}"
  printf ' "decoder": null, "model": {"type": "WordPiece", "unk_token": "[UNK]",'
  printf ' "max_input_chars_per_word": 100, "vocab": %s}}' "$1"
} >m/tokenizer.json
# refused TEXT: a folder m with which tok fails and says so.
refused() { fails_with 1 "$1" timeout 20 tok -m m </dev/null; }

@test "tokenizer.json goes before vocab.txt, that before vocab.json, that before nothing" {
  mkdir m
  wordpiece '{"[UNK]": 0, "hi": 1}'
  printf '[UNK]\n[CLS]\n[SEP]\nx\nhi\n' >m/vocab.txt
  [ "$(echo hi | tok -m m | ids)" = 1 ]
  rm m/tokenizer.json
  [ "$(echo hi | tok -m m | ids)" = '1, 4, 2' ]
  cp "$B"/vocab.json "$B"/merges.txt m
  [ "$(echo hi | tok -m m | ids)" = '1, 4, 2' ]
  rm m/vocab.txt
  printf '{"tokenizer_class": "RobertaTokenizer"}' >m/tokenizer_config.json
  [ "$(echo hi | tok -m m | ids)" = "$(echo hi | tok -m "$B" | ids)" ]
  rm m/*
  refused 'm: no tokenizer.json, vocab.txt, vocab.json with merges.txt, spiece.model'
}

@test "strings of every kind in a vocabulary" {
  mkdir m
  wordpiece '{"[UNK]": 0 , "\u0068\u0049"	:1,
    "caf\u00e9": 2, "\ud83d\ude00": 3, "日": 4, "\"": 5, "\\": 6, "\/" : 7, "x\ny":8}'
  [ "$(printf 'hI caf\xc3\xa9 \xf0\x9f\x98\x80 \xe6\x97\xa5 " \\ /' | tok -m m | ids)" = '1, 2, 3, 4, 5, 6, 7' ]
}

@test "the order of members and their number do not matter" {
  mkdir m
  printf '{"model": {"vocab": {"hi": 1, "[UNK]": 0}, "unk_token": "[UNK]", "max_input_chars_per_word": 100}, "pre_tokenizer": {"type": "BertPreTokenizer"}, "more": [{"model": {"vocab": [1]}}]}' >m/tokenizer.json
  [ "$(echo hi | tok -m m | ids)" = 1 ]
}

@test "a tokenizer.json that is broken: what and where" {
  mkdir m
  : >m/tokenizer.json
  refused 'm/tokenizer.json: empty'
  rm m/tokenizer.json; mkdir m/tokenizer.json
  refused 'm/tokenizer.json: not a file'
  rmdir m/tokenizer.json; mkfifo m/tokenizer.json
  refused 'm/tokenizer.json: not a file'
  rm m/tokenizer.json
  printf '[1]' >m/tokenizer.json
  refused "m/tokenizer.json: line 1: '[' where '{' should come"
  printf '{"model":\n{"vocab":\n{"a": 0,\n"b"' >m/tokenizer.json
  refused 'line 4: ends in the middle of a value'
  wordpiece '{"[UNK]": 0, "a": 1}'; printf ' x' >>m/tokenizer.json
  refused 'm/tokenizer.json: line 1: end of file expected'
  wordpiece '{"[UNK]": 0,
"a": 1}
, "vocab":
 {}'
  refused 'line 3: duplicate object key'
  wordpiece '{"[UNK]": 0,
"a" 1}'
  refused "line 2: vocab: '1' where ':' should come"
  wordpiece '{"[UNK]": 0, "a": 1.5}'
  refused "line 1: vocab: 'a' has no proper id"
  wordpiece '{"[UNK]": 0, "a": "1"}'
  refused "vocab: 'a' has no proper id"
  wordpiece '{"[UNK]": 0, "a": 123456789012345678901234567890}'
  refused "vocab: 'a' has no proper id"
  wordpiece '{"[UNK]": 0, "a": -1}'
  refused "vocab: 'a' has no proper id: -1"
  wordpiece '{"[UNK]": 0, "\ud800x": 1}'
  refused 'first half of a surrogate pair alone'
  wordpiece '{"[UNK]": 0, "\udc00": 1}'
  refused 'second half of a surrogate pair alone'
  wordpiece '{"[UNK]": 0, "\x": 1}'
  refused "'x' where an escape should come"
  wordpiece "$(printf '{"[UNK]": 0, "a\\u00\tb": 1}')"
  refused "byte 0x09 where a hexadecimal digit should come"
  wordpiece "$(printf '{"[UNK]": 0, "a\tb": 1}')"
  refused 'byte 0x09 where the rest of a string should come'
  wordpiece "$(printf '{"[UNK]": 0, "a\xff": 1}')"
  refused 'line 1: vocab: a string is not UTF-8'
  wordpiece null
  refused 'model has no vocab'
  wordpiece '[["[UNK]", 0.0]]'
  refused "vocab is not what model 'WordPiece' has"
  printf '{}' >m/tokenizer.json
  refused 'm/tokenizer.json: no model in it'
}

@test "a vocabulary with an entry twice, or one missing" {
  mkdir m
  wordpiece '{"[UNK]": 0, "a": 1, "b": 1}'
  refused "vocab: id 1 is there twice ('b' is one)"
  wordpiece '{"[UNK]": 0, "a": 1,
  "a": 2}'
  refused "line 2: vocab: 'a' is there twice"
  wordpiece '{"[UNK]": 0, "a": 1, "b": 3}'
  refused 'the vocabulary has nothing with id 2'
  wordpiece '{"[UNK]": 0, "a": 2000000000}'
  refused 'out of reason'
  rm m/tokenizer.json
  printf '[UNK]\n[CLS]\n[SEP]\na\xff\n' >m/vocab.txt
  refused 'm: vocab.txt: line 4: not UTF-8'
  rm m/vocab.txt; mkdir m/vocab.txt
  refused 'm: vocab.txt: not a file'
}

@test "a large file with nothing in it takes neither time nor memory" {
  need_limit 400000
  mkdir m
  truncate -s 200M m/tokenizer.json
  # shellcheck disable=SC2016 # the shell inside expands
  run --separate-stderr bash -c 'ulimit -v 400000; tok -m m </dev/null'
  [ "$status" -eq 1 ]
  # shellcheck disable=SC2154 # run sets stderr
  [[ $stderr == *"tokenizer.json: line 1: byte 0x00 where '{' should come"* ]]
  truncate -s 2G m/tokenizer.json
  refused 'tokenizer.json: too large'
  rm m/tokenizer.json
  truncate -s 300M m/vocab.txt
  refused 'vocab.txt: too large'
}

@test "components that are not supported are named" {
  mkdir m
  edit() { tr -d '\n' <"$1/tokenizer.json" | sed "$2" >m/tokenizer.json; }
  wordpiece '{"[UNK]": 0}'
  sed -i 's/WordPiece/CharPiece/' m/tokenizer.json
  refused "model 'CharPiece' is not supported: WordPiece, WordLevel, BPE and Unigram are"
  edit "$M" 's/BertNormalizer/NFKX/'
  refused "normalizer 'NFKX' is not supported"
  edit "$M" 's/BertPreTokenizer/Metaspace/'
  refused "pre_tokenizer 'Metaspace' is not supported"
  wordpiece '{"[UNK]": 0}'
  sed -i 's/"decoder": null/"decoder": {"type": "CTC"}/' m/tokenizer.json
  refused "decoder 'CTC' is not supported"
  edit "$M" 's/TemplateProcessing/GuessProcessing/'
  refused "post_processor: 'GuessProcessing' is not supported: BertProcessing, RobertaProcessing"
  edit "$B" 's/"pre_tokenizer": *{ *"type": *"ByteLevel"/"pre_tokenizer": {"type": "Digits"/'
  refused "pre_tokenizer 'Digits'"
}

@test "post processors: templates of BERT, RoBERTa, none, and sequences" {
  local v='{"[UNK]": 0, "a": 1, "b": 2, "S": 3, "E": 4}' cls='"cls": ["S", 3], "sep": ["E", 4]'
  mkdir m
  pair() { echo '{"x":"a","y":"b"}' | tok -m m -J x -p y | ids; }
  wordpiece "$v" "{\"type\": \"BertProcessing\", $cls}"
  [ "$(pair)" = '3, 1, 4, 2, 4' ]
  wordpiece "$v" "{\"type\": \"RobertaProcessing\", $cls, \"trim_offsets\": true, \"add_prefix_space\": false}"
  [ "$(pair)" = '3, 1, 4, 4, 2, 4' ]
  wordpiece "$v" '{"type": "ByteLevel"}'
  [ "$(pair)" = '1, 2' ]
  wordpiece "$v" "{\"type\": \"Sequence\", \"processors\": [{\"type\": \"ByteLevel\"}, {\"type\": \"BertProcessing\", $cls}]}"
  [ "$(pair)" = '3, 1, 4, 2, 4' ]
  wordpiece "$v" "{\"type\": \"Sequence\", \"processors\": [{\"type\": \"BertProcessing\", $cls}, {\"type\": \"BertProcessing\", $cls}]}"
  refused 'post_processor: a Sequence with two templates is not supported'
  wordpiece "$v" '{"type": "RobertaProcessing", "cls": ["S", 3]}'
  refused "post_processor: RobertaProcessing: 'sep' has no proper id"
}

@test "merges: pairs and texts; what is out of step" {
  bpe() { printf '{"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}, "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "abb": 3}, "merges": %s}}' "$1" >m/tokenizer.json; }
  mkdir m
  tr -d '\n' <"$B"/tokenizer.json | sed 's/ *\[ *\("[^"]*"\), *\("[^"]*"\) *\]/[\1,\2]/g' >pairs
  grep -q '"merges": \[\["' pairs
  sed 's/\["\([^"]*\)","\([^"]*\)"\]/"\1 \2"/g; s/"merges": \[/&"#version: 0.2", /' pairs >m/tokenizer.json
  grep -q '"merges": \["#version: 0.2", "[^ "]* [^ "]*",' m/tokenizer.json
  echo 'the other one' | tok -m m | ids >got
  echo 'the other one' | tok -m "$B" | ids | sed 's/^0, //; s/, 2$//' >want
  sed -i 's/^0, //; s/, 2$//' got
  cmp got want
  bpe '["a b",
  "ab c"]'
  refused 'line 2: merges:'
  bpe '["ab"]'
  refused "merges: 'ab' is not two entries with a space between"
  bpe '["a b b"]'
  refused "merges: 'a b b' is not two entries"
  bpe '[["a"]]'
  refused "merges: ']' where ',' should come"
  bpe '{"a": "b"}'
  refused 'merges is not a list'
  bpe null
  refused 'model has no merges'
}

@test "added tokens: from the configuration, special ones, ids that do not follow" {
  mkdir m
  wordpiece '{"[UNK]": 0, "a": 1, "b": 2}'
  printf '{"tokenizer_class": "BertTokenizer", "additional_special_tokens": ["<x>"], "model_max_length": 1000000000000000019884624838656}' >m/tokenizer_config.json
  [ "$(echo 'a<x>b' | tok -m m | ids)" = '1, 3, 2' ]
  [ "$(echo '1 3 2' | tok --ids | tok -m m --decode)" = 'a b' ]
  [ "$(echo '1 3 2' | tok --ids | tok -m m --decode --raw)" = 'a <x> b' ]
  # Where the configuration lists the added tokens, the map is older and not asked.
  printf '{"added_tokens_decoder": {"4": {"content": "<z>"}, "3": {"content": "<y>", "lstrip": true}}}' >m/tokenizer_config.json
  printf '{"additional_special_tokens": ["<x>"]}' >m/special_tokens_map.json
  [ "$(echo 'a <y><z>' | tok -m m | ids)" = '1, 3, 4' ]
  printf '{"added_tokens_decoder": {"7": {"content": "<y>"}}}' >m/tokenizer_config.json
  refused "added_tokens_decoder: '<y>' has id 7, but 3 is the next behind the last"
  printf '{"added_tokens_decoder": {"2": {"content": "a"}}}' >m/tokenizer_config.json
  refused "'a' has id 2 here and 1 in the vocabulary"
  printf '{"added_tokens_decoder": {"2x": {"content": "a"}}}' >m/tokenizer_config.json
  refused "'2x' is no id"
}

@test "a mask token without its flags: the file's, else the class's" {
  mkdir m
  tr -d '\n' <"$B"/tokenizer.json | sed 's/\("content": *"<mask>", *"single_word": *false, *"lstrip": \)true/\1false/' >m/tokenizer.json
  span() { echo 'the <mask>' | tok -m m | show -r | grep -o '\[[34], 10\]'; }
  sed -i 's/"trim_offsets": *true/"trim_offsets":false/g' m/tokenizer.json
  printf '{"tokenizer_class": "RobertaTokenizer", "mask_token": "<mask>", "trim_offsets": false}' >m/tokenizer_config.json
  [ "$(span)" = '[4, 10]' ]
  printf '{"tokenizer_class": "RobertaTokenizer", "trim_offsets": false}' >m/tokenizer_config.json
  [ "$(span)" = '[3, 10]' ]
  printf '{"tokenizer_class": "RobertaTokenizer", "trim_offsets": false}' >m/tokenizer_config.json
  printf '{"mask_token": {"content": "<mask>", "lstrip": false}}' >m/special_tokens_map.json
  [ "$(span)" = '[4, 10]' ]
}

@test "what the configuration says goes before tokenizer.json, unless the class has no rules" {
  mkdir m
  cp "$M"/tokenizer.json "$M"/config.json m
  lower=$(echo THE | tok -m m | ids)
  printf '{"tokenizer_class": "BertTokenizer", "do_lower_case": false}' >m/tokenizer_config.json
  [ "$(echo THE | tok -m m | ids)" != "$lower" ]
  printf '{"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": false}' >m/tokenizer_config.json
  [ "$(echo THE | tok -m m | ids)" = "$lower" ]
}

@test "how long rows are: positions less the padding, n_positions, none" {
  mkdir m
  cp "$M"/vocab.txt m
  printf '{"tokenizer_class": "BertTokenizer"}' >m/tokenizer_config.json
  yes it | head -n 60 | tr '\n' ' ' >in
  length() { printf '%s' "$1" >m/config.json; tok -q -m m in | ids | tr -cd , | wc -c; }
  [ "$(length '{"model_type": "bert", "max_position_embeddings": 34}')" -eq 33 ]
  [ "$(length '{"model_type": "roberta", "max_position_embeddings": 34, "pad_token_id": 1}')" -eq 31 ]
  [ "$(length '{"model_type": "gpt2", "n_positions": 20}')" -eq 19 ]
  [ "$(length '{"model_type": "t5", "n_positions": 20}')" -eq 61 ]
}

@test "a padding id that leaves no positions is no length" {
  local id
  cp -r "$B" m
  chmod -R u+w m
  for id in 9223372036854775807 -9223372036854775808; do
    sed -i "s/\"pad_token_id\": [-0-9]*/\"pad_token_id\": $id/" m/config.json
    [ "$(echo a | tok -m m | ids)" = "$(echo a | tok -m "$B" | ids)" ]
  done
}
