# show: a stream, a model folder or this machine, to read.
load helper

mkstream() {
  "${WEFT_UNIT:-$TOP/build/tests}/mkstream"
}

sample() {
  cat <<'END'
meta model none/such
meta task class
text good | pair day | label pos | ids 2 5 3 | part 255 0 255 | keep.id a7 | logit 0.5 -1 | vector 1 2 3
text bad | label  | ids 2 3 | part 255 255 | keep.id b
frame
text x"y | label neg | ids 2 9 8 7 3 | part 255 0 0 0 255 | logit 1e-9 3 | vector 0.1 0 -0.25
END
}

@test "a stream: counts, metadata, tensors over all frames, first rows" {
  sample | mkstream | show >out
  grep -qx 'frames   2' out
  grep -qx 'rows     3' out
  grep -qx 'tokens   10' out
  grep -qx 'model    none/such' out
  grep -qE '^row.tokens +I64 +\[4\] +40$' out # 3 and 2 positions of 8 bytes
  grep -qE '^token.id +I32 +\[10\] +40$' out
  grep -qE '^row.vector +F32 +\[3, 3\] +36$' out
  sed -n '/^row 1$/,/^row 2$/p' out >first
  cat >want <<'END'
row 1
  text    good
  pair    day
  label   pos
  ids     2 5 3
  vector  1 2 3
  logits  0.5 -1
row 2
END
  diff want first
  [ "$(grep -c '^row [0-9]' out)" -eq 3 ]
}

@test "--rows: a JSON object a row" {
  sample | mkstream | show --rows >out
  cat >want <<'END'
{"text": "good", "pair": "day", "label": "pos", "ids": [2, 5, 3], "vector": [1.0, 2.0, 3.0], "logits": [0.5, -1.0], "keep": {"id": "a7"}}
{"text": "bad", "pair": "", "label": null, "ids": [2, 3], "vector": [0.0, 0.0, 0.0], "logits": [0.0, 0.0], "keep": {"id": "b"}}
{"text": "x\"y", "label": "neg", "ids": [2, 9, 8, 7, 3], "vector": [0.100000001, 0.0, -0.25], "logits": [9.99999972e-10, 3.0]}
END
  diff want out
}

@test "tokens are spelt by the vocabulary of -m, or of the stream's model" {
  printf 'ids 2 5 3\n' | mkstream >s.weft
  local model
  model=$(golden models/bert-class)
  sixth=$(sed -n 6p "$model/vocab.txt")
  show -r -m "$model" s.weft | grep -qF "\"tokens\": [\"[CLS]\", \"$sixth\", \"[SEP]\"]"
  { echo "meta model $model"; echo 'ids 2 5 3'; } | mkstream >named.weft
  [ "$(show -r named.weft)" = "$(show -r -m "$model" s.weft)" ]
  show named.weft | grep -qx "  tokens  \[CLS\] $sixth \[SEP\]"
  [ "$(WEFT_MODEL=$model show -r s.weft)" = "$(show -r named.weft)" ]
  fails_with 1 "no/model" show -r -m no/model s.weft
}

@test "a vocabulary that is not the stream's is refused" {
  { echo "meta vocab 0123"; echo 'ids 2 5 3'; } | mkstream >s.weft
  fails_with 1 "the stream's vocabulary is 0123" show -r -m "$(golden models/bert-class)" s.weft
  [ "$(show -r s.weft)" = '{"ids": [2, 5, 3]}' ]
}

@test "--digest: rows count, frames do not" {
  for i in $(seq 50); do
    echo "ids $i $((i * 7)) 3 | label l$((i % 3)) | text t$i | vector $i 1"
  done >rows
  mkstream <rows | show --digest >want
  [ "$(sed -n 1p want)" = "rows 50" ]
  [ "$(cut -f 1,2 want | tail -n +2 | tr '\t\n' ' ,')" = \
    "row.label I64,row.text I64,row.tokens I64,row.vector F32,token.id I32," ]
  cut -f 3 want | tail -n +2 | grep -qvxE '[0-9a-f]{32}' && return 1
  awk '{ print } NR % 8 == 3 { print "frame" }' rows | mkstream | show --digest | diff want -
  awk '{ print } END { print "frame"; print "end" }' rows | mkstream | show --digest | diff want -
}

