# house.bats - what CONTRIBUTING.md says of the sources, where a machine can hold them to it. Its
# first section is read here too: the rooms of common/ and their order stand there alone.
load helper

# Once: the sources without their comments, as FILE:LINE: TEXT; what they include, as FILE HEADER,
# both from the top.
setup_file() {
  cd "$TOP" || return 1
  find bin common kernels -name '*.[ch]' -o -name '*.cu' | sort | tr '\n' '\0' | xargs -0 awk '
    FNR == 1 { inside = 0 }
    {
      rest = $0
      text = ""
      while (rest != "") {
        at = index(rest, inside ? "*/" : "/*")
        if (!inside)
          text = text (at ? substr(rest, 1, at - 1) : rest)
        rest = at ? substr(rest, at + 2) : ""
        if (at)
          inside = !inside
      }
      if (text ~ /[^ \t]/)
        print FILENAME ":" FNR ": " text
    }' >"$BATS_FILE_TMPDIR/code"
  sed -nE 's|^([^:]+):[0-9]+: *# *include *"([^"]+)".*|\1 \2|p' "$BATS_FILE_TMPDIR/code" |
    sed -E '/ (kernels|bin|tests)\//!s| | common/|' >"$BATS_FILE_TMPDIR/includes"
  [ -s "$BATS_FILE_TMPDIR/includes" ]
}

each_setup() {
  code=$BATS_FILE_TMPDIR/code
  includes=$BATS_FILE_TMPDIR/includes
  tmp=$PWD
  cd "$TOP" || return 1
  mapfile -t headers < <(find bin common kernels -name '*.h' | sort)
}

# none RULE: fails where something comes in, which is what breaks the rule.
none() {
  local found
  found=$(cat)
  [ -z "$found" ] || { printf '%s\n%s\n' "$1" "$found" >&2; return 1; }
}

# names: the types that headers give a name, as NAME FILE.
names() {
  awk '
    /^[^:]*\.h:/ {
      file = $1
      sub(/:.*/, "", file)
      sub(/^[^ ]* /, "")
      gsub(/__attribute__\(\(.*\)\)/, "")
    }
    /^typedef / { open = 1 }
    open && (/^}/ || /^typedef .*; *$/) {
      if (/\(\*[A-Za-z0-9_]+\)/) {     # typedef int (*Name)(...);
        sub(/^[^*]*\(\*/, "")
        sub(/\).*/, "")
      } else if (/^typedef [^{}]*\(/)   # typedef int Name(...);
        sub(/\(.*/, "")
      sub(/ *; *$/, "")
      sub(/.*[ *}]/, "")
      print $0, file
      open = 0
    }' "$code"
}

# rooms: those of the layout, in its order; one inside another as OUTER/INNER.
rooms() {
  awk '
    /^    common\// { on = 1; next }
    /^    [a-z]/ { on = 0 }
    on && /^      [a-z]+\// { split($1, name, "/"); outer = name[1]; print outer }
    on && /^        [a-z]+\// { split($1, name, "/"); print outer "/" name[1] }' CONTRIBUTING.md
}

@test "the layout names the rooms that there are" {
  find common -mindepth 1 -type d | sed 's|common/||' | sort | diff <(rooms | sort) -
  find common -maxdepth 1 -type f | none "these are in no room:"
}

