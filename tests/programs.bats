# programs.bats - each program is said once, in bin/programs.h, and has all that a program has
# (CONTRIBUTING.md, "To add a program"); programs are small, and only they end.
load helper

# row FILE NAME: the line of README's table that has the program in its first column.
row() {
  sed -n '/^## The programs/,/^## /p' "$1" | awk -F '|' -v name="\`$2\`" 'index($2, name)'
}

# lacks ROOT LIST: what the programs of that tree lack, a line each; LIST is what `weft --list`
# says of it.
lacks() {
  local root=$1 name about file page run
  for file in "$root"/bin/*.c; do
    name=$(basename "$file" .c)
    case $name in head-choice | weft) continue ;; esac
    programs "$root" | grep -qx "$name" || echo "bin/programs.h has no line for bin/$name.c"
  done
  cut -d ' ' -f 1 "$2" | cmp -s - <(programs "$root") || echo "weft --list has other programs"
  for name in $(programs "$root"); do
    page=$root/man/weft-$name.1
    run=$(sed -n "s/^    P($name, \"\([^\"]*\)\",.*/\1/p" "$root/bin/programs.h")
    about=$(sed -n "s/^$name  *//p" "$2")
    [ -e "$root/bin/$name.c" ] || echo "$name has no bin/$name.c"
    if [ -e "$page" ]; then
      grep -qxF ".Nd $about" "$page" || echo "$name's page is not named '$about'"
      grep -qx '\.Sh EXAMPLES' "$page" || echo "$name's page has no examples"
    else
      echo "$name has no man/weft-$name.1"
    fi
    grep -qF "run_examples weft-$name.1;" "$root/tests/man.bats" ||
      echo "$name's examples are not run by tests/man.bats"
    grep -A 1 -x "\.It Xr weft-$name 1" "$root/man/weft.1" | grep -qxF -- "$about" ||
      echo "$name is not in weft(1) as '$about'"
    sed -n '/^\.Sh SEE ALSO/,$p' "$root/man/weft.1" | grep -q "^\.Xr weft-$name 1" ||
      echo "$name is not among weft(1)'s SEE ALSO"
    [ -n "$(row "$root/README.md" "$name")" ] || echo "$name is not in README's table"
    [ -e "$root/tests/$run.bats" ] || echo "$name has no tests/$run.bats"
    sed -n '/^table() {/,/^}/p' "$root/tests/sweeps.bats" | grep -q "^$name " ||
      echo "$name has no line in the table of tests/sweeps.bats"
    grep -qE "(^|sweeps <<<')(-[a-z] ([a-z]+ )?)*[a-z-]+ $run( |'|\$)" "$root/tests/faults.bats" ||
      echo "$name has no line in tests/faults.bats"
    grep -qF "\`$name\`" "$root/CHANGELOG.md" || echo "$name is not in CHANGELOG.md"
  done
}

# copy TREE: all that lacks looks at.
copy() {
  mkdir -p "$1/bin" "$1/tests"
  cp "$TOP"/bin/*.[ch] "$1/bin/"
  cp -r "$TOP/man" "$TOP/README.md" "$TOP/CHANGELOG.md" "$1/"
  cp "$TOP"/tests/*.bats "$1/tests/"
}

# add TREE STEP: one step of adding the program `few`.
add() {
  local tree=$1
  case $2 in
  source) echo 'int main(void) {}' >"$tree/bin/few.c" ;;
  line)
    # shellcheck disable=SC1003 # sed's
    sed -i '/^    P(get,/i\    P(few, "few", "[file ...]", "a few rows", NULL) \\' \
      "$tree/bin/programs.h"
    ;;
  list) echo "few      a few rows" >"$tree/one" ;;
  page) printf '.Nd a few rows\n.Sh EXAMPLES\n' >"$tree/man/weft-few.1" ;;
  examples) echo '@test "weft-few.1" { run_examples weft-few.1; }' >>"$tree/tests/man.bats" ;;
  weft) sed -i '/^\.It Xr weft-get 1/i.It Xr weft-few 1\na few rows' "$tree/man/weft.1" ;;
  also) sed -i '/^\.Xr weft-get 1 ,/i.Xr weft-few 1 ,' "$tree/man/weft.1" ;;
  readme) sed -i '/^| `get` |/i| `few` | rows -> a few of them |' "$tree/README.md" ;;
  tests) echo 'load helper' >"$tree/tests/few.bats" ;;
  sweep) sed -i '/^embed  *ids/i\few ids stream' "$tree/tests/sweeps.bats" ;;
  faults) echo "few-ids few -q ids" >>"$tree/tests/faults.bats" ;;
  change) echo '- `few`: a few rows.' >>"$tree/CHANGELOG.md" ;;
  esac
}

@test "every program has all that a program has" {
  weft --list >list
  run -0 lacks "$TOP" list
  [ -z "$output" ] || { echo "$output" >&2; false; }
}

@test "nothing is told of a program that there is not" {
  local name page
  for page in "$TOP"/man/weft-*.1; do
    name=$(basename "$page" .1)
    programs | grep -qx "${name#weft-}" || { echo "no program for $page" >&2; false; }
  done
  weft --list | cut -d ' ' -f 1 | cmp - <(programs)
  [ "$(grep -c '^\.It Xr weft-' "$TOP/man/weft.1")" -eq "$(programs | wc -l)" ]
}

@test "each is built, and weft runs it" {
  local name
  for name in $(programs); do
    [[ "$(weft "$name" --version)" == "weft-$name "* ]]
    [ "$(weft "$name" --help | sed -n 2p)" = "$(weft --list | sed -n "s/^$name  *//p")" ]
  done
}