@test "--digest: a change shows in its tensor alone" {
  sample | sed /frame/d >rows
  mkstream <rows | show --digest >a
  sed 's/-0.25/-0.26/' rows | mkstream | show --digest >b
  [ "$(diff a b | grep '^>' | cut -f 1)" = "> row.vector" ]
  # The same bytes, cut elsewhere.
  printf 'text ab\ntext c\n' | mkstream | show --digest >a
  printf 'text a\ntext bc\n' | mkstream | show --digest >b
  run ! cmp -s a b
  printf 'ids 1 2\nids 3\n' | mkstream | show --digest >a
  printf 'ids 1\nids 2 3\n' | mkstream | show --digest >b
  [ "$(diff a b | grep '^>' | cut -f 1)" = "> row.tokens" ]
}

@test "--digest: which rows lack a tensor matters" {
  printf 'vector 1\nframe\nids 1\n' | mkstream | show --digest | grep '^row.vector' >a
  printf 'ids 1\nframe\nvector 1\n' | mkstream | show --digest | grep '^row.vector' >b
  run ! cmp -s a b
}

@test "-n: a NumPy file over all frames" {
  sample | mkstream | show -n row.vector >v.npy
  printf '\x93NUMPY\x01\x00' | cmp - <(head -c 8 v.npy)
  [ $(($(od -An -tu2 -j8 -N2 v.npy) + 10)) -eq 128 ]
  [ "$(head -c 128 v.npy | tail -c +11 | sed 's/ *$//')" = \
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3), }" ]
  [ "$(od -An -v -tf4 -j128 -w36 v.npy | tr -s ' ')" = " 1 2 3 0 0 0 0.1 0 -0.25" ]
  sample | mkstream | show -n row.tokens >t.npy
  grep -qa "'<i8'.*(4,), }" t.npy
  [ "$(od -An -v -td8 -j128 -w32 t.npy | tr -s ' ')" = " 0 3 5 10" ]
  sample | mkstream | show -n row.text >r.npy
  [ "$(od -An -v -td8 -j128 -w48 r.npy | tr -s ' ')" = " 0 4 4 7 7 10" ]
}

@test "-n: no such tensor, a change midway, a stream that is cut: nothing is written" {
  sample | mkstream >s.weft
  fails_with 1 "no tensor 'row.none'" show -n row.none s.weft
  [ -z "$output" ]
  printf 'vector 1\nframe\nvector 1 2\n' | mkstream >c.weft
  fails_with 1 "changes its type or shape" show -n row.vector c.weft
  [ -z "$output" ]
  head -c 1200 s.weft >cut.weft
  fails_with 1 "ends early" show -n row.vector cut.weft
  [ -z "$output" ]
}

@test "-n --pad: an array of rows by tokens, zeros behind each row" {
  printf '%s\n' 'the cat sat on the mat' 'great' 'I love this' |
    tok -m "$(golden models/bert-class)" | encode >h.weft
  show -n token.hidden h.weft | tail -c +129 >flat
  show -n row.tokens h.weft | tail -c +129 | od -An -v -td8 -w8 >at
  show --pad 0 -n token.hidden h.weft >padded.npy
  grep -qa "'<f4'.*(3, 8, 32), }" padded.npy
  # What stands between a row's begin and end, then zeros.
  for i in 1 2 3; do
    from=$(sed -n "${i}p" at) to=$(sed -n "$((i + 1))p" at)
    tail -c +$((from * 128 + 1)) flat | head -c $(((to - from) * 128))
    head -c $(((8 - to + from) * 128)) /dev/zero
  done >want
  tail -c +129 padded.npy | cmp - want
  show -n token.hidden --pad 9 h.weft | grep -qa '(3, 9, 32), }'
  show -n token.id --pad 9 h.weft | grep -qa "'<i4'.*(3, 9), }"
  # However the stream is cut, and of BF16.
  for t in 'the cat sat on the mat' great 'I love this'; do
    tok -m "$(golden models/bert-class)" <<<"$t" | encode | show -o one.weft && cat one.weft
  done >cut.weft
  show --pad 0 -n token.hidden cut.weft | cmp - padded.npy
  tok -m "$(golden models/bert-class)" <<<great | encode -t bf16 >b.weft
  show -n token.hidden b.weft | tail -c +129 >flat
  show -n token.hidden --pad 4 b.weft | tail -c +129 | head -c $((3 * 128)) | cmp - flat
  fails_with 1 "row 1: 8 tokens, more than 7" show -n token.hidden --pad 7 h.weft
  fails_with 1 "row.tokens is not padded" show -n row.tokens --pad 9 h.weft
  fails_with 1 "row.text is not padded" show -n row.text --pad 9 h.weft
  [ -z "$output" ]
}

