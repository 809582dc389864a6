# stream.bats - frames on the wire, seen through `frames`, the filter that changes nothing
# (tests/unit/frames.c). What is true of every program is in sweeps.bats.
load helper

each_setup() {
  PATH=$WEFT_UNIT:$PATH
  mkstream >a.weft <<'END'
meta model /m
meta vocab v1
logit 0.5 1.5 | label pos | text good | ids 101 7 102 | keep.id a7 | source 0
logit 2 -1 | label neg | text bad one | ids 101 102 | keep.id a8 | source 1
frame
logit 3 -3 | label neg | text worse | ids 101 8 9 102 | keep.id a9 | source 2
END
  mkstream >b.weft <<'END'
meta model /m
meta vocab v1
logit 7 8 | label pos | text more | ids 101 102 | keep.id b1 | source 0
END
  frames -d a.weft >a.rows
  frames -d b.weft >b.rows
}

size() {
  stat -c %s "$1"
}

@test "the identity keeps every byte" {
  frames <a.weft | cmp - a.weft
  frames a.weft | cmp - a.weft
}

@test "nine bytes tell a stream, and weft stands first" {
  [ "$(dd if=a.weft bs=1 skip=8 count=28 2>/dev/null)" = '{"__metadata__":{"weft":"1",' ]
  [ "$(dd if=a.weft bs=1 skip=2 count=6 2>/dev/null | tr -d '\0' | wc -c)" -eq 0 ]
}

@test "the header is padded to 8 bytes, data has no holes" {
  run -0 od -An -t u8 -N 8 a.weft
  [ $((output % 8)) -eq 0 ]
}

@test "frames joined and cut hold the same rows" {
  frames -c 1 a.weft | frames -d | cmp - a.rows
  frames -w 1000 a.weft | frames -d | cmp - a.rows
  [ "$(frames -c 1 a.weft | frames -l | wc -l)" -eq 3 ]
  [ "$(frames -c 1 a.weft | frames -w 1000 | frames -l | wc -l)" -lt 3 ]
  [ "$(frames -w 1000 -l a.weft)" = "rows 3 tokens 9 end" ]
}

@test "files one after another are cat's stream, and each end stays in its place" {
  cat a.rows b.rows >ab.rows
  frames a.weft b.weft | frames -d | cmp - ab.rows
  cat a.weft b.weft | frames -w 1000 | frames -d | cmp - ab.rows
  frames a.weft - <b.weft | frames -d | cmp - ab.rows
}

@test "an end behind the rows joins them" {
  { frames -c 2 a.weft; } | frames -w 1000 -l >list
  [ "$(tail -n 1 list)" = "rows 1 tokens 4 end" ] || [ "$(cat list)" = "rows 3 tokens 9 end" ]
}

@test "a stream without rows is passed on" {
  header '{"__metadata__":{"weft":"1","end":"ok","rows":"0"}}' >none.weft
  frames none.weft | cmp - none.weft
  cat none.weft a.weft none.weft | frames | frames -d >got
  { echo end; cat a.rows; echo end; } | cmp - got
}

@test "bytes that come and go singly" {
  drip <a.weft | frames | drip | cmp - a.weft
  drip <a.weft | frames -w 1000 | drip | frames -d | cmp - a.rows
}

@test "every prefix is told as such" {
  prefixes a.weft frames
  prefixes a.weft frames -w 1000
}

@test "rows before the cut are delivered" {
  truncate -s -1 a.weft
  run --separate-stderr bash -c 'frames <a.weft | frames -d'
  [ "$status" -eq 1 ]
  [ "$stderr" = "frames: stdin: stream ends early after 2 rows" ] # told once, by the first
  [ "$output" = "$(sed -n 1,2p a.rows)" ]
}

@test "an input that stops after a whole frame has no end" {
  header '{"__metadata__":{"weft":"1"}}' >open.weft
  fails_with 1 "frames: open.weft: stream ends early after 0 rows" frames open.weft
  fails_with 1 "frames: open.weft: stream ends early after 0 rows" frames open.weft a.weft
}

@test "no bytes at all are no stream" {
  fails_with 1 "frames: stdin: empty input, not a stream" frames </dev/null
  [ "$(frames /dev/null a.weft | frames -d)" = "$(cat a.rows)" ]
}

