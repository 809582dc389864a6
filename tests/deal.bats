# deal: a stream to several files, in exact shares.
load helper

mkstream() {
  "${WEFT_UNIT:-$TOP/build/tests}/mkstream"
}

# labelled N: N rows t1 t2 ..., six of ten "neg", three "neu", one "pos".
labelled() {
  awk -v n="$1" 'BEGIN { split("neg neg neu neg neg pos neu neg neu neg", l)
    for (i = 1; i <= n; i++) print "ids " i " | label " l[i % 10 + 1] " | text t" i }'
}

rows_of() {
  show --digest "$1" | sed -n 's/^rows //p'
}

texts_of() {
  show -r "$1" | sed 's/.*"text": "\([^"]*\)".*/\1/'
}

labels_of() {
  show -r "$1" | sed 's/.*"label": "\([^"]*\)".*/\1/' | sort | uniq -c | awk '{ print $2 $1 }' |
    tr '\n' ' '
}

@test "shares are exact, by largest remainder" {
  labelled 14640 | mkstream | deal 80:a.weft 10:b.weft 10:c.weft
  [ "$(rows_of a.weft) $(rows_of b.weft) $(rows_of c.weft)" = "11712 1464 1464" ]
  labelled 10 | mkstream | deal 1:a.weft 1:b.weft 1:c.weft
  [ "$(rows_of a.weft) $(rows_of b.weft) $(rows_of c.weft)" = "4 3 3" ]
  labelled 10 | mkstream | deal 0.85:a.weft 0.15:b.weft
  [ "$(rows_of a.weft) $(rows_of b.weft)" = "9 1" ]
}

@test "each row once, in the input's order, with all that it had" {
  labelled 500 | mkstream >all.weft
  deal 2:a.weft 1:b.weft <all.weft
  show -r all.weft | sort >want
  show -r a.weft b.weft | sort | diff want -
  texts_of a.weft | tr -d t | sort -n -c
  run ! diff -q <(texts_of all.weft | sed 334q) <(texts_of a.weft)
  [ "$(show a.weft | grep -c '^token.id')" -eq 1 ]
}

@test "the seed decides; frames do not" {
  labelled 300 >rows
  mkstream <rows >one.weft
  awk '{ print } NR % 7 == 0 { print "frame" }' rows | mkstream >many.weft
  deal 1:a.weft 1:- <one.weft
  deal 1:b.weft 1:- <many.weft
  deal -s 42 1:c.weft 1:- <one.weft
  deal -s 43 1:d.weft 1:- <one.weft
  show --digest a.weft >want
  show --digest b.weft | diff want -
  show --digest c.weft | diff want -
  run ! diff -q want <(show --digest d.weft)
}

# Row i of 10 goes to the part that its place in the shuffled order says; this order is what
# weft-deal(1) describes, worked out apart from the program.
@test "the order is the one that the manual describes" {
  labelled 10 | mkstream | deal 1:a.weft 1:b.weft
  [ "$(texts_of a.weft | tr '\n' ' ')" = "$(cat "$(golden deal/ten-half-seed42.txt)")" ]
}

@test "-n: exactly so many rows" {
  labelled 100 | mkstream >all.weft
  deal -n 7:a.weft -n 3:b.weft 1:c.weft 1:- <all.weft
  [ "$(rows_of a.weft) $(rows_of b.weft) $(rows_of c.weft)" = "7 3 45" ]
  deal -n 100:a.weft 1:b.weft <all.weft
  [ "$(rows_of a.weft) $(rows_of b.weft)" = "100 0" ]
  fails_with 1 "stdin: 101 asked for, but there are only 100" deal -n 101:x.weft 1:- <all.weft
  [ ! -e x.weft ]
}

@test "--by label: the shares hold within each label, and over all" {
  labelled 200 | mkstream | deal --by label 80:a.weft 10:b.weft 10:c.weft
  [ "$(labels_of a.weft)" = "neg96 neu48 pos16 " ]
  [ "$(labels_of b.weft)" = "neg12 neu6 pos2 " ]
  [ "$(labels_of c.weft)" = "neg12 neu6 pos2 " ]
  # 33 neg, 16 neu, 6 pos at 44, 6, 5 in all: quotas 26.4 3.6 3, 12.8 1.7 1.5, 4.8 .7 .5. The
  # four largest remainders leave neg nothing in its second part: another gives way.
  labelled 55 | mkstream | deal --by label 80:a.weft 10:b.weft 10:c.weft
  [ "$(rows_of a.weft) $(rows_of b.weft) $(rows_of c.weft)" = "44 6 5" ]
  [ "$(show -r a.weft b.weft c.weft | grep -c '"label": "neg"')" -eq 33 ]
  [ "$(labels_of a.weft)" = "neg26 neu13 pos5 " ]
}

