# gen - against transformers (tests/oracle/generate.py), and what it refuses.
load helper
load gen_cases

RULES='repetition|no-repeat.*|encoder-.*|min-.*|max-.*|bias|suppress|begin-suppress|forced-.*|decay|bad-ids|ends'

# ---- transformers' answers ----

@test "gpt2: greedy" { all 'gpt2-(greedy|scores|long)'; }
@test "gpt2: greedy with rules" { all "gpt2-($RULES)"; }
@test "gpt2: words that are bad, words to stop at, choices" { all 'gpt2-(bad-words|stop|choices)'; }
@test "gpt2: beams" { all 'gpt2-(beams-([0-9].*|one-step|long)|early-.*|penalty-.*)'; }
@test "gpt2: beams with rules" {
  all 'gpt2-beams-(no-repeat|repetition|min-new|bias|suppress-.*|forced-eos|decay|ends)'
}
@test "gpt2: beams with texts" { all 'gpt2-beams-(bad-words|stop|choices)'; }
@test "gpt2: settings of a folder, six end tokens" { all 'gpt2-ends-.+'; }
@test "gpt2: settings in config.json" { all 'gpt2-old-.*'; }
@test "t5: greedy with rules" { all "t5-($RULES|long)"; }
@test "t5: beams" { all 't5-(beams-([0-9].*|one-step)|early-.*|penalty-.*)'; }
@test "t5: beams with rules" {
  all 't5-beams-(no-repeat|repetition|min-new|bias|suppress-.*|forced-eos|decay|ends)'
}
@test "bart: beams" { all 'bart-(beams-.*|early-.*|penalty-.*)'; }
@test "bart: settings of a folder" { all 'bart-(own|greedy|all|penalty|first|min-length)'; }
@test "bart: settings in config.json, and BartConfig's own" { all 'bart-old-.*'; }
@test "bart: logits that are not numbers are taken for 0" { all 'bart-nan'; }
@test "mbart" { all 'mbart-.*'; }
@test "flan, mt5" { all '(flan|mt5)-.*'; }
@test "opt" { all 'opt-.*'; }
@test "llama: keys of fewer heads" { all 'llama-.*'; }
@test "mistral: near keys alone" { all 'mistral-.*'; }
@test "qwen3: norms of queries and keys" { all 'qwen3-.*'; }
@test "marian" { all 'marian-.*'; }

@test "each case is in a test" {
  grep -o "all ['\"][^'\"]*['\"]" "$BATS_TEST_FILENAME" | sed "s/^all .//; s/.\$//" |
    sed "s/\$RULES/$RULES/" >patterns
  cut -f 1 "$G/cases.tsv" | while read -r name; do
    while read -r pattern; do
      if [[ $name =~ ^($pattern)$ ]]; then continue 2; fi
    done <patterns
    echo "$name"
  done >left
  [ ! -s left ] || { cat left >&2; return 1; }
}

# ---- drawing ----

@test "drawn tokens: as often as transformers' probabilities say" {
  local name model options rows p settings bad=0
  while IFS=$'\t' read -r name model options rows p settings; do
    if [ "$options" = - ]; then options=; fi
    folder "$model" "$settings"
    # shellcheck disable=SC2086
    gen -m m $options --max-new 1 -r 20000 -s 11 "$G/$rows" >got
    chisq got "$G/$p" >said 2>&1 || { echo "$name: gen $options: $(cat said)"; bad=1; }
  done <"$G/sampling.tsv" >&2
  [ "$bad" -eq 0 ]
}

@test "a seed draws the same again, another seed something else" {
  folder gpt2
  echo '19 26 35' | tok --ids >in
  gen -m m --sample --temperature 2 -r 5 -s 3 in | digest token.id >a
  gen -m m --sample --temperature 2 -r 5 -s 3 in | digest token.id | cmp - a
  gen -m m --sample --temperature 2 -r 5 -s 4 in | digest token.id >b
  run ! cmp -s a b
}

@test "the checker of drawn tokens tells these from others" {
  {
    header '{"p":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'
    printf '\0\0\0\77\0\0\200\76\0\0\200\76\0\0\0\0' # 1/2 1/4 1/4 0
  } >p
  # drawn TO: 20,000 tokens; TO: below which number token 0, which 1, else 2
  drawn() {
    awk -v seed=5 -v zero="$1" -v one="$2" "$DRAW"'
      BEGIN { for (i = 0; i < 20000; i++) { x = draw(); print x < zero ? 0 : x < one ? 1 : 2 } }' |
      tok --ids
  }
  drawn 0.5 0.75 >ids
  chisq ids p
  drawn 0.52 0.76 >ids
  run ! chisq ids p
  { drawn 0.5 0.75 | ids; echo 3; } | tok --ids >ids
  run ! chisq ids p
}