@test "a failed stream is passed on in silence" {
  run --separate-stderr bash -c 'frames -f a.weft | frames | frames -d'
  [ "$status" -eq 1 ]
  [ "$stderr" = "" ]
  [ "$output" = "$(sed '/^end$/d' a.rows)" ]
}

@test "a failed stream that was saved is told by its name" {
  frames -f a.weft >failed.weft || true
  run --separate-stderr frames -d failed.weft
  [ "$status" -eq 1 ]
  [ "$stderr" = "frames: failed.weft: the program that wrote it failed" ]
  [ "$output" = "$(sed '/^end$/d' a.rows)" ]
  fails_with 1 "frames: stdin: the program that wrote it failed" frames -d <failed.weft
  fails_with 1 "frames: failed.weft: the program that wrote it failed" frames a.weft failed.weft
  run --separate-stderr bash -c 'cat failed.weft | frames -d'
  [ "$status" -eq 1 ]
  [ "$stderr" = "" ]
}

@test "a foreign safetensors document is one complete frame" {
  local file
  file=$(golden models/bert-class)/model.safetensors
  [ "$(frames -l "$file")" = "rows 0 tokens 0 end" ]
  frames "$file" | frames -l | grep -qx "rows 0 tokens 0 end"
  header '{"__metadata__":{"weft":"1"}}' >open.weft # its end does not come
  fails_with 1 "stdin: stream ends early after 0 rows" bash -c "cat open.weft '$file' | frames"
}

@test "foreign tensors on odd addresses are read" {
  { header '{"odd":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"row.weight":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}'
    printf 'x\0\0\x80\x3f\0\0\0\x40'; } >odd.safetensors
  [ "$(frames -d odd.safetensors)" = "$(printf 'row.weight: 1\nrow.weight: 2\nend')" ]
}

@test "what is no stream is called so" {
  fails_with 1 'not a weft stream (if it is text, run it through `tok` first)' \
    frames <<<"some text, several words of it"
  fails_with 1 "nowhere.weft: cannot open: No such file" frames nowhere.weft
  fails_with 1 "/: cannot read: Is a directory" frames /
  header '{"__metadata__":{"weft":"2","end":"ok"}}' >two.weft
  fails_with 1 "a stream of version '2'" frames two.weft
  header '[1]' >array.weft
  fails_with 1 "not a weft stream" frames array.weft
}

@test "rows before what is no frame are delivered" {
  frames -c 1 a.weft >one.weft
  { cat one.weft; echo "and here follows some text"; } >mixed
  run --separate-stderr frames -d mixed
  [ "$status" -eq 1 ]
  [ "$output" = "$(cat a.rows)" ]
  [ "$stderr" = 'frames: mixed: after 3 rows: not a weft stream (if it is text, run it through `tok` first)' ]
}

@test "a header that lies about its length" {
  printf '\x01\xe1\xf5\x05\0\0\0\0{' >long # 100,000,001
  fails_with 1 "not a weft stream: a header of 100000001 bytes, at most 100000000" frames long
  printf '\xff\xff\xff\xff\xff\xff\xff\xff{' >longest
  fails_with 1 "not a weft stream (" frames longest
  printf '\0\xe1\xf5\x05\0\0\0\0{"a":' >most # 100,000,000 and 5 bytes of it
  fails_with 1 "most: stream ends early after 0 rows" frames most
}

@test "memory follows what comes, not what is announced" {
  { header '{"__metadata__":{"weft":"1"},"x":{"dtype":"U8","shape":[2000000000],"data_offsets":[0,2000000000]}}'
    printf '0123456789'; } >lie.weft
  fails_with 1 "lie.weft: stream ends early after 0 rows" frames lie.weft
  (ulimit -v 300000 && frames -V) >/dev/null 2>&1 || skip "no program runs under ulimit -v here"
  fails_with 1 "lie.weft: stream ends early after 0 rows" \
    bash -c 'ulimit -v 300000 && frames lie.weft'
  fails_with 1 "stdin: stream ends early after 0 rows" \
    bash -c 'ulimit -v 300000 && cat lie.weft | frames'
}