@test "--by label: rows without one are a kind of their own; no labels at all is an error" {
  { labelled 20; for i in 1 2 3 4; do echo "ids 1 | text u$i"; done; } | mkstream |
    deal --by label 1:a.weft 1:b.weft
  [ "$(show -r a.weft | grep -c '"label": null')" -eq 2 ]
  [ "$(show -r b.weft | grep -c '"label": null')" -eq 2 ]
  printf 'ids 1\n' | mkstream >s.weft
  fails_with 1 "no label" deal --by label 1:a.weft 1:- <s.weft
}

@test "rows of one record stay together" {
  for i in $(seq 40); do for w in 1 2 3; do echo "ids $w | source $i | text r$i"; done; done |
    mkstream | deal 3:a.weft 1:b.weft
  [ "$(rows_of a.weft) $(rows_of b.weft)" = "90 30" ]
  [ "$(texts_of a.weft | uniq -c | awk '$1 != 3' | wc -l)" -eq 0 ]
  [ "$(texts_of a.weft b.weft | sort -u | wc -l)" -eq 30 ]
}

@test "--group: rows that are equal there stay on one side, and the shares are as exact as that lets" {
  local by
  # 40 texts three times, 20 once: 140 rows. A group has 3 rows at most, and single ones fill up.
  for i in $(seq 40) $(seq 40) $(seq 60); do
    echo "ids 1 | text r$i | label l$((i % 2)) | keep.who w$((i % 10))"
  done | mkstream >all.weft
  for by in "" "--by label"; do
    # shellcheck disable=SC2086
    deal $by --group text 80:a.weft 10:b.weft 10:c.weft <all.weft
    [ "$(rows_of a.weft) $(rows_of b.weft) $(rows_of c.weft)" = "112 14 14" ]
    [ -z "$(for f in a b c; do texts_of $f.weft | sort -u; done | sort | uniq -d)" ]
  done
  [ "$(labels_of a.weft)" = "l056 l156 " ]
  deal --group who 1:a.weft 1:b.weft <all.weft
  [ "$(rows_of a.weft) $(rows_of b.weft)" = "70 70" ]
  whose() { show -r "$@" | grep -o '"who": "[^"]*"' | sort -u; }
  [ "$(whose a.weft b.weft | wc -l)" = 10 ] && [ -z "$(cat <(whose a.weft) <(whose b.weft) | sort | uniq -d)" ]
  deal --group text -n 9:a.weft 1:- <all.weft
  [ "$(rows_of a.weft)" = 9 ]
  deal -s 7 --group text 1:c.weft 1:- <all.weft
  deal --group text 1:a.weft 1:- <all.weft
  deal --group text 1:b.weft 1:- <all.weft
  cmp a.weft b.weft
  run ! cmp -s a.weft c.weft
  fails_with 1 "the groups do not add up" deal --group who -n 5:a.weft 1:- <all.weft
  fails_with 1 "no such column: carry it along with \`tok -k\`" deal --group when 1:a.weft <all.weft
  fails_with 2 "--first keeps the order" deal --first --group text 1:a.weft <all.weft
}

@test "--group: rows that have nothing there are each alone" {
  for i in $(seq 30); do echo "ids 1 | text t$i | keep.who"; done | mkstream |
    deal --group who 2:a.weft 1:b.weft
  [ "$(rows_of a.weft) $(rows_of b.weft)" = "20 10" ]
}

