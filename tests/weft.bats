# weft: runs a program by its name, and says where they are.
load helper

# A folder with weft and a program of each name that says what it was asked.
fake() {
  local name
  mkdir -p "$1"
  for name in tok score weft-head; do
    printf '#!/bin/sh\nprintf "%%s" "${0##*/}"; printf " <%%s>" "$@"; echo\nexit 7\n' >"$1/$name"
    chmod +x "$1/$name"
  done
}

@test "runs what lies beside it" {
  fake b
  cp "$WEFT_BIN/weft" b/
  run b/weft tok --ids 'a b' -- -x ''
  [ "$status" -eq 7 ]
  [ "$output" = "tok <--ids> <a b> <--> <-x> <>" ]
}

@test "weft head is always ours" {
  fake b
  cp "$WEFT_BIN/weft" b/
  [ "$(b/weft head -n 1)" = "weft-head <-n> <1>" ] || [ $? -eq 7 ]
}

@test "runs what was installed, also through a link, and no namesake beside it" {
  fake usr/libexec/weft
  mkdir -p usr/bin other
  cp "$WEFT_BIN/weft" usr/bin/
  printf '#!/bin/sh\necho namesake\n' >usr/bin/score
  chmod +x usr/bin/score
  ln -s ../usr/bin/weft other/weft
  run other/weft score -e
  [ "$output" = "score <-e>" ]
  run usr/bin/weft env
  [ "$output" = "export PATH='$PWD/usr/libexec/weft':\"\$PATH\"" ]
}

@test "env: a path that a shell takes as it is" {
  fake "it's \$here"
  cp "$WEFT_BIN/weft" "it's \$here/"
  eval "$("it's \$here/weft" env)"
  [ "$(command -v tok)" = "$PWD/it's \$here/tok" ]
}

@test "env: the manual of what was installed" {
  fake usr/libexec/weft
  mkdir -p usr/bin usr/share/man
  cp "$WEFT_BIN/weft" usr/bin/
  MANPATH=/m
  eval "$(usr/bin/weft env)"
  [ "$(readlink -f "${MANPATH%%:*}")" = "$(readlink -f usr/share/man)" ]
  [ "${MANPATH#*:}" = /m ]
}

@test "--list: the programs that are there, a line each" {
  fake b
  cp "$WEFT_BIN/weft" b/
  run b/weft --list
  [ "$status" -eq 0 ]
  [ "$(cut -d ' ' -f 1 <<<"$output" | tr '\n' ' ')" = "tok head score " ]
  [ "$(b/weft --help | tail -n 3)" = "$output" ]
  [ "$(b/weft --help)" = "$(b/weft -h)" ]
}

@test "--version" {
  run weft --version
  [ "$status" -eq 0 ]
  [[ "$output" =~ ^weft\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
  [ "$(weft -V)" = "$output" ]
  # Of the versions that have a date, CHANGELOG.md has the newest first.
  local version
  version=$(sed -n 's/^VERSION = //p' "$TOP/Makefile")
  [ "$output" = "weft $version" ]
  [ "$(sed -n 's/^## \[\([0-9.]*\)\] - .*/\1/p' "$TOP/CHANGELOG.md" | sed 1q)" = "$version" ]
}

@test "a name that is none of ours" {
  fails_with 2 "no program is called 'ls'" weft ls
  [[ "$stderr" == *"weft: encode "* ]]
  fails_with 2 "unknown option -x" weft -x
  fails_with 2 "--list" weft
}

@test "programs that are not where they should be" {
  mkdir -p lone/bin
  cp "$WEFT_BIN/weft" lone/bin/
  fails_with 1 "neither there nor beside weft" lone/bin/weft tok
  fake b
  cp "$WEFT_BIN/weft" b/
  fails_with 1 "b/encode: No such file" b/weft encode
}

@test "a full disk" {
  fails_with 1 "standard output" bash -c 'weft --list >/dev/full'
  fails_with 1 "standard output" bash -c 'weft env >/dev/full'
}

@test "links libc alone" {
  command -v readelf || skip "no readelf"
  ! readelf -d "$WEFT_BIN/weft" | grep -q asan || skip "built with SANITIZE=1"
  local program
  for program in weft head; do
    [ "$(readelf -d "$WEFT_BIN/$program" | grep -c NEEDED)" -eq 1 ]
  done
}