@test "an end that counted other rows than came" {
  header '{"__metadata__":{"weft":"1","end":"ok","rows":"5"}}' >five.weft
  fails_with 1 "five.weft: end says 5 rows, 0 came" frames five.weft
  sed 's/"rows":"3"/"rows":"4"/' a.weft >four.weft
  run --separate-stderr frames -d four.weft
  [ "$status" -eq 1 ]
  [ "$stderr" = "frames: four.weft: end says 4 rows, 3 came" ]
  [ "$output" = "$(sed '/^end$/d' a.rows)" ]
  header '{"__metadata__":{"weft":"1","end":"soon"}}' >soon.weft
  fails_with 1 "its end is 'soon'" frames soon.weft
  header '{"__metadata__":{"weft":"1","end":"ok","rows":"-1"}}' >minus.weft
  fails_with 1 "rows of its end" frames minus.weft
}

@test "no more rows or tokens are claimed than there are bytes" {
  header '{"__metadata__":{"weft":"1","end":"ok"},"row.vector":{"dtype":"F32","shape":[1000000000,0],"data_offsets":[0,0]}}' >rows.weft
  { header '{"__metadata__":{"weft":"1","end":"ok"},"row.tokens":{"dtype":"I64","shape":[2],"data_offsets":[0,16]}}'
    printf '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x40'; } >tokens.weft
  for what in rows tokens; do
    fails_with 1 "$what.weft: broken frame after 0 rows: it claims" frames $what.weft
    for program in "show -r" "show --lengths" "show --digest" "show -o x.weft"; do
      # shellcheck disable=SC2086 # a program and its option
      fails_with 1 "but no tensor of $what holds anything" timeout 20 $program $what.weft
    done
    fails_with 1 "but no tensor of $what holds anything" timeout 20 deal 1:x <$what.weft
  done
}

@test "a head that leaves nothing of the tokens leaves their counts out too" {
  mkstream <<<'ids 101 7 102' >ids.weft
  encode -m "$(golden models/bert-class)" ids.weft | frames -R token.id >hidden.weft
  weft head -m "$(golden models/bert-class)" -T class hidden.weft | frames -l >list
  [ "$(cat list)" = "rows 1 tokens 0 end" ]
}

@test "a frame that contradicts itself" {
  sed 's/"token.id"/"row.xxid"/' a.weft >bad.weft
  fails_with 1 "broken frame after 0 rows: row.xxid holds 5 rows, the frame 2" frames bad.weft
  sed 's/"weft":"1"/"weft":1  /' a.weft >number.weft
  fails_with 1 "__metadata__" frames number.weft
}

@test "one stream is made with one model" {
  frames -k model=/n b.weft >n.weft
  fails_with 1 "stdin: the stream changes from model /m to model /n after 3 rows" \
    bash -c 'cat a.weft n.weft | frames'
  frames -k vocab=v2 b.weft >v.weft
  fails_with 1 "v.weft: the stream changes from vocab v1 to vocab v2 after 3 rows" \
    frames a.weft v.weft
  frames -k encoder=e1 b.weft >e.weft
  fails_with 1 "from no encoder to encoder e1 after 3 rows" frames a.weft e.weft
  run --separate-stderr bash -c 'frames a.weft v.weft | frames -d'
  [ "$output" = "$(sed '/^end$/d' a.rows; echo end)" ] # what came before is there, end and all
}

@test "one folder by two names is one model" {
  frames -k encoder=e1 a.weft >e1.weft
  frames -k encoder=e1 b.weft | frames -k model=/also/m >e2.weft
  cat a.rows b.rows >ab.rows
  frames e1.weft e2.weft | frames -d | cmp - ab.rows
}

@test "a row at fault: those before it are delivered, the message counts rows" {
  cat a.weft b.weft >ab.weft
  for n in 1 2 3 4; do
    run --separate-stderr bash -c "frames -x $n ab.weft | frames -d"
    [ "$status" -eq 1 ]
    [ "$stderr" = "frames: ab.weft: row $n: not to be borne: leave it out" ]
    [ "$(sed '/^end$/d' <<<"$output")" = "$(cat a.rows b.rows | sed '/^end$/d' | sed "$n,\$d")" ]
  done
  fails_with 1 "frames: a.weft: broken: as asked" frames -X a.weft
}

@test "each row goes on when nothing follows it" {
  frames -c 1 a.weft >slow.weft
  truncate -s -1 slow.weft
  mkfifo p
  frames -w 100000 <p 2>/dev/null | frames -w 100000 -l >got 2>/dev/null 3>&- &
  exec 9>p
  cat slow.weft >&9
  for _ in $(seq 40); do
    [ ! -s got ] || break
    sleep 0.05
  done
  run -0 cat got
  exec 9>&-
  wait $! || true
  [[ "$output" == rows* ]]
}

