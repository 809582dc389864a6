# sweeps.bats - what is true of every program. The table says how each is called that reads a
# stream and nothing else; the sweeps of options go over all.
load helper

# name   stream it reads   what it makes   arguments; - where the sweeps of streams do not go:
# near's operand is its corpus, ppl's last line is about all that it has read. A picture is of all
# rows together, and stands in no other's place.
table() {
  cat <<END
embed    ids      stream
encode   ids      stream
pool     hidden   stream   --mean
head     hidden   stream
score    logit    text
show     ids      text     -r
deal     ids      file     100:made.weft
gen      ids      stream   -m $(golden models/gpt2-lm) --max-new 3
train    vector   folder   --head linear -e 1 -o made
tok      -        -
near     -        -
ppl      -        -
plot     ids      picture  --lengths -o made.svg
get      -        -
END
}
programs="$(programs) weft"

# Small streams of two frames, from ids to logits; two.KIND is another of the same kind.
setup_file() {
  cd "$BATS_FILE_TMPDIR" || return 1
  PATH=$WEFT_UNIT:$PATH
  mkstream >ids <<END
meta model $(golden models/bert-class)
ids 2 17 3 | label positive | text a
frame
ids 2 30 3 | label negative | text b
END
  mkstream >two.ids <<END
meta model $(golden models/bert-class)
ids 2 40 41 3 | label neutral | text c
END
  local kind
  for kind in "" two.; do
    encode "${kind}ids" >"${kind}hidden"
    pool --mean "${kind}hidden" | frames -R token. >"${kind}vector"
    weft head "${kind}hidden" | frames -R token. >"${kind}logit"
  done
  mkstream >none </dev/null
}

