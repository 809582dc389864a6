# head: ours or head(1). Ours is a script here that says so and passes on what it reads.
load helper

each_setup() {
  mkdir ours
  cp "$WEFT_BIN/head" ours/
  printf '#!/bin/sh\necho "ours:$*"\nexec cat\n' >ours/weft-head
  chmod +x ours/weft-head
  PATH=$PWD/ours:$PATH
  printf '\20\0\0\0\0\0\0\0{\"__metadata__\":' >begin
}

is_ours() {
  run --separate-stderr "$@" </dev/null
  [[ "${lines[0]}" == ours:* ]] || { echo "not ours: $*" >&2; return 1; }
}

is_theirs() {
  run --separate-stderr "$@" </dev/null
  [[ "$output" != ours:* ]] || { echo "ours: $*" >&2; return 1; }
}

@test "an option that only ours has" {
  is_ours head -m model
  is_ours head -T class
  is_ours head -a
  is_ours head -j 2
  is_ours head -D cpu
  is_ours head -t f32
  is_ours head -s 1
  is_ours head -h
  is_ours head -V
  is_ours head -qa
  is_ours head a.weft -a
  is_ours head -n 3 -a
  is_ours head -q -T class a.weft
  local name
  for name in model task threads device dtype seed; do
    is_ours head --$name x
    is_ours head --$name=x
  done
  is_ours head --all
  is_ours head --progress
  [ "${lines[0]}" = "ours:--progress" ]
}

@test "operands that are streams, and -q, which both have" {
  cat begin begin >s.weft
  is_ours head s.weft
  is_ours head s.weft s.weft
  is_ours head -q s.weft
  is_ours head -- s.weft
  is_ours head --quiet -- s.weft
  printf 'a\nb\n' >f
  is_theirs head f s.weft
  is_theirs head s.weft f
  is_theirs head -n 1 s.weft
  is_theirs head -v s.weft
  is_theirs head nothing
  is_theirs head -q f
  is_theirs head -- f
  run bash -c 'head -q <s.weft'
  [[ "$output" == ours:-q* ]]
  run bash -c 'head - <s.weft'
  [[ "$output" == ours:-* ]]
  run bash -c 'cat s.weft | head --quiet'
  [[ "$output" == ours:--quiet* ]]
  [ "$(head -q <f)" = $'a\nb' ]
  # What may be read but once is left alone.
  mkfifo p
  cat s.weft >p &
  head p | cmp - s.weft
}

@test "head(1)'s own options are its own" {
  printf 'a\nb\n' >f
  is_theirs head f
  [ "$output" = $'a\nb' ]
  is_theirs head -n 1 f
  [ "$output" = a ]
  [ "$(head -1 f)" = a ]
  [ "$(head -c1 f)" = a ]
  [ "$(head -c 1 f)" = a ]
  [ "$(head --lines=1 f)" = a ]
  [ "$(head --lines 1 -q f)" = a ]
  [ "$(head -v -n1 f | tail -n 1)" = a ]
  is_theirs head -
  is_theirs head -qn1 f
  is_theirs head --quiet f
  is_theirs head --zero-terminated f
  is_theirs head -z f
  is_theirs head --help
  [[ "$output" == *"head [OPTION]"* ]]
  is_theirs head --version
}

@test "an argument is no option" {
  is_theirs head -n -5 f
  is_theirs head -n -m
  is_theirs head -c -a
  is_theirs head --bytes -a
  is_theirs head -nm
  printf 'x\n' >-a
  is_theirs head -- -a
  [ "$output" = x ]
}

@test "what is wrong is told in head(1)'s words, under its name" {
  is_theirs head --mod
  [ "$status" -eq 1 ]
  [[ "$stderr" == head:* ]]
}

@test "a file that begins like a stream, from where it is read" {
  [ "$(head <begin)" = "$(echo ours:; cat begin)" ]
  { printf 'skip'; cat begin; } >later
  [ "$( (dd bs=4 count=1 status=none >/dev/null; head) <later)" = "$(echo ours:; cat begin)" ]
  printf 'some text\n' >text
  [ "$(head <text)" = "some text" ]
  : >empty
  [ -z "$(head <empty)" ]
  printf '\20\0\0\0\0\0\0\0' >eight
  head <eight | cmp - eight
  printf '\20\0\0\0\0\0\0\0[' >bracket
  head <bracket | cmp - bracket
  printf '\1\341\365\5\0\0\0\0{' >long # 100,000,001
  head <long | cmp - long
  printf '\0\341\365\5\0\0\0\0{' >most # 100,000,000
  [[ "$(head <most | sed -n 1p)" == ours: ]]
}

@test "a pipe, with nothing taken from it" {
  cat begin | head >got
  { echo ours:; cat begin; } | cmp - got
  printf 'one\ntwo\n' | head >got
  [ "$(cat got)" = $'one\ntwo' ]
  [ "$(printf ab | head)" = ab ]
  [ -z "$(: | head)" ]
  printf '\20\0\0\0\0' | head | cmp - <(printf '\20\0\0\0\0')
}

@test "a pipe that fills byte by byte" {
  local i
  for i in 1 2 3 4 5 6 7 8 9; do
    head -c "$i" begin | tail -c 1
    sleep 0.02
  done 2>/dev/null | head >got
  { echo ours:; head -c 9 begin; } | cmp - got
  { printf '\20\0\0'; sleep 0.1; printf '\0\0\0\0\0x'; } | head >got
  printf '\20\0\0\0\0\0\0\0x' | cmp - got
}

@test "waiting for the ninth byte takes no time" {
  { printf '\20\0'; sleep 1; printf '\0\0\0\0\0\0x'; } | {
    TIMEFORMAT='%U %S'
    time head >/dev/null
  } 2>used
  awk '{ exit $1 + $2 > 0.2 }' used
}

@test "a named pipe" {
  mkfifo p
  cat begin >p &
  [ "$(head <p | sed -n 1p)" = ours: ]
  wait
}

@test "neither file nor pipe: head(1)" {
  is_theirs head
  [ -z "$output" ]
  run bash -c 'exec head <&-'
  [ "$status" -eq 1 ]
  [[ "$output" == *head:* ]]
}

@test "the next head on PATH that is none of ours" {
  mkdir copy theirs
  cp ours/head copy/
  ln -s ../ours/head theirs/link
  printf '#!/bin/sh\necho next\n' >theirs/head
  chmod +x theirs/head
  PATH=$PWD/copy:$PWD/ours:$PWD/copy:$PWD/theirs:$PATH
  [ "$(head -n 1 f)" = next ]
  [ "$(ours/head -n 1 f)" = next ]
  mkdir linked
  ln -s ../ours/head linked/head
  [ "$(PATH=$PWD/linked:$PWD/theirs:$PATH head -n 1 f)" = next ]
}

@test "no other head: said so" {
  mkdir copy
  cp ours/head copy/
  fails_with 1 "no head(1) on PATH" env PATH="$PWD/ours:$PWD/copy" "$PWD/ours/head" -n 1 begin
}

@test "ours is not there: said so" {
  rm ours/weft-head
  fails_with 1 "ours/weft-head: No such file" head -a
}