@test "a reader that has gone ends the writer quietly" {
  run --separate-stderr bash -c '{ sleep 0.2; cat a.weft; } | frames | true; echo ${PIPESTATUS[1]}'
  [ "$output" = 141 ]
  [ "$stderr" = "" ]
  # also where somebody has SIGPIPE ignored
  run --separate-stderr bash -c 'trap "" PIPE
    { sleep 0.2; cat a.weft; } | frames | true; echo ${PIPESTATUS[1]}'
  [ "$output" = 141 ]
  [ "$stderr" = "" ]
}

@test "what cannot be written is told" {
  fails_with 1 "frames: standard output: cannot write: No space left on device" \
    bash -c 'frames a.weft >/dev/full'
  fails_with 1 "frames: standard output: cannot write: Bad file descriptor" \
    bash -c 'frames a.weft >&-'
  fails_with 1 "/dev/full: cannot write" frames -o /dev/full a.weft
  fails_with 1 "none/x: cannot create" frames -o none/x a.weft
}

@test "a file is written whole or not at all" {
  frames -o x.weft a.weft
  cmp x.weft a.weft
  truncate -s -1 b.weft
  run ! frames -o x.weft b.weft
  cmp x.weft a.weft
  run ! frames -f -o x.weft a.weft
  cmp x.weft a.weft
  run ! frames -X -o new.weft a.weft
  [ ! -e new.weft ]
  [ -z "$(find . -name '*.tmp')" ]
}

@test "a program that is told to stop leaves nothing half made" {
  mkfifo p
  frames -o x.weft <p &
  exec 9>p
  cat a.weft >&9
  for _ in $(seq 50); do
    [ -z "$(find . -name '.x.weft.*.tmp')" ] || break
    sleep 0.1
  done
  [ -n "$(find . -name '.x.weft.*.tmp')" ]
  kill -TERM $!
  run ! wait $!
  exec 9>&-
  [ -z "$(find . -name '*.tmp')" ]
  [ ! -e x.weft ]
}

@test "places that are no files are written to directly" {
  frames -o /dev/null a.weft
  mkfifo p
  cat p >got &
  frames -o p a.weft
  wait $!
  cmp got a.weft
  [ -p p ]
}

@test "a stream laid aside comes back as it was" {
  cat a.weft b.weft >ab.weft
  frames -S ab.weft | frames -d >got
  { cat b.rows | sed /end/d; sed /end/d a.rows; } | cmp - <(sed /end/d got)
  # Frames that come slowly are joined differently: only the rows are what they were.
  [ "$(frames -c 1 a.weft | frames -S | frames -S | frames -d | sort)" = "$(sort a.rows)" ]
  [ -z "$(TMPDIR=$PWD frames -S a.weft >/dev/null; find . -name 'weft-*')" ]
}

@test "nothing is made of a stream that is not all there" {
  truncate -s -1 a.weft
  fails_with 1 "a.weft: stream ends early after 2 rows" frames -S -o x.weft a.weft
  [ ! -e x.weft ]
  fails_with 1 "nowhere: cannot lay the input aside" env TMPDIR=nowhere frames -S b.weft
}

@test "the reader in weft-stream(5) reads" {
  command -v python3 >/dev/null || skip "no python3"
  sed -n '/^import array/,/^\.Ed/p' "$TOP/man/weft-stream.5" | sed '/^\.Ed/d' >reader.py
  [ "$(python3 reader.py <a.weft)" = "$(printf '101 7 102\n101 102\n101 8 9 102')" ]
  truncate -s -1 a.weft # the last byte is one of the second frame's
  fails_with 1 "the stream ends early" python3 reader.py <a.weft
  frames -c 1 b.weft | frames -f >failed.weft || true
  fails_with 1 "the stream ends early" python3 reader.py <failed.weft
}

@test "a terminal is no stream to read, and gets none for an answer" {
  command -v script >/dev/null || skip "no script(1)"
  run script -q -e -c "encode -m $(golden models/bert-class)" /dev/null </dev/null
  [ "$status" -eq 1 ] && [ "${#lines[@]}" -eq 1 ]
  [[ $output == "encode: stdin: a terminal, not a weft stream: pipe one in, or name a file"* ]]
}
