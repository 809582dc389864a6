# ppl - against transformers (tests/oracle/ppl.py).
load helper

each_setup() {
  PATH=$WEFT_UNIT:$PATH
  G=$(golden models/gpt2-lm)
}

# agrees WANT GOT: the same fields; numbers of columns 3 and 4 within 1e-5, relative.
agrees() {
  awk -F '\t' 'function near(a, b) { d = a - b; s = b < 0 ? -b : b; return (a == "") == (b == "") &&
      d <= 1e-5 * s && -d <= 1e-5 * s }
    NR == FNR { want[FNR] = $0; n = FNR; next }
    { split(want[FNR], w); m = FNR
      if ($1 != w[1] || $2 != w[2] || !near($3, w[3]) || !near($4, w[4])) {
        print "line " FNR ": " $0 ", not " want[FNR]; bad = 1 } }
    END { exit bad || m != n || !n }' "$(golden "ppl/$1")" "$2" >&2
}

@test "rows of any length: transformers' perplexities" {
  tok --ids -m "$G" "$(golden ppl/ids.txt)" | ppl >got
  agrees whole.tsv got
}

@test "--bos: the first token is judged too" {
  tok --ids -m "$G" "$(golden ppl/ids63.txt)" | ppl --bos >got
  agrees bos.tsv got
}

