# tok-decode.bats - ids back to texts: tok --decode.
load helper

each_setup() {
  M=$(golden models/wordpiece-uncased)
}

@test "--decode: texts of ids, a row a line" {
  printf 'the new york, was it?\n\nthere (was)\n' >in
  tok -m "$M" in >out
  tok --decode out >got
  [ "$(cat got)" = "$(printf 'the new york, was it?\n\nthere ( was )')" ]
  tok --decode --raw out | head -n 2 >got
  [ "$(cat got)" = $'[CLS] the new york, was it? [SEP]\n[CLS] [SEP]' ]
  cat out out | tok --decode -m "$M" | sort | uniq -c | tr -s ' \n' ' ' >got
  [ "$(cat got)" = ' 2 2 the new york, was it? 2 there ( was ) ' ]
  printf '2 478 526 3\n' | tok --ids | tok --decode -m "$M" >got
  [ "$(cat got)" = 'the there' ]
  # Newlines, tabs and backslashes are escaped, but with -0.
  local m
  m=$(golden models/rows-roberta)
  printf 'a\nb\t\\\0c\0' | tok -m "$m" -0 >out
  [ "$(tok --decode out)" = $' a\\nb\\t\\\\\n c' ]
  tok --decode -0 out | cmp - <(printf ' a\nb\t\\\0 c\0')
  fails_with 1 "the stream's vocabulary is" tok --decode -m "$M" out
  fails_with 1 'no model' tok --decode < <(echo 1 2 | tok --ids)
  fails_with 1 'not a weft stream' tok --decode < <(echo 'text is no stream')
  run --separate-stderr -1 bash -c "head -c -100 out | tok --decode"
  [[ $stderr == 'tok: stdin: stream ends early after 0 rows: did head(1) cut it?'* ]]
}

@test "--decode --json: what transformers' pipelines make of generated rows" {
  local task model
  while read -r task model; do
    tok --decode --json -m "$(golden "models/$model")" "$(golden "tok/made-$task.safetensors")" >got
    diff "$(golden "tok/made-$task.jsonl")" got
  done <<'END'
text-generation gpt2-lm
text2text-generation albert-class
summarization bart-mnli
translation marian-spm
translation_en_to_de marian-odd
END
  # Without a task the text is as it is without --json, and nothing else is there.
  printf 'the new york , was it\n\n' | tok -m "$M" >out
  [ "$(tok --json --decode out)" = $'{"generated_text": "the new york, was it"}\n{"generated_text": ""}' ]
  [ "$(tok --decode --json --raw out | tail -n 1)" = '{"generated_text": "[CLS] [SEP]"}' ]
  # A column of JSON lines is what --json says elsewhere, and only there.
  [ "$(echo '{"decode": "the cat"}' | tok -m "$M" --json decode | tok --decode)" = 'the cat' ]
  fails_with 2 'not with -0' tok --decode --json -0 out
  fails_with 2 '--decode reads ids' tok --decode -J text out
  show -r "$(golden tok/made-translation.safetensors)" | sed -n 2p >got
  [[ $(cat got) == *', "finish": "length", "score": -0.125}' ]] || { cat got >&2; false; }
}

@test "--decode --stream: files and pipes get what they get without" {
  printf 'the cat\nwas it here\n' | tok -m "$M" >out
  tok --decode out >want
  tok --decode --stream out | cmp - want
  tok --decode --stream out >got
  cmp got want
  fails_with 2 '--stream is about --decode' tok --stream
  command -v script >/dev/null || skip "needs script(1)"
  script -qec "tok --decode --stream out" /dev/null </dev/null | tr -d '\r' >got
  cmp got want
}

@test "--decode: lower-case texts come back" {
  need_shared s140-test.csv
  need_model
  # A space stands around what BERT takes for punctuation.
  squeeze() { tr -d ' ' | sed 's/\\\\/\\/g'; }
  grep -aE '^[ -~]*$' "$(shared s140-test.csv)" | tr '[:upper:]' '[:lower:]' | grep -v '\[' >in
  tok -q -m "$(real_model)" -n 0 in | tok --decode | squeeze >got
  [ -s in ]
  squeeze <in | diff - got
}