@test "a step that is left out when a program is added is found" {
  local steps="source line list page examples weft also readme tests sweep faults change" out step
  for out in none $steps; do
    rm -rf tree
    copy tree
    : >tree/one
    for step in $steps; do
      [ "$step" = "$out" ] || add tree "$step"
    done
    weft --list | awk '/^get / { while ((getline line <"tree/one") > 0) print line } 1' >list
    run -0 lacks tree list
    if [ "$out" = none ]; then
      [ -z "$output" ] || { echo "$output" >&2; false; }
    else
      [ -n "$output" ] || { echo "not found: $out" >&2; false; }
      [[ "$output" == *few* || $out = list ]]
    fi
  done
}

# steps: the code in CONTRIBUTING.md's "To add a program".
steps() {
  sed -n '/^## To add a program/,/^## To add an /{ s/^        //p; s/^ *$//p; }' \
    "$TOP/CONTRIBUTING.md"
}

@test "CONTRIBUTING.md's program is built, found by weft, and does what it is for" {
  local build=${WEFT_UNIT%/tests}
  mkdir -p tree/bin
  cp "$TOP/Makefile" tree/
  cp "$TOP"/bin/*.[ch] tree/bin/
  ln -s "$TOP/common" "$TOP/kernels" tree/
  steps | grep '^P(' >line
  steps | sed '/^P(/d' >tree/bin/labelled.c
  sed -i "/^    P(get,/i\\    $(cat line) \\\\" tree/bin/programs.h
  # The library stands as it is built.
  env -u MAKEFLAGS -u MAKELEVEL make -s -C tree BUILD=build BIN=bin LIB="$build/libweft.a" \
    -o "$build/libweft.a" SANITIZE="$(grep -o 'sanitize$' <<<"$build")" bin/labelled bin/weft
  ln -s "$WEFT_BIN/weft-head" tree/bin/
  PATH=$WEFT_UNIT:$PATH
  mkstream >s.weft <<'END'
ids 2 3 | label a | text one
ids 2 4 3 | text two
ids 2 5 3 | label b | text three
frame
ids 2 6 3 | text four
END
  [ "$(tree/bin/weft --list | sed -n 's/^labelled  *//p')" = "the rows that have a label" ]
  tree/bin/weft labelled s.weft >got
  run -0 frames -d got
  [ "${#lines[@]}" -eq 3 ]
  [[ "${lines[0]}" == *"text: 'one'"* && "${lines[1]}" == *"text: 'three'"* ]]
  [ "${lines[2]}" = end ]
}

@test "no program has more than 200 lines" {
  local file n
  for file in "$TOP"/bin/*.[ch]; do
    n=$(wc -l <"$file")
    [ "$n" -le 200 ] || { echo "$file: $n lines" >&2; false; }
  done
}

# library EXCEPT: the library's files but those of base/ that this pattern names.
library() {
  find "$TOP/common" -name '*.[ch]' | grep -vE "/common/base/($1)$"
}

# nowhere PATTERN FILE...: fails where a line has it. base/msg.c has some, so it can be found.
nowhere() {
  grep -qE "$1" "$TOP/common/base/msg.c"
  run grep -nE "$@"
  [ "$status" -eq 1 ] || { echo "$output" >&2; return 1; }
}

@test "the library returns its errors: only programs end" {
  # shellcheck disable=SC2046 # no path of ours has a blank
  nowhere '\b(die|dief|die_usage|die_in_handler|exit|_exit|_Exit|quick_exit|abort) *\(' \
    $(library '(msg|mem|opt|tidy|mapping)\.c|(msg|err)\.h') "$TOP"/kernels/*.{c,h,cu}
}

@test "only base/ writes to standard error" {
  # shellcheck disable=SC2046
  nowhere '\bstderr\b|\bperror *\(|\b(write|dprintf) *\( *(2\b|STDERR_FILENO)' \
    $(library '[a-z0-9_]*\.[ch]')
}
