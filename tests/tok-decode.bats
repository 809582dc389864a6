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
  [ "$stderr" = 'tok: stdin: stream ends early after 0 rows' ]
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