@test "--pad: the batch with its mask" {
  sample | mkstream >s.weft
  show --pad 6 s.weft >out
  cat >want <<'END'
{"input_ids": [2, 5, 3, 0, 0, 0], "attention_mask": [1, 1, 1, 0, 0, 0]}
{"input_ids": [2, 3, 0, 0, 0, 0], "attention_mask": [1, 1, 0, 0, 0, 0]}
{"input_ids": [2, 9, 8, 7, 3, 0], "attention_mask": [1, 1, 1, 1, 1, 0]}
END
  diff want out
  [ "$(show --pad 0 s.weft | tail -n 1)" = \
    '{"input_ids": [2, 9, 8, 7, 3], "attention_mask": [1, 1, 1, 1, 1]}' ]
  fails_with 1 "s.weft: row 3: 5 tokens, more than 3" show --pad 3 s.weft
  [ "${#lines[@]}" -eq 2 ]
}

@test "-o: one document with everything in it" {
  printf 'meta task class\nids 1 2 | text a\nids 3 | text b\nframe\nids 4 5 6 | text cd\n' |
    mkstream >s.weft
  show -o d.safetensors s.weft
  [ "$(show --digest d.safetensors)" = "$(show --digest s.weft)" ]
  show d.safetensors | grep -qx 'frames   1'
  [ "$(show d.safetensors | grep '^task')" = "task     class" ]
}

@test "-o: streams that differ, or are cut, leave no file" {
  printf 'vector 1\nframe\nids 1\n' | mkstream >s.weft
  fails_with 1 "change midway" show -o d s.weft
  head -c 100 s.weft >cut.weft
  fails_with 1 "ends early" show -o d cut.weft
  [ ! -e d ]
  fails_with 1 "/dev/full: cannot write" bash -c 'printf "end\n" | "$1" | show -o /dev/full' x \
    "${WEFT_UNIT:-$TOP/build/tests}/mkstream"
}

@test "--lengths" {
  for n in 1 2 2 3 3 3 4 4 25; do echo "ids $(seq -s ' ' "$n")"; done | mkstream | show --lengths >out
  cat >want <<'END'
rows	9
min	1
median	3
mean	5.22
p90	25
p95	25
p99	25
max	25

from	to	rows
0	1	1	##########
2	3	5	##################################################
4	5	2	####################
6	7	0	
END
  head -n 14 out | diff want -
  [ "$(tail -n 1 out)" = $'24\t25\t1\t##########' ]
  [ "$(printf 'end\n' | mkstream | show --lengths)" = $'rows\t0' ]
}

@test "a folder: architecture, special tokens, labels, modules, totals" {
  show "$(golden models/bert-class)" >out
  grep -qx 'architecture BertForSequenceClassification' out
  grep -qx 'model type   bert' out
  grep -qx 'hidden       32' out
  grep -qx 'heads        class' out
  show "$(golden models/bert-pretraining)" | grep -qx 'heads        mask, next'
  show "$(golden models/bert-model)" | grep -qx 'heads        none'
  grep -qx 'special      2 \[CLS\]' out
  grep -qx '             3 \[SEP\]' out
  grep -qx 'labels       0 negative' out
  grep -qx '             2 positive' out
  grep -qE '^classifier +99  bias F32 \[3\]  weight F32 \[3,32\]$' out
  grep -qx 'total        35235 parameters' out
  grep -qx "on disk      $(wc -c <"$(golden models/bert-class)/model.safetensors") bytes" out
}