# ---- what does not matter ----

# alone OPTION...: rows have the answers and the scores that they have alone; ./in, ./m.
alone() {
  local what='row.tokens|row.finish|row.score|token.id' how
  ids in >rows
  while read -r row; do echo "$row" | tok --ids | gen -m m "$@"; done <rows | digest "$what" >want
  for how in '-b 1 -j 1' '-b 3 -j 1' '-b 3 -j 2' '-b 8 -j 2'; do
    # shellcheck disable=SC2086
    gen -m m $how "$@" in | digest "$what" | cmp - want || { echo "$how $*" >&2; return 1; }
  done
}

@test "a row alone, and among others, by any number of threads: the same" {
  folder gpt2
  printf '%s\n' 19 '26 35 29 31' '7 8 9 10 11 12 13 14 15' '4 4' '60 50 40 30 20 10' 33 '5 6 7' |
    tok --ids >in
  alone --beams 1
  alone --beams 4 -r 2 --max-new 9
  folder bart
  alone --beams 3 -r 3
  folder t5
  alone --beams 2
}

@test "renormalize_logits changes no log-probability" {
  folder gpt2
  printf '%s\n' 19 '5 6 7' | tok --ids >in
  gen -m m --beams 1 --scores in >want
  settings '{"bos_token_id": 0, "eos_token_id": 0, "renormalize_logits": true}'
  gen -m m --beams 1 --scores in >got
  digest 'token.id' <want >want.digest
  digest 'token.id' <got | cmp - want.digest
  allclose want got token.logprob 1e-5
}

# alike STEP: every 16 words of ./m, which is GPT-2's, have the same row; the lowest bits of its
# first number are STEP more for each of them.
alike() {
  local f=m/model.safetensors head at i
  head=$(od -An -tu8 -N8 $f)
  at=$(head -c $((head + 8)) $f | tail -c +9 |
    sed 's/.*wte.weight":{"dtype":"F32","shape":.312,16.,"data_offsets":.\([0-9]*\),.*/\1/')
  for i in $(seq 0 311); do
    # shellcheck disable=SC2059 # a byte
    printf "\\$(printf %o $((i % 16 * $1)))"
    tail -c +$((head + 10 + at + 64 * (i / 16 * 16))) $f | head -c 63
  done >rows
  dd if=rows of=$f bs=1 seek=$((head + 8 + at)) conv=notrunc status=none
}

# A rule that does nothing asks for all logits.
@test "the best words alone, and all of them: the same, also where many are equal, or nearly" {
  local what how equal
  for equal in no 0 1; do
    folder gpt2
    if [ $equal != no ]; then alike $equal; fi
    printf '%s\n' 19 '26 35 29 31' '5 6 7' | tok --ids >in
    for how in '--beams 1' '--beams 2 -r 2' '--beams 4' '--sample -r 3' '--sample --top-k 48' \
      '--sample --top-k 1' '--sample --top-k 7 --temperature 0.3 --top-p 0.8'; do
      what='row.tokens|row.finish|row.score|token.id|token.logprob'
      if [ "$how" = '--beams 1' ]; then what=${what/row.score|}; what=${what/|token.logprob}; fi # by another sum
      settings '{"eos_token_id": 0}'
      # shellcheck disable=SC2086
      gen -m m $how --scores in | digest "$what" >got
      settings '{"eos_token_id": 0, "sequence_bias": [[[24], 0.0]]}'
      # shellcheck disable=SC2086
      gen -m m $how --scores in | digest "$what" | cmp - got || { echo "$how, $equal" >&2; return 1; }
    done
  done
}

@test "-r: answers stand behind each other, the best first, with their row's source" {
  folder gpt2
  printf '%s\n' '19 26' 7 | tok --ids >in
  gen -m m --beams 3 -r 3 --max-new 6 in >three
  gen -m m --beams 3 --max-new 6 in >one
  [ "$(ids three | wc -l)" -eq 6 ]
  ids three | sed -n '1p;4p' >firsts
  ids one | cmp - firsts
}