@test "--first: in the order they came" {
  labelled 100 | mkstream >all.weft
  deal --first -n 3:a.weft 1:b.weft 1:- <all.weft
  [ "$(texts_of a.weft | tr '\n' ' ')" = "t1 t2 t3 " ]
  [ "$(texts_of b.weft | sed -n '1p;$p' | tr '\n' ' ')" = "t4 t52 " ]
  deal --first --by label 1:a.weft 1:- <all.weft
  [ "$(labels_of a.weft)" = "neg30 neu15 pos5 " ]
  [ "$(show -r a.weft | grep '"label": "pos"' | sed -n '$s/.*"text": "\([^"]*\)".*/\1/p')" = t45 ]
}

@test "the same rows make the same bytes, however they came" {
  labelled 3000 >rows
  mkstream <rows >one.weft
  awk '{ print } NR % 7 == 0 { print "frame" }' rows | mkstream >many.weft
  deal 2:a.weft 1:b.weft <one.weft
  deal 2:c.weft 1:d.weft <many.weft
  cmp a.weft c.weft
  cmp b.weft d.weft
  [ "$(show a.weft | sed -n 's/^frames *//p')" = 2 ]
  # A stream that is cut into two by an end is another.
  cat one.weft one.weft | deal 1:a.weft
  [ "$(show a.weft | sed -n 's/^streams *//p') $(rows_of a.weft)" = "2 6000" ]
}

@test "an end parts two records of the same number" {
  printf 'ids 1 | source 0 | text a\n' | mkstream >a1.weft
  cat a1.weft a1.weft a1.weft a1.weft | deal 3:a.weft 1:b.weft
  [ "$(rows_of a.weft) $(rows_of b.weft)" = "3 1" ]
  # The ends are passed on, so that dealing again finds four records, too.
  [ "$(show b.weft a.weft | sed -n 's/^streams *//p')" = 8 ]
}

@test "an empty stream gives empty streams" {
  printf 'end\n' | mkstream | deal 1:a.weft 1:b.weft
  [ "$(rows_of a.weft) $(rows_of b.weft)" = "0 0" ]
}

@test "without the end nothing is written, and what was there stays" {
  labelled 2000 | mkstream >all.weft
  echo old >a.weft
  fails_with 1 "ends early" bash -c 'head -c 20000 all.weft | deal 1:a.weft 1:b.weft'
  [ "$(cat a.weft)" = old ]
  [ ! -e b.weft ]
  run --separate-stderr bash -c 'printf "ids 1\nfail\n" | "$1" | deal 1:a.weft' x \
    "${WEFT_UNIT:-$TOP/build/tests}/mkstream"
  [ "$status" -eq 1 ]
  [ -z "$stderr" ]
  [ "$(cat a.weft)" = old ]
  [ "$(files)" = $'a.weft\nall.weft' ]
}

@test "a part that cannot be written" {
  labelled 5 | mkstream >all.weft
  fails_with 1 "none/a.weft" deal 1:none/a.weft <all.weft
  fails_with 1 "/dev/full: cannot write: No space" deal 1:/dev/full <all.weft
  [ "$(files)" = all.weft ]
}

# are_old, are_new: both parts, as they were before or are behind.
are_old() { cmp -s a.weft old.a && cmp -s b.weft old.b; }
are_new() { cmp -s a.weft new.a && cmp -s b.weft new.b; }

# two_deals: all.weft, what the first deal makes of it (old.*) and what the second does (new.*).
two_deals() {
  labelled 40 | mkstream >all.weft
  deal -s 1 1:old.a 1:old.b <all.weft
  deal -s 2 1:new.a 1:new.b <all.weft
}

@test "killed at whatever point: never a part of one deal beside one of another" {
  need_failing
  local k n missing=0 seen=""
  two_deals
  cp old.a a.weft; cp old.b b.weft
  n=$(calls kill deal -s 2 1:a.weft 1:b.weft <all.weft)
  [ "$n" -gt 20 ]
  for k in $(seq "$n"); do
    cp old.a a.weft; cp old.b b.weft
    run -137 failing "kill:$k" deal -s 2 1:a.weft 1:b.weft <all.weft
    if are_old; then
      seen+=o
    elif are_new; then
      seen+=n
    else
      [ ! -e a.weft ] || [ ! -e b.weft ] || { echo "killed at $k: a mix" >&2; false; }
      # What is there is of one deal, and what was there before lies beside it.
      ! { cmp -s a.weft old.a || cmp -s b.weft old.b; } || ! { cmp -s a.weft new.a || cmp -s b.weft new.b; }
      [ -e a.weft ] || cmp old.a .a.weft.*.old
      missing=$((missing + 1))
    fi
    deal -s 2 1:a.weft 1:b.weft <all.weft # nothing that is left is in its way
    are_new
    rm -f .[ab].weft.*
  done
  [ "$missing" -gt 0 ] && [[ "$seen" =~ ^o+n+$ ]]
}

@test "a call that fails: the old parts stand, or the new ones" {
  need_failing
  local k n kind
  two_deals
  for kind in file write memory; do
    cp old.a a.weft; cp old.b b.weft
    n=$(calls $kind deal -s 2 1:a.weft 1:b.weft <all.weft)
    for k in $(seq 1 $((n / 40 + 1)) "$n"); do
      cp old.a a.weft; cp old.b b.weft
      run --separate-stderr failing "$kind:$k" deal -s 2 1:a.weft 1:b.weft <all.weft
      [ "$status" -eq 1 ] && [ -n "$stderr" ] || { [ "$status" -eq 0 ] && are_new; }
      are_old || are_new
      [ -z "$(find . -name '.[ab].weft.*')" ]
    done
  done
}

@test "two names of one file are no two parts" {
  labelled 5 | mkstream >all.weft
  mkdir d
  ln -s d e
  ln -s d/a f
  fails_with 1 "d/a and e/a are one file" deal 1:d/a 1:e/a <all.weft
  fails_with 1 "one file" deal 1:f 1:b 1:d/a <all.weft
  fails_with 1 "one file" deal 1:./x 1:x <all.weft
  [ "$(find . -type f | grep -v separate-stderr)" = ./all.weft ]
  deal 1:d/x 1:x 1:/dev/null <all.weft
}

@test "what is no share" {
  fails_with 2 "which files" deal
  fails_with 2 "'x' is not PART:FILE" deal x
  fails_with 2 "'80:' is not PART:FILE" deal 80:
  fails_with 2 "'eighty' is not a number" deal eighty:a
  fails_with 2 "out of range" deal -- -1:a
  fails_with 2 "two parts go to a" deal 1:a 2:a
  fails_with 2 "no part takes the rest" deal -n 5:a
  fails_with 2 "'x' is not one of label" deal --by x 1:a
}