# sparse FILE: safetensors with the tensors of standard input, "NAME TYPE AXIS..." a line, whose
# numbers are holes on disk.
sparse() {
  local header size
  awk '{ n = $2 == "F32" ? 4 : $2 == "I64" ? 8 : 1; shape = ""
         for (i = 3; i <= NF; i++) { n *= $i; shape = shape (i > 3 ? "," : "") $i }
         printf "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%.0f,%.0f]}",
           NR == 1 ? "{" : ",", $1, $2, shape, at, at + n; at += n }
       END { printf "}" ; printf "%.0f", at >"size" }' >header
  header=$(wc -c <header)
  size=$(cat size)
  { printf '%b' "$(printf '\\x%02x\\x%02x\\x%02x\\0\\0\\0\\0\\0' $((header & 255)) \
      $((header >> 8 & 255)) $((header >> 16)))"; cat header; } >"$1"
  truncate -s $((8 + header + size)) "$1"
}

# both NAME OUT IN: a dense layer's weight and bias.
both() {
  echo "$1.weight F32 $2 $3"
  echo "$1.bias F32 $2"
}

norm() {
  echo "$1.weight F32 768"
  echo "$1.bias F32 768"
}

@test "distilbert-base-uncased with two labels: 66,955,010 parameters, by part" {
  local i part
  mkdir d
  echo '{"model_type": "distilbert", "architectures": ["DistilBertForSequenceClassification"],
    "dim": 768, "n_layers": 6, "n_heads": 12, "hidden_dim": 3072, "vocab_size": 30522,
    "max_position_embeddings": 512}' >d/config.json
  {
    echo distilbert.embeddings.word_embeddings.weight F32 30522 768
    echo distilbert.embeddings.position_embeddings.weight F32 512 768
    norm distilbert.embeddings.LayerNorm
    for i in 0 1 2 3 4 5; do
      for part in q k v out; do both distilbert.transformer.layer.$i.attention.${part}_lin 768 768; done
      norm distilbert.transformer.layer.$i.sa_layer_norm
      both distilbert.transformer.layer.$i.ffn.lin1 3072 768
      both distilbert.transformer.layer.$i.ffn.lin2 768 3072
      norm distilbert.transformer.layer.$i.output_layer_norm
    done
    both pre_classifier 768 768
    both classifier 2 768
  } | sparse d/model.safetensors
  [ "$(du -k d/model.safetensors | cut -f 1)" -lt 1000 ]
  show d >out
  cat >want <<'END'
total        66955010 parameters
  embeddings 23835648
  layers     42527232
  heads      592130
END
  sed -n '/^total/,/^  heads/p' out | diff want -
  grep -qE '^distilbert.embeddings.word_embeddings +23440896 ' out
  grep -qE '^distilbert.embeddings.position_embeddings +393216 ' out
  grep -qE '^distilbert.embeddings.LayerNorm +1536 ' out
  grep -qE '^pre_classifier +590592 ' out
  grep -qE '^classifier +1538 ' out
  grep -qx 'heads        class' out
  grep -qx "on disk      $(stat -c %s d/model.safetensors) bytes" out
}

@test "every golden model has the parameters that transformers counts" {
  local name want n=0
  while IFS=$'\t' read -r name want; do
    show "$(golden "models/$name")" >out
    grep -qx "total        $want parameters" out || { echo "$name, not $want:" >&2; cat out >&2; false; }
    awk '/^  / && on { sum += $2 } /^total/ { on = $2 } END { exit sum != on }' out
    n=$((n + 1))
  done <"$(golden parameters.tsv)"
  [ "$n" -ge 40 ]
}

# total TYPE MORE: of a model with these tensors on standard input.
total() {
  mkdir -p d
  echo "{\"model_type\": \"$1\"$2}" >d/config.json
  sparse d/model.safetensors
  show d | sed -n 's/^total *//p'
}