# kernels/ uses nothing else, and is used by those who compute: model/ and what stands below it.
@test "a room includes itself and those above it in the layout" {
  awk -v rooms="$(rooms | tr '\n' ' ')" '
    function room(path) {
      sub(/^common\//, "", path)
      sub(/\/[^\/]*$/, "", path)
      return path
    }
    BEGIN {
      n = split(rooms, name, " ")
      for (i = 1; i <= n; i++) {
        if (name[i] == "model")
          at["kernels"] = i - 0.5
        at[name[i]] = i
      }
      at["bin"] = n + 1
    }
    $1 == "kernels/cuda.h" && $2 ~ /standin.h$/ { next } # in place of CUDA, for tests alone
    {
      from = room($1)
      to = room($2)
      if (!(from in at) || !(to in at) || at[to] > at[from] || (from == "kernels" && to != from))
        print "  " $1 " includes " $2
    }' "$includes" | none "these arrows point down the layout, or out of the house:"
}

# A unit is NAME.h, NAME.c and NAME_tables.h; with them NAME_in.h, and each NAME_PART that includes
# it, or that has no header of its own and includes NAME.h.
@test "units do not go round in circles" {
  {
    find common -name '*.[ch]' | sed 's/$/ -/'
    grep '^common/.* common/' "$includes"
  } | awk '
    function unit(path) {
      sub(/(_in|_tables)?\.[a-z]+$/, "", path)
      return path
    }
    $2 == "-" { file[++files] = $1; if ($1 ~ /\.h$/) headed[unit($1)] = 1; next }
    { include[$1] = include[$1] " " $2 }
    END {
      for (f = 1; f <= files; f++) {
        own = unit(file[f])
        n = split(include[file[f]], header, " ")
        for (i = 1; i <= n; i++) {
          of = unit(header[i])
          if (index(own, of "_") == 1 && (!(own in headed) || header[i] == of "_in.h"))
            part[own] = of
        }
      }
      for (f = 1; f <= files; f++) {
        own = unit(file[f])
        n = split(include[file[f]], header, " ")
        for (i = 1; i <= n; i++) {
          from = own in part ? part[own] : own
          to = unit(header[i])
          to = to in part ? part[to] : to
          if (from != to)
            print from, to
        }
      }
    }' >"$tmp/edges"
  [ -s "$tmp/edges" ]
  tsort <"$tmp/edges" 2>&1 >/dev/null | none "these include each other:"
}

# kernels/device.h gathers the headers of all operations, so that there headers alone count.
@test "headers of kernels/ do not go round in circles" {
  grep '^kernels/.*\.h ' "$includes" >"$tmp/edges"
  [ -s "$tmp/edges" ]
  tsort <"$tmp/edges" 2>&1 >/dev/null | none "these include each other:"
}

@test "a header says what it is, and its guard is its name" {
  awk '
    function is(want) { if ($0 != want) print "  " FILENAME ":" FNR ": not " want }
    FNR == 1 {
      name = FILENAME
      sub(/.*\//, "", name)
      guard = toupper(name)
      gsub(/[^A-Z0-9]/, "_", guard)
      seen = 0
      if (index($0, "/* " name " - ") != 1)
        print "  " FILENAME ": does not begin with /* " name " - ..."
    }
    /^#/ && seen < 2 { is((seen++ ? "#define" : "#ifndef") " WEFT_" guard) }' "${headers[@]}" |
    none "these do not:"
}

@test "no two headers and no two public types have one name" {
  printf '%s\n' "${headers[@]##*/}" | sort | uniq -d | none "headers of one name:"
  names | sort >"$tmp/names"
  [ "$(wc -l <"$tmp/names")" -eq "$(grep -c '^[^:]*\.h:[0-9]*: typedef ' "$code")" ]
  awk '$1 == last { print "  " $1 ": " at ", " $2 } { last = $1; at = $2 }' \
    "$tmp/names" | none "types of one name:"
}

@test "only io/ knows the wire" {
  grep ' common/io/wire\.h$' "$includes" | grep -v '^common/io/' | none "these include io/wire.h:"
}

# What is not ours, and the files that know it, or the folder.
elsewhere() {
  cat <<'EOF'
csv.h              common/records/records_csv.c
curl/curl.h        common/hub/http.c
dnnl.h             kernels/matmul.c
openssl/evp.h      common/hub/sums.c
pcre2.h            common/text/regex.c
utf8proc.h         common/base/write.c
utf8proc.h         common/plot/draw.c
utf8proc.h         common/store/safetensors.c
utf8proc.h         common/text/
xxhash.h           common/base/hash.c
zip.h              common/store/torchfile.c
cublasLt.h         kernels/matmul.cu
cuda_bf16.h        kernels/cuda.h
cuda_fp16.h        kernels/cuda.h
cuda_runtime_api.h kernels/cuda.h
vector_functions.h kernels/cuda.h
dlfcn.h            kernels/plugin.c
jansson.h          common/base/opt.c
jansson.h          common/filter/head_filter.c
jansson.h          common/hub/repo_files.h
jansson.h          common/learn/checkpoint.h
jansson.h          common/learn/examples_class.c
jansson.h          common/learn/model_adapter.c
jansson.h          common/learn/model_setup.c
jansson.h          common/learn/train_record.h
jansson.h          common/model/config.h
jansson.h          common/model/head/headsave.c
jansson.h          common/rows/candidates.c
jansson.h          common/rows/labels.c
jansson.h          common/store/
jansson.h          common/text/cut/cut.h
jansson.h          common/text/decode.h
jansson.h          common/text/normal/normal.h
EOF
}

@test "each library is known to few" {
  {
    elsewhere
    sed -nE 's|^([^:]+):[0-9]+: *# *include *<([^>]+)>.*|use \1 \2|p' "$code"
  } | awk '
    $1 != "use" { place[$1] = place[$1] " " $2; idle[$1 " " $2] = 1; next }
    $3 in place {
      n = split(place[$3], at, " ")
      for (i = 1; i <= n; i++)
        if ($2 == at[i] || (at[i] ~ /\/$/ && index($2, at[i]) == 1)) {
          delete idle[$3 " " at[i]]
          next
        }
      print "  " $2 " includes <" $3 ">"
    }
    END {
      for (line in idle)
        print "  nobody: " line
    }' | none "these are not in elsewhere(), or there for nobody:"
}

@test "only base/ writes to standard error" {
  grep -v '^common/base/' "$code" | sed 's/isatty(STDERR_FILENO)//g' |
    grep -E '\<(stderr|STDERR_FILENO)\>|\<(perror|psignal|v?(err|warn)x?) *\(|\<(v?dprintf|write) *\( *2,' |
    none "these do too:"
}

@test "only programs exit" {
  grep -vE '^(bin|common/base)/' "$code" |
    grep -E '\<(_?exit|_Exit|quick_exit|dief?|die_usage|execv?[lpe]*) *\(' | none "these do too:"
}

# Exempt is what reads numbers that no user gave: of JSON, of HTTP's headers, of keys that are ids;
# and kernels/, which takes its device's from the name.
@test "a number from a user goes through base/num.h" {
  grep -E '\<(ato(i|l|ll|f)|strto(l|ll|ul|ull|d|f|ld|imax|umax)|v?f?s?scanf) *\(' "$code" |
    grep -vE '^common/(base/num|hub/http|records/records_json|store/jsonscan|text/tokenizer_added)\.c:' |
    grep -v '^kernels/plugin\.c:' | none "these go another way:"
}

@test "only kernels/ knows CUDA" {
  grep -v '^kernels/' "$code" | grep -E ': *# *(if|elif|ifdef|ifndef|define)\>.*CUDA' |
    none "these do too:"
}

# An operation is NAME.c with NAME_PART.c and the same in .cu. These are of none.
contract() {
  if [ -e "kernels/$1.h" ]; then echo "$1"; return; fi
  case $1 in
  cpu | plugin | cuda_memory) echo device ;;
  table | dots | plain) echo isa ;;
  *_*) contract "${1%_*}" ;;
  *) echo "$1" ;;
  esac
}