@test "windows that overlap: those of transformers' guide, each token judged once" {
  local w s
  for w in 16-1 16-8 16-5 16-0 7-3 64-1; do
    s=${w#*-}
    tok --ids -m "$G" "$(golden ppl/ids.txt)" | ppl -w "${w%-*}" -S "$s" >got
    agrees "w${w%-*}-s$s.tsv" got || { echo "-w ${w%-*} -S $s" >&2; return 1; }
  done
}

@test "rows longer than the model's positions go in windows by themselves" {
  dd if=/dev/zero bs=2000 count=1 status=none | tr '\0' '1' | sed 's/1/5 9 /g' >long
  tok --ids -n 0 -m "$G" long | ppl >got
  tok --ids -n 0 -m "$G" long | ppl -w 64 -S 1 | cmp - got
  [ "$(cut -f 1,2 got | tr '\t\n' '  ')" = '1 3999 all 3999 ' ]
}

@test "-v: a line a token" {
  tok --ids -m "$G" "$(golden ppl/ids.txt)" | ppl -v >got
  sed '$d' got | awk -F '\t' -v OFS='\t' '{ print $1, $2, $3, $5 }' >tokens
  paste tokens "$(golden ppl/tokens.tsv)" | awk -F '\t' '
    $1 != $5 || $2 != $6 || $3 != $7 || ($4 == "") != ($8 == "") { exit 1 }
    { d = $4 - $8; if (d > 2e-5 || d < -2e-5) exit 1 }'
  [ "$(sed -n '$p' got | cut -f 1,2)" = $'all\t176' ]
}

@test "--json: the same numbers" {
  tok --ids -m "$G" "$(golden ppl/ids.txt)" >ids.weft
  ppl ids.weft >tsv
  ppl --json ids.weft >json
  [ "$(sed -n 2p json)" = '{"row": 2, "tokens": 0, "nll": null, "perplexity": null}' ]
  sed 's/{"row": "*\([a-z0-9]*\)"*, "tokens": \([0-9]*\), "nll": \([0-9.e+nul]*\), "perplexity": \([0-9.e+nul]*\)}/\1\t\2\t\3\t\4/; s/null//g' json | cmp - tsv
  ppl --json -v ids.weft | sed -n 1p | grep -q '"token_nll": \[null, 5\.7736'
}

@test "a masked model: the pseudo-log-likelihood" {
  tok -m "$(golden models/bert-mask)" "$(golden ppl/masked.txt)" | ppl >got
  agrees masked.tsv got
  tok -m "$(golden models/bert-mask)" "$(golden ppl/masked.txt)" >ids.weft
  fails_with 1 'is a masked model' ppl -w 10 ids.weft
  fails_with 1 'is a masked model' ppl --bos ids.weft
}

@test "any number of threads, any frames: the same bits" {
  tok --ids -m "$G" "$(golden ppl/ids.txt)" >ids.weft
  ppl -j 1 -v ids.weft >one
  ppl -j 3 -v ids.weft | cmp - one
  while read -r line; do tok --ids -m "$G" <<<"$line"; done <"$(golden ppl/ids.txt)" | ppl -j 2 -v |
    cmp - one
}

@test "bf16 is near f32" {
  tok --ids -m "$G" "$(golden ppl/ids.txt)" | ppl -t bf16 | sed -n '$p' | awk '
    { exit !($1 == "all" && $2 == 176 && $3 > 7.1 && $3 < 7.45) }'
}

@test "rows without tokens, no rows" {
  printf 'meta model %s\nids 1 2 | text a\n' "$G" | mkstream >some
  printf '\n5 6\n' | tok --ids -m "$G" | ppl >got
  [ "$(sed -n 1p got)" = $'1\t0\t\t' ]
  [ "$(sed -n 2p got | cut -f 1,2)" = $'2\t1' ]
  tok --ids -m "$G" </dev/null | ppl >got
  [ "$(cat got)" = $'all\t0\t\t' ]
}

@test "what cannot be judged is told, the rows before it are answered" {
  fails_with 1 'ppl: stdin: row 2: token id 99999' ppl < <(printf '5 6 7\n5 99999\n' | tok --ids -m "$G")
  [ "${#lines[@]}" -eq 1 ]
  [[ ${lines[0]} == $'1\t2\t'* ]]
  tok --ids -m "$G" <<<'1 2 3' >ids.weft
  fails_with 1 'windows of 4 tokens cannot overlap by 4' ppl -w 4 -S 4 ids.weft
  fails_with 1 'a window of 65 tokens, but the model has 64 positions: -w 64' ppl -w 65 ids.weft
  fails_with 1 'has no lm head' ppl -m "$(golden models/bert-class)" ids.weft
  fails_with 1 'no token.id' ppl < <(mkstream <<<'vector 1 2')
  fails_with 2 '' ppl -w 0 ids.weft
}

@test "a stream cut short: no line for all of it" {
  tok --ids -m "$G" "$(golden ppl/ids.txt)" >ids.weft
  dd if=ids.weft of=cut.weft bs="$(($(stat -c %s ids.weft) - 20))" count=1 status=none
  run --separate-stderr ppl cut.weft
  [ "$status" -eq 1 ]
  [[ $output != *all* ]]
}

@test "the program before has failed: exit 1, no word, no line for all of it" {
  printf 'meta model %s\nids 5 6 7\nfail\n' "$G" | mkstream >failed
  run --separate-stderr bash -c 'cat failed | ppl'
  [ "$status" -eq 1 ]
  [ -z "$stderr" ]
  [[ $output != *all* ]]
}

@test "nobody reads: no message; nowhere to write: one" {
  tok --ids -m "$G" "$(golden ppl/ids.txt)" >ids.weft
  run --separate-stderr bash -o pipefail -c 'ppl -v ids.weft | true'
  [ -z "$stderr" ]
  fails_with 1 'No space left on device' bash -c 'ppl ids.weft >/dev/full'
}

@test "a token that begins a text, or masks, is one of the vocabulary" {
  cp -r "$G" m
  chmod -R u+w m
  sed -i 's/"bos_token_id": [0-9]*/"bos_token_id": 123456789/' m/config.json
  fails_with 1 'm/config.json: bos_token_id 123456789 is outside the vocabulary of' \
    ppl --bos -m "$PWD/m" < <(echo 5 6 7 | tok --ids)
  echo 5 6 7 | tok --ids -m "$(golden models/bert-mask)" | "$WEFT_UNIT/frames" -k mask=99999999 >mask.weft
  fails_with 1 "the mask token's id is 99999999, outside the vocabulary of" ppl mask.weft
}