@test "matrices in common count once, buffers not at all" {
  # An old GPT-2: masks as tensors, the output matrix written out.
  [ "$(printf '%s\n' 'wte.weight F32 9 4' 'h.0.attn.bias F32 1 1 8 8' 'h.0.attn.masked_bias F32' \
    'h.0.attn.c_attn.bias F32 12' 'lm_head.weight F32 9 4' | total gpt2)" = "48 parameters" ]
  # Unless config.json says that it is another's.
  [ "$(printf '%s\n' 'transformer.wte.weight F32 9 4' 'lm_head.weight F32 9 4' |
    total gpt2 ', "tie_word_embeddings": false')" = "72 parameters" ]
  # An old BERT: matrix and bias twice, positions as numbers.
  [ "$(printf '%s\n' 'bert.embeddings.word_embeddings.weight F32 9 4' 'cls.predictions.bias F32 9' \
    'bert.embeddings.position_ids I64 1 8' 'cls.predictions.decoder.weight F32 9 4' \
    'cls.predictions.decoder.bias F32 9' | total bert)" = "45 parameters" ]
  # BART: one table for both halves, and a buffer.
  [ "$(printf '%s\n' 'model.shared.weight F32 9 4' 'model.encoder.embed_tokens.weight F32 9 4' \
    'model.decoder.embed_tokens.weight F32 9 4' 'final_logits_bias F32 1 9' \
    'lm_head.weight F32 9 4' 'model.decoder.embed_positions.weight F32 10 4' \
    'model.decoder.layers.0.fc1.bias F32 3' | total bart)" = "79 parameters" ]
  show d | grep -qx '  embeddings 76'
}

@test "a model that nothing here can run: its parts, all the same" {
  [ "$(printf '%s\n' 'deberta.embeddings.word_embeddings.weight F32 9 4' \
    'deberta.encoder.layer.0.x.weight F32 4 4' 'classifier.bias F32 2' |
    total deberta-v2 ', "hidden_size": 4')" = "54 parameters" ]
  show d >out
  grep -qx 'hidden       4' out
  grep -qx '  embeddings 36' out
  grep -qx '  layers     16' out
  grep -qx '  heads      2' out
}

@test "the tokenizer: its kind, how many entries, how long rows may be" {
  show "$(golden models/bert-class)" | grep -qxE 'tokenizer    WordPiece, [0-9]+ entries, at most 64 tokens a row'
  show "$(golden models/gpt2-lm)" | grep -qxE 'tokenizer    BPE, 347 entries, at most 64 tokens a row'
  show "$(golden models/xlm-roberta-token)" | grep -qE '^tokenizer    Unigram, [0-9]+ entries'
  cp -r "$(golden models/bert-class)" d
  [ "$(show d)" = "$(show "$(golden models/bert-class)")" ]
  rm d/tokenizer.json
  show d | grep -q '^tokenizer    WordPiece, '
  rm d/vocab.txt
  show d | grep -q '^tokenizer    d: no tokenizer.json, vocab.txt'
}

@test "a folder that train made: what of it was trained" {
  printf '%s\n' 'a b' 'c d' >texts
  { echo text,label; echo good,yes; echo bad,no; } >l.csv
  tok -m "$(golden models/sentence)" -c text -l label l.csv | encode | pool >v.weft
  train -q --head mlp:5 -e 1 -o made v.weft
  show made >out
  grep -qx 'total        137 parameters' out # 24 -> 5 -> 2
  grep -qx 'trainable    137 parameters' out
  grep -qx 'labels       0 no' out
}

@test "a folder in shards counts as one" {
  show "$(golden models/bert-sharded)" >out
  grep -q '^total' out
  grep -q 'encoder.layer.0.attention.self.query' out
}

@test "a model by its name in the cache" {
  local at=hub/models--org--name
  mkdir -p $at/refs $at/snapshots
  printf abc >$at/refs/main
  ln -s "$(golden models/bert-class)" $at/snapshots/abc
  [ "$(HF_HUB_CACHE=hub show org/name)" = "$(show "$(golden models/bert-class)")" ]
}

@test "a folder that is no model" {
  mkdir d
  fails_with 1 "config.json" show d
  echo '{"model_type": "bert"}' >d/config.json
  fails_with 1 "model.safetensors" show d
  echo '{"model_type": ' >d/config.json
  fails_with 1 "config.json: line" show d
  fails_with 2 "is a model folder" show -r d
}

@test "the machine" {
  show --machine >out
  [ "$(cut -d ' ' -f 1 out | sed 's/^cuda:0$/cuda/' | paste -s -d ' ')" = \
    "cpu vector threads memory onednn cuda" ]
  ONEDNN_MAX_CPU_ISA=SSE41 show --machine | grep -qx 'onednn  *[0-9.]*, using SSE4.1'
  grep -qx 'threads  3 of [0-9]* cores' <(show --machine -j 3)
  fails_with 2 "takes no file" show --machine x
}