@test "each kernel has a header, and each operation a contract" {
  local f header
  for f in kernels/*.c kernels/*.cu; do
    header=$(contract "$(basename "${f%.*}")")
    [ -e "kernels/$header.h" ] || echo "  $f: no kernels/$header.h"
  done | none "these have no header:"
  # The headers of operations: shapes, and how far off a result may be.
  grep -E '^kernels/(device|ops)\.h ' "$includes" | cut -d ' ' -f 2 | grep -vxF kernels/ops.h \
    >"$tmp/operations"
  [ -s "$tmp/operations" ]
  while read -r f; do
    header=$(sed '/\*\//q' "$f")
    grep -qE '\[[a-z_]+(, [a-z_]+)*\]|elements|n parameters' <<<"$header" || echo "  $f: no shape"
    grep -qiE 'within|exact|rounded' <<<"$header" || echo "  $f: no bound"
  done <"$tmp/operations" | none "these do not say it:"
}

@test "a file has 500 lines at most, a program 200" {
  find bin common kernels tests mk man examples .ci Makefile deps -type f \
    \( -name '*.[ch]' -o -name '*.cu' -o -name '*.cc' -o -name '*.py' -o -name '*.sh' -o \
    -name '*.bash' -o -name '*.bats' -o -name '*.mk' -o -name '*.[1-9]' -o -name Makefile -o \
    -name run -o -name deps \) ! -name '*_tables.h' ! -path '*/golden/*' -exec wc -l {} + |
    awk '$2 != "total" && $1 > ($2 ~ /^bin\// ? 200 : 500) { print "  " $2 ": " $1 }' |
    none "these are longer:"
}

@test "tests/run.sh runs every test" {
  mkdir "$tmp/unit"
  local f
  for f in tests/unit/*_test.c tests/ops/*_test.c; do
    touch "$tmp/unit/$(basename "${f%.c}")"
  done
  WEFT_UNIT=$tmp/unit tests/run.sh --list | sed 's|.*/||' | sort >"$tmp/run"
  {
    find tests -name '*.bats' ! -path 'tests/golden/*'
    find tests -name '*_test.c' | sed 's/\.c$//'
  } | sed 's|.*/||' | sort | diff - "$tmp/run"
  # What is no test of its own is a program that a test runs.
  for f in tests/unit/*.c; do
    f=$(basename "$f" .c)
    [[ $f == *_test ]] || grep -qw --exclude=house.bats -- "$f" tests/*.bats tests/oracle/* ||
      echo "  tests/unit/$f.c"
  done | none "no test runs these:"
}

# own_text GREP-OPTION...: of the project's files: no build, nothing fetched, no golden ones.
own_text() {
  find . \( -path ./.git -o -path ./build -o -path ./model -o -path ./data -o -path ./tests/golden \
    -o -name __pycache__ \) -prune -o -type f -print0 | xargs -0 grep -In "$@"
}

@test "the text speaks of the project alone" {
  own_text -iw -e 's[e]ssions\?' | none "a word that is none of the project's:"
  own_text -e '/[w]ork/' | none "a path of one machine:"
  own_text -e '/[t]mp/' | grep -v '^\./tests/' | none "a path of one machine:"
  own_text -w -e 'TOD[O]' -e 'FIXM[E]' -e 'XX[X]' | none "left to do:"
}

@test "CONTRIBUTING.md names what is there" {
  local f
  grep -oE '\<(bin|common|kernels|tests|mk|man|examples)/[A-Za-z0-9_./*-]*[A-Za-z0-9_*]' CONTRIBUTING.md |
    grep -v NAME | sort -u | while read -r f; do
    # shellcheck disable=SC2086 # a pattern
    compgen -G "$f" >/dev/null || compgen -G "$f.*" >/dev/null || echo "  $f"
  done | none "these are not there:"
  grep -v '#include <' CONTRIBUTING.md | grep -oE '\<[A-Za-z0-9_-]+\.(c|h|cu|py|sh|bats|mk)\>' | grep -v NAME | sort -u |
    while read -r f; do
      [ -n "$(find . -path ./build -prune -o -name "$f" -print -quit)" ] || echo "  $f"
    done | none "these are not there:"
}

@test "SECURITY.md names limits that there are" {
  local name
  grep -oE '`[A-Z_]+`' SECURITY.md | tr -d '`' >"$tmp/limits"
  [ -s "$tmp/limits" ]
  while read -r name; do
    grep -q "\\<$name = " "$code" || echo "  $name"
  done <"$tmp/limits" | none "these are not there:"
}

# In a tree of its own, where a step is what its target says.
@test ".ci/run: what failed stands before the last line, of every step" {
  mkdir -p "$tmp/tree/.ci"
  cp .ci/run "$tmp/tree/.ci"
  cd "$tmp/tree" || return 1
  printf '#!/bin/sh\n' >deps
  chmod +x deps
  cat >Makefile <<'END'
model tweets unit:
check:
	@echo 'ok 1 good'; echo 'not ok 2 bad'
	@for i in 1 2 3 4 5 6 7 8 9; do echo "# line $$i"; done
	@echo 'not ok 3 worse'; echo '# said'; echo 'far'; echo '# more'; echo '7 passed, 2 failed'
	@exit 1
all:
	@for i in 1 2 3 4 5 6 7 8 9; do echo "compiled $$i"; done; echo 'file.c:1: error'; exit 1
END
  unset MAKEFLAGS MAKELEVEL MFLAGS # this may be a make's doing, and those would say so
  run .ci/run tests clang
  [ "$status" -eq 1 ]
  diff - <(sed '1,/^== clang: /d' <<<"$output" | grep -v -e '^# make' -e '^# compiled') <<'END'
== tests failed:
not ok 2 bad
# line 1
# line 2
# line 3
# line 4
# line 5
# line 6
# line 7
# line 8
not ok 3 worse
# said
== clang failed:
not ok clang
# file.c:1: error
7 passed, 3 failed
END
  echo 'all unit:' >Makefile
  run .ci/run clang
  [ "${lines[-1]}" = '1 passed, 0 failed' ]
  [[ $output != *'failed:'* ]]
}

@test "make tag: the Makefile's version, once all is committed and CHANGELOG.md has it" {
  command -v git || skip "no git"
  local version
  version=$(sed -n 's/^VERSION = //p' Makefile)
  mkdir "$tmp/tree"
  cp --parents Makefile CHANGELOG.md bin/programs.h "$tmp/tree"
  cd "$tmp/tree" || return 1
  export HOME=$PWD GIT_CONFIG_NOSYSTEM=1
  export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t
  git init -q
  git add .
  fails_with 2 "something is not committed" make tag
  git commit -q -m all
  touch new
  fails_with 2 "something is not committed" make tag
  rm new
  make tag
  [ "$(git cat-file -t "v$version")" = tag ]
  fails_with 2 "already exists" make tag
  git tag -d "v$version"
  sed -i "/^## \\[$version/d" CHANGELOG.md
  git commit -q -a -m less
  fails_with 2 "CHANGELOG.md has no heading '## [$version] - DATE'" make tag
  [ -z "$(git tag)" ]
}