@test "--prompt: the prompt stands before the answer" {
  folder gpt2
  printf '%s\n' '19 26 35' 7 | tok --ids >in
  gen -m m --beams 1 --max-new 6 in | ids | paste -d ' ' <(ids in) - >want
  gen -m m --beams 1 --max-new 6 --prompt in | ids | cmp - want
}

@test "texts through the whole pipe" {
  folder gpt2
  printf 'the cat\n' | tok -m m >in
  gen --beams 1 --max-new 12 in >out
  tok --decode <out >text
  [ "$(wc -l <text)" -eq 1 ]
  tok -m m <text | gen --beams 1 --max-new 3 | tok --decode | grep -q .
  printf 'the cat\n' | tok -m m | gen --choices 'good,bad,never' | tok --decode >text
  grep -qxE 'good|bad|never' text
}

@test "an empty prompt begins with the start token" {
  folder gpt2
  echo 0 | tok --ids | gen -m m --beams 1 --max-new 8 | digest 'token.id' >want
  echo | tok --ids | gen -m m --beams 1 --max-new 8 | digest 'token.id' | cmp - want
}

# ---- what it refuses ----

# refuses STATUS TEXT OPTION...: of ./in and ./m.
refuses() {
  fails_with "$1" "$2" gen -m m "${@:3}" in
}

@test "options that say nothing possible" {
  folder gpt2
  echo 5 6 | tok --ids >in
  refuses 2 'beams' --beams 0
  refuses 2 'stop' --stop ''
  refuses 2 'temperature' --sample --temperature 0
  refuses 2 'min-length' --min-length 30 --max-length 20
  refuses 2 'min-new' --min-new 9 --max-new 8
  refuses 2 'beams' --beams 2 -r 3
  refuses 2 'without --beams' --beams 1 -r 2
  refuses 2 'max-new' --max-new 0
  refuses 2 'early-stopping' --beams 2 --early-stopping maybe
}

@test "a model that cannot generate: it says what it is" {
  echo 5 6 | tok --ids >in
  fails_with 1 bert gen -m "$(golden models/bert-class)" in
}

@test "a prompt that is longer than the model's positions: its row, and --trunc left" {
  folder gpt2
  { echo 5 6; seq 170 | sed 's/.*/7/; 100s/7/9/; 160s/7/11/' | tr '\n' ' '; echo; } | tok --ids >in
  refuses 1 'row 2' --beams 1 --max-new 5
  ids in | awk 'NR == 2 { n = NF < 155 ? 1 : NF - 154; for (; n <= NF; n++) printf "%s ", $n; print "" }' |
    tok --ids | gen -m m --beams 1 --max-new 5 | digest 'token.id' >want
  ids in | sed -n 2p | tok --ids | gen -m m --beams 1 --max-new 5 --trunc left |
    digest 'token.id' | cmp - want
}

@test "a prompt that is as long as the answer may be" {
  folder gpt2
  printf '%s\n' '5 6' '5 6 7 8' '5 6 7 8 9' | tok --ids >in
  refuses 1 'row 2' --beams 1 --max-length 4
}

@test "an empty prompt where the model has no start token" {
  folder gpt2
  settings '{"eos_token_id": 0}'
  printf '%s\n' '5 6' '' | tok --ids >in
  refuses 1 'row 2' --beams 1
}

@test "no decoder start: the model is refused" {
  folder t5
  settings '{"eos_token_id": 1, "pad_token_id": 0}'
  echo 5 6 1 | tok --ids >in
  refuses 1 'decoder_start_token_id' --beams 1
}

@test "no end token: answers run to their greatest length, which is said once" {
  folder gpt2
  settings '{"bos_token_id": 0}'
  printf '%s\n' 5 6 7 | tok --ids >in
  gen -m m --beams 1 --max-new 150 in >out 2>said
  [ "$(ids out | awk '{ print NF }' | sort -u)" = 150 ]
  [ "$(grep -c 'end token' said)" -eq 1 ]
}

@test "logits that are not numbers: the row is said, others go on, exit 1" {
  folder gpt2-nan
  { echo 5 6; seq 21 | sed 's/.*/7/' | tr '\n' ' '; echo; echo 8; } | tok --ids >in
  run --separate-stderr -1 bash -c 'gen -m m --beams 1 --max-new 5 in | show -r >rows; exit "${PIPESTATUS[0]}"'
  [[ $stderr == *'row 2'* ]]
  for row in '5 6' 8; do
    echo "$row" | tok --ids | gen -m m --beams 1 --max-new 5 | ids >alone
    grep -qF "\"ids\": [$(sed 's/ /, /g' alone)]" rows
  done
}