@test "a stream that is cut: what came is shown, but no hash and no distribution" {
  sample | mkstream >s.weft
  local size
  size=$(wc -c <s.weft)
  head -c $((size - 5)) s.weft >cut.weft
  fails_with 1 "cut.weft: stream ends early after 2 rows" show -r cut.weft
  [ "${#lines[@]}" -eq 2 ]
  fails_with 1 "ends early" show cut.weft
  [[ "$output" == *"rows     2"* ]]
  fails_with 1 "ends early" show --digest cut.weft
  [ -z "$output" ]
  fails_with 1 "ends early" show --lengths cut.weft
  [ -z "$output" ]
}

@test "no stream, a missing file, two wishes at once" {
  fails_with 1 "stdin: empty" show </dev/null
  [ -z "$output" ]
  fails_with 1 "none.weft: cannot open" show none.weft
  fails_with 2 "at a time" show -r --digest
  fails_with 1 "No space" bash -c 'show --machine >/dev/full'
}

@test "what came of a stream that failed is not shown as all of it" {
  printf '%s\n' 'logit 1 2 | text a' fail | "$WEFT_UNIT/mkstream" >failed.weft
  run -1 --separate-stderr show failed.weft
  [ "$stderr" = "show: failed.weft: the program that wrote it failed" ]
  [ "$(sed -n 4p <<<"$output")" = "end      none: this is not all of it" ]
  run -1 --separate-stderr bash -c 'cat failed.weft | show'
  [ "$stderr" = "" ]
  [ "$(sed -n 4p <<<"$output")" = "end      none: this is not all of it" ]
  printf '%s\n' 'logit 1 2 | text a' | "$WEFT_UNIT/mkstream" | show >whole
  run ! grep '^end' whole
}

@test "names make no lines and tell the terminal nothing" {
  { header '{"__metadata__":{"weft":"1","k\nrow.x F32":"\u001b[31m","end":"ok"},"row.a\tF32\nrow.b\u009b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    printf '\0\0\0\0'; } >names.weft
  show names.weft >out
  grep -qxF 'k\nrow.x F32 \x1b[31m' out
  grep -q '^row\.a\\tF32\\nrow\.b\\xc2\\x9b F32   \[1\]                  4$' out
  show --digest names.weft >out
  [ "$(wc -l <out)" -eq 2 ]
  grep -q '^row\.a\\tF32\\nrow\.b\\xc2\\x9b'$'\t''F32'$'\t''[0-9a-f]*$' out
  printf '%s\n' 'text a'$'\e\x7f\xc2\x9b''b' | "$WEFT_UNIT/mkstream" >text.weft
  [ "$(show -r text.weft)" = '{"text": "a\u001b\u007f\u009bb"}' ]
  show text.weft | grep -qF 'a\x1b\x7f\xc2\x9bb'
}

@test "-o takes no more memory than a frame does" {
  need_limit 200000
  # 32,000 rows of 1,500 numbers, 192 MB: the document does not fit, and is what it was.
  printf 'vector' >row
  printf ' 1 2 3 4 5%.0s' $(seq 300) >>row
  { for _ in $(seq 1000); do echo "$(cat row) | text some"; done; } | "$WEFT_UNIT/mkstream" >part.weft
  for _ in $(seq 32); do cat part.weft; done >whole.weft
  (ulimit -v 200000; show -o document.weft whole.weft)
  [ "$(show --digest document.weft)" = "$(show --digest whole.weft)" ]
  rm -f whole.weft document.weft
}

@test "-o to where nobody can seek" {
  for _ in 1 2 3; do cat "$(golden pipelines/bert-mask.safetensors)"; done >three.weft
  show -o document.weft three.weft
  show -o /dev/stdout three.weft | cat | cmp - document.weft
  [ "$(show --digest document.weft)" = "$(show --digest three.weft)" ]
}

@test "--pad 0: rows without ids do not say how wide" {
  printf '%s\n' 'ids 5 6 7' frame 'text a' end | "$WEFT_UNIT/mkstream" >mixed.weft
  fails_with 1 "the stream has no token.id" show --pad 0 mixed.weft
  [ "$output" = '{"input_ids": [5, 6, 7], "attention_mask": [1, 1, 1]}' ]
}