each_setup() {
  PATH=$WEFT_UNIT:$PATH
  local f
  for f in "$BATS_FILE_TMPDIR"/*; do ln -s "$f" .; done
}

# each OUT-PATTERN FUNCTION: calls it once a program, with $name, $in, $out and the command
# line in "${cmd[@]}"; in a folder of its own. All are tried, those that fail are named.
each() {
  local pattern=$1 fn=$2 name in out args bad="" n=0
  local -a cmd
  while read -r name in out args <&3; do
    # shellcheck disable=SC2053 # a pattern
    [[ $in != - && $out == $pattern ]] || continue
    # shellcheck disable=SC2206 # the table's arguments are words
    cmd=("$name" $args)
    [ "$name" != head ] || cmd=(weft "${cmd[@]}") # whatever its arguments, ours
    rm -rf made made.weft made.svg
    ("$fn" 3<&-) || bad+=" $name"
    n=$((n + 1))
  done 3< <(table)
  [ "$n" -gt 0 ] && [ -z "$bad" ] || { echo "fails:$bad" >&2; return 1; }
}

# What the command made, to be compared: rows of streams, bytes of the rest.
made() {
  case $out in
  stream) frames -d "$1" ;;
  file) frames -d made.weft ;;
  text) cat "$1" ;;
  esac
}

# silent COMMAND...: fails with exit 1 and says nothing.
silent() {
  run --separate-stderr "$@"
  [ "$status" -eq 1 ] || { echo "$name: exit $status" >&2; return 1; }
  [ -z "$stderr" ] || { echo "$name: said: $stderr" >&2; return 1; }
}

nothing_made() {
  [ ! -e made ] && [ ! -e made.weft ] && [ ! -e made.svg ] && [ -z "$(find . -name '*.tmp')" ]
}

operand() {
  set -e
  "${cmd[@]}" "$in" >one
  "${cmd[@]}" <"$in" >other
  cmp one other
}
@test "a file operand is standard input" {
  each stream operand
  each text operand
}

twice() {
  set -e
  "${cmd[@]}" <"$in" >one && made one >rows
  "${cmd[@]}" <"two.$in" >two && made two >>rows
  cat "$in" "two.$in" | "${cmd[@]}" >both && made both >got
  if [ "$out" = file ]; then sed -i /^end$/d rows got; fi # one file, one end
  cmp rows got
}
@test "cat a b: the rows of one, then of the other" {
  each stream twice
  each text twice
  each file twice
}

no_rows() {
  set -e
  "${cmd[@]}" <none >got 2>said
  [ ! -s said ]
  [ "$out" = text ] || [ "$(made got)" = end ]
}
@test "a stream without rows is fine" {
  each stream no_rows
  each text no_rows
  each file no_rows
}

no_bytes() {
  fails_with 1 "stdin: empty input, not a stream" "${cmd[@]}" </dev/null && nothing_made
}
@test "no bytes are not" {
  each '*' no_bytes
}

text() {
  fails_with 1 'stdin: not a weft stream (if it is text, run it through `tok` first)' \
    "${cmd[@]}" <<<"this is text, and nothing else" && nothing_made
}
@test "text is not a stream" {
  each '*' text
}

nowhere() {
  fails_with 1 "nowhere.weft: cannot open: No such file or directory" "${cmd[@]}" nowhere.weft
}
@test "a file that is not there" {
  each stream nowhere
}

cut() {
  prefixes "$in" "${cmd[@]}" && nothing_made
}
@test "every prefix of a stream: exit 1 and the message" {
  each '*' cut
}

rows_before() {
  set -e
  "${cmd[@]}" <"$in" >whole
  frames -c 1 "$in" >cut && truncate -s -1 cut
  run ! "${cmd[@]}" <cut 2>/dev/null
  "${cmd[@]}" <cut >part 2>/dev/null || true
  run frames -d part
  [ "$status" -eq 1 ] && [ -n "$output" ] # and the stream that we made says so, too
  frames -d whole | grep -qxF -- "${lines[0]}"
}
@test "rows before the cut are delivered" {
  each stream rows_before
}

failed() {
  set -e
  frames -f "$in" >ends-in-failure || true
  silent "${cmd[@]}" < <(cat ends-in-failure) # whoever wrote it has said so
  nothing_made
  fails_with 1 ": stdin: the program that wrote it failed" "${cmd[@]}" <ends-in-failure
  nothing_made
}
passed_on() {
  frames -f "$in" | "${cmd[@]}" >got || true
  silent frames -d < <(cat got)
}
@test "a failed stream: exit 1, without a word unless it was saved" {
  each '*' failed
  each stream passed_on
}

full() {
  fails_with 1 "No space left on device" bash -c '"$@" >/dev/full' -- "${cmd[@]}" <"$in"
}
@test "a full disk is told" {
  each stream full
  each text full
}

no_input() {
  fails_with 1 "stdin: cannot read: Bad file descriptor" bash -c '"$@" <&-' -- "${cmd[@]}" &&
    nothing_made
}
no_output() {
  fails_with 1 "standard output: " bash -c '"$@" >&-' -- "${cmd[@]}" <"$in"
  [[ "$stderr" == *"Bad file descriptor" ]]
}
# What is told there goes nowhere, and above all not into a file.
no_error() {
  set -e
  "${cmd[@]}" <"$in" >one
  if [ "$out" = file ]; then mv made.weft want; fi
  rm -rf made
  "${cmd[@]}" --progress <"$in" 2>&- >other
  cmp one other
  if [ "$out" = file ]; then cmp made.weft want; fi
}
@test "standard input, output or error that is closed is nobody's file" {
  each '*' no_input
  each stream no_output
  each text no_output
  each '*' no_error
}

on_terminal() {
  run script -q -e -c "$(printf '%q ' "${cmd[@]}") <$in" /dev/null </dev/null
  [ "$status" -eq 1 ] && [[ $output == *"standard output: a terminal, and a stream is bytes"* ]] &&
    [[ $output != *dtype* ]] || { echo "$name: $status $output" >&2; return 1; }
}
@test "a terminal gets no frames" {
  command -v script >/dev/null || skip "no script(1)"
  each stream on_terminal
}

gone() {
  run --separate-stderr bash -c \
    '{ sleep 0.2; cat "$0"; } | "$@" | true; echo "${PIPESTATUS[1]}"' "$in" "${cmd[@]}"
  [ "$output" = 141 ] && [ -z "$stderr" ] || { echo "$name: $output $stderr" >&2; return 1; }
}
@test "a reader that has gone ends a program quietly" {
  each stream gone
  each text gone
}

singly() {
  set -e
  "${cmd[@]}" <"$in" >one && made one >rows
  drip <"$in" | "${cmd[@]}" | drip >other && made other >got
  cmp rows got
}
@test "bytes that come and go singly" {
  each stream singly
  each text singly
  each file singly
}

# ---- options ----

# run_as NAME ARGUMENT...: also where the name alone could mean another program.
run_as() {
  case $1 in
  head) weft "$@" ;;
  *) "$@" ;;
  esac
}

# spellings: -x and --name of usage text, a line each.
spellings() {
  sed -n -E 's/^  (-.|  ),? *(--[a-z0-9-]+)?( .*)?$/\1 \2/p' | tr -s ' ' '\n' | sed '/^$/d' | sort -u
}

own_options() {
  run_as "$1" --help | sed -n '/^options:/,/^options of every/p' | spellings
}

common_options() {
  encode --help | sed -n '/^options of every/,$p' | spellings
}

# flags PAGE: every option that the page marks as one.
flags() {
  mandoc -T html "$1" | grep -o '<code class="Fl"[^>]*>[^<]*' | sed 's/.*>//' | sort -u
}

page() {
  case $1 in
  weft) echo "$TOP/man/weft.1" ;;
  *) echo "$TOP/man/weft-$1.1" ;;
  esac
}

need_mandoc() {
  command -v mandoc >/dev/null || skip "no mandoc"
}

# lacks A B: what the lines of A have and those of B have not.
lacks() {
  comm -23 "$1" "$2"
}

@test "the usage text names its program, its options and the manual" {
  local p
  for p in $programs; do
    run -0 run_as "$p" --help
    [[ "$output" == "usage: $p "* ]] || { echo "$p: $output" >&2; false; }
    run -0 run_as "$p" -h
  done
}

@test "the version" {
  local p
  for p in $programs; do
    run -0 run_as "$p" --version
    [[ "$output" =~ ^weft(-$p)?\ [0-9.]+$ ]] || { echo "$p: $output" >&2; false; }
    run -0 run_as "$p" -V
  done
}

@test "help and version of a full disk fail" {
  local p
  for p in $programs; do
    run -1 bash -c '"$@" >/dev/full 2>/dev/null' -- "$p" --help
  done
}

@test "usage text and manual name the same options" {
  need_mandoc
  local p bad=""
  common_options >common
  [ -s common ]
  for p in $programs; do
    [ "$p" != weft ] || continue # its page is that of all options; next test
    own_options "$p" >own
    sort -u own common >all
    flags "$(page "$p")" >manual
    lacks own manual >missing
    lacks manual all >unknown
    [ ! -s missing ] || bad+=" $p's manual lacks $(tr '\n' ' ' <missing);"
    [ ! -s unknown ] || bad+=" $p's manual knows $(tr '\n' ' ' <unknown);"
  done
  [ -z "$bad" ] || { echo "$bad" >&2; false; }
}

@test "the options of every program are in weft(1)" {
  need_mandoc
  common_options >common
  flags "$(page weft)" >manual
  run -0 lacks common manual
  [ -z "$output" ] || { echo "weft(1) lacks $output" >&2; false; }
}

@test "every program's usage text ends in the options of every program" {
  local p
  common_options >common
  for p in $programs; do
    [ "$p" != weft ] || continue
    run_as "$p" --help | sed -n '/^options of every/,$p' | spellings | cmp - common
  done
}

@test "the parser knows every option of the usage text" {
  local p o
  for p in $programs; do
    for o in $(own_options "$p"); do
      # without its argument, or with -h behind it, it is anything but unknown
      run run_as "$p" "$o" </dev/null
      [[ "$output" != *"unknown option"* ]] || { echo "$p $o: $output" >&2; false; }
    done
  done
}

@test "unknown options: exit 2" {
  local p
  for p in $programs; do
    fails_with 2 "$p: " run_as "$p" --no-such-option </dev/null
    fails_with 2 "$p: " run_as "$p" -% </dev/null
  done
}

@test "long options are not abbreviated: exit 2" {
  local p o
  for p in $programs; do
    [ "$p" != weft ] || continue
    run_as "$p" --help | spellings >all
    # shellcheck disable=SC2013 # no blanks in them
    for o in $(grep '^--....' all); do
      ! grep -qxF -- "${o%?}" all || continue
      fails_with 2 "$p: " run_as "$p" "${o%?}" 1 </dev/null
    done
  done
}

@test "numbers are bounded: exit 2" {
  local p n
  for p in $programs; do
    [ "$p" != weft ] || continue
    for n in 0 -1 1x "" 99999999999999999999; do
      fails_with 2 "$p: -j: " run_as "$p" -j "$n" </dev/null
    done
    fails_with 2 "$p: -t: 'f99' is not one of f32, bf16, f16" run_as "$p" -t f99 </dev/null
    fails_with 2 "$p: -D: " run_as "$p" -D tpu </dev/null
  done
}
