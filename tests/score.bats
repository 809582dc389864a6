# score: logits to labels, or to metrics.
load helper

mkstream() {
  "${WEFT_UNIT:-$TOP/build/tests}/mkstream"
}

# Three rows in two frames; softmax by hand: e^0.5, e^1.5, e^-1 are 1.648721, 4.481689, 0.367879.
sample() {
  cat <<'END'
meta task class
meta classes ["neg","neu","pos"]
logit 0.5 1.5 -1 | label pos | text good | keep.id a7
logit 2 1.5 -1 | label neg | text say "hi", ok | keep.id b
frame
logit 2 1.5 9 | label pos | text line\ | keep.id c,d
END
}

@test "one line a row: label and score" {
  sample | mkstream >s.weft
  run score s.weft
  [ "$status" -eq 0 ]
  [ "$output" = $'neu\t0.689672\nneg\t0.603749\npos\t0.998537' ]
  [ "$(score <s.weft)" = "$output" ]
}

@test "-k: answers by score, the row's number first; more than there are classes is all" {
  sample | mkstream >s.weft
  run score -k 2 s.weft
  [ "${lines[0]}" = $'1\tneu\t0.689672' ]
  [ "${lines[1]}" = $'1\tneg\t0.253716' ]
  [ "${lines[5]}" = $'3\tneg\t0.000911' ]
  [ "$(score -k 9 s.weft | wc -l)" -eq 9 ]
  [ "$(score -k 1 s.weft | head -n 1)" = $'1\tneu\t0.689672' ]
}

@test "-k 0: all classes in class order" {
  sample | mkstream | score -k 0 >out
  [ "$(cut -f 2 out | tr '\n' ' ')" = "neg neu pos neg neu pos neg neu pos " ]
  [ "$(cut -f 1 out | uniq -c | tr -s ' \n' ' ')" = " 3 1 3 2 3 3 " ]
}

@test "row numbers go on over files" {
  sample | mkstream >s.weft
  [ "$(score -k 1 s.weft s.weft | tail -n 1)" = $'6\tpos\t0.998537' ]
  [ "$(cat s.weft s.weft | score -k 1)" = "$(score -k 1 s.weft s.weft)" ]
}

@test "equal logits: the first class" {
  printf 'meta classes ["a","b"]\nlogit 1 1\n' | mkstream >s.weft
  [ "$(score s.weft)" = $'a\t0.500000' ]
}

@test "--json: what the pipeline returns, a line a row" {
  sample | mkstream | score --json >out
  [ "$(sed -n 1p out)" = '[{"label": "neu", "score": 0.689672112}]' ]
  sample | mkstream | score --json -k 2 >out
  [[ "$(sed -n 1p out)" == '[{"label": "neu", "score": '*'}, {"label": "neg", "score": '*'}]' ]]
}

@test "--csv: quotes where needed, kept columns, margin" {
  sample | mkstream | score --csv >out
  cat >want <<'END'
row,id,text,gold,label,score,margin
1,a7,good,pos,neu,0.689672,0.435956
2,b,"say ""hi"", ok",neg,neg,0.603749,0.237557
3,"c,d",line\,pos,pos,0.998537,0.997627
END
  diff want out
}

@test "--csv: a kept column that is called as one of ours makes way" {
  printf 'meta classes ["a","b"]\nlogit 1 0 | keep.label x | keep.text y | keep.label#2 z | keep.who w | label b | text t\n' |
    mkstream >s.weft
  score --csv s.weft >got
  [ "$(sed -n 1p got)" = 'row,label#2,text#2,label#2#2,who,text,gold,label,score,margin' ]
  [ "$(sed -n 2p got)" = '1,x,y,z,w,t,b,a,0.731059,0.462117' ]
}

@test "--csv: no rows have a header" {
  [ "$(printf 'end\n' | mkstream | score --csv)" = 'row,text,gold,label,score,margin' ]
  [ -z "$(printf 'end\n' | mkstream | score)" ]
}

@test "-k 0 --wide: a line a row, a column a class" {
  printf 'meta classes ["a","b, c"]\nlogit 1 0 | label a | text t\nlogit 0 2 | label a | text u\n' |
    mkstream >s.weft
  score -k 0 --wide --csv s.weft >got
  [ "$(sed -n 1p got)" = 'row,text,gold,a,"b, c",margin' ]
  [ "$(sed -n 2p got)" = '1,t,a,0.731059,0.268941,0.462117' ]
  [ "$(score -k 0 --wide s.weft | sed -n 2p)" = $'2\t0.119203\t0.880797' ]
  [ "$(score -k 0 --wide --multi s.weft | sed -n 1p)" = $'1\t0.731059\t0.500000' ]
  printf 'meta classes ["a","c"]\nlogit 1 0\n' | mkstream >other.weft
  fails_with 1 "the classes change from (a, b, c) to (a, c)" score -k 0 --wide s.weft other.weft
  fails_with 2 "--wide is the form of all classes" score --wide s.weft
  fails_with 2 "--wide is the form of all classes" score -k 0 --wide --json s.weft
  printf 'meta task next\nlogit 1 0\n' | mkstream >next.weft
  fails_with 1 "--wide says nothing of the task 'next'" score -k 0 --wide next.weft
}

@test "--skip-unlabelled: rows without a label are left out of the metrics, and counted" {
  printf 'meta classes ["a","b"]\nlogit 1 0 | label a\nlogit 1 0 | label \nlogit 1 0 | label b\n' |
    mkstream >s.weft
  run --separate-stderr score -e --skip-unlabelled s.weft
  [ "$status" -eq 0 ] && [ "$stderr" = "score: 1 row without a label left out" ]
  [ "${lines[0]}" = $'rows\t2' ] && [ "${lines[2]}" = $'accuracy\t0.500000' ]
  printf 'meta classes ["a","b"]\nlogit 1 0\n' | mkstream >none.weft
  fails_with 1 "no row has a label: name its column" score -e --skip-unlabelled none.weft
  fails_with 2 "--skip-unlabelled is about --eval" score --skip-unlabelled s.weft
  printf 'meta task span\nlogit 1 0\n' | mkstream >span.weft
  fails_with 1 "--skip-unlabelled says nothing of the task 'span'" score -e --skip-unlabelled span.weft
}

@test "--csv: the second text has a column where there is one" {
  printf 'meta classes ["a","b"]\nlogit 1 0 | text x | pair y\n' | mkstream | score --csv >out
  [ "$(sed -n 1p out)" = row,text,pair,gold,label,score,margin ]
  [ "$(sed -n 2p out)" = 1,x,y,,a,0.731059,0.462117 ]
}

@test "tab, newline and backslash in a label are escaped" {
  cat >in <<'END'
meta classes ["a\tb\nc\\d","e"]
logit 1 0
END
  [ "$(mkstream <in | score)" = 'a\tb\nc\\d'$'\t0.731059' ]
}

@test "one logit: its sigmoid; no class names: LABEL_0" {
  printf 'logit 0\n' | mkstream >s.weft
  [ "$(score s.weft)" = $'LABEL_0\t0.500000' ]
}

@test "multi_label and --multi: each class by itself" {
  printf 'meta classes ["a","b"]\nlogit 0 2\n' | mkstream >s.weft
  [ "$(score --multi -k 0 s.weft)" = $'1\ta\t0.500000\n1\tb\t0.880797' ]
  printf 'meta classes ["a","b"]\nmeta problem multi_label_classification\nlogit 0 2\n' | mkstream >m.weft
  [ "$(score -k 0 m.weft)" = "$(score --multi -k 0 s.weft)" ]
}

@test "regression: the value itself" {
  printf 'meta problem regression\nlogit -3.25\n' | mkstream >s.weft
  [ "$(score s.weft)" = $'LABEL_0\t-3.250000' ]
}

@test "small scores keep their digits" {
  printf 'meta classes ["a","b","c"]\nlogit 0 -22 -9 | label a\n' | mkstream >s.weft
  # exp(-22), exp(-9), over 1 + both
  [ "$(score -k 0 s.weft)" = $'1\ta\t0.999877\n1\tb\t2.78912e-10\n1\tc\t0.000123' ]
  [ "$(score --csv -k 0 s.weft | cut -d , -f 5 | sed -n 3p)" = 2.78912e-10 ]
  printf 'meta classes ["a","b"]\nlogit 0 -22 | label a\n' | mkstream | score --eval >out
  grep -qx $'loss\t2.78947e-10' out
  grep -qx $'accuracy\t1.000000' out
}

@test "a logit so large that exp overflows" {
  printf 'meta classes ["a","b"]\nlogit 1000 -1000\n' | mkstream >s.weft
  [ "$(score -k 0 s.weft)" = $'1\ta\t1.000000\n1\tb\t0.000000' ]
}

# gold pos neg pos, answers neu neg pos: precision 1 0 1, recall 1 0 1/2.
@test "--eval: metrics counted by hand" {
  sample | mkstream | score --eval >out
  cat >want <<'END'
rows	3
loss	1.125867
accuracy	0.666667
macro_f1	0.555556
micro_f1	0.666667
weighted_f1	0.777778

label	precision	recall	f1	support
neg	1.000000	1.000000	1.000000	1
neu	0.000000	0.000000	0.000000	0
pos	1.000000	0.500000	0.666667	2

gold	neg	neu	pos
neg	1	0	0
neu	0	0	0
pos	0	1	1
END
  diff want out
}

@test "--eval: a row of weight 2 counts as two rows" {
  { sample | sed 's/ | keep/ | weight 2 | keep/;s/frame//'; } | mkstream | score -e >twice
  { sample; } | mkstream >s.weft
  score -e s.weft >once
  [ "$(sed -n 2,6p once)" = "$(sed -n 2,6p twice)" ]
  grep -q '^pos.*	4$' twice
}

@test "--eval: a class that occurs nowhere takes no part in macro_f1" {
  printf 'meta classes ["a","b","c"]\nlogit 1 0 0 | label a\nlogit 0 1 0 | label b\n' |
    mkstream | score -e >out
  grep -qx 'macro_f1	1.000000' out
}

# numbers FILE: the numbers of a JSON file in their order, rounded as both sides can hold them.
numbers() {
  grep -oE '[-0-9.]+(e-?[0-9]+)?' "$1" | awk '{ printf "%.6f\n", $1 }'
}

@test "--eval --json: scikit-learn's numbers" {
  local name
  for name in class weighted; do
    score --eval --json "$(golden score/$name.safetensors)" >out
    [ "$(numbers out)" = "$(numbers "$(golden score/$name.eval.json)")" ]
    [ "$(grep -o '"[a-z_0-9]*":' out | tr -d ' ')" = \
      "$(grep -o '"[a-z_0-9]*":' "$(golden score/$name.eval.json)")" ]
  done
}

@test "scores are transformers'" {
  score -k 4 "$(golden score/class.safetensors)" | awk '{ printf "%s %s %.5f\n", $1, $2, $3 }' >got
  awk '{ printf "%s %s %.5f\n", $1, $2, $3 }' "$(golden score/class.scores.tsv)" >want
  [ "$(wc -l <want)" -gt 100 ]
  # Rounding at the sixth digit may fall either way in the fifth.
  paste -d ' ' got want | awk '$1 != $4 || $2 != $5 || ($3 - $6) ^ 2 > 4e-10 { exit 1 }'
}

@test "--eval: a row without a label, and one that the model does not know" {
  sample | sed 's/label neg/label /' | mkstream >s.weft
  fails_with 1 "s.weft: row 2: no label to measure against: name its column with \`tok -l\`, or leave such rows out with --skip-unlabelled" score -e s.weft
  sample | sed 's/label neg/label bad/' | mkstream >s.weft
  fails_with 1 "row 2: label 'bad' is not a class of the model (neg, neu, pos)" score -e s.weft
  [ -z "$output" ]
}

@test "--eval: nothing to measure, or nothing that is a choice" {
  printf 'end\n' | mkstream >s.weft
  fails_with 1 "no rows" score -e s.weft
  printf 'logit 1 | label LABEL_0\n' | mkstream >s.weft
  fails_with 1 "choice of one class" score -e s.weft
}

@test "--eval: classes that change midway" {
  printf 'meta classes ["a","b"]\nlogit 1 0 | label a\n' | mkstream >a.weft
  printf 'meta classes ["b","a"]\nlogit 1 0 | label a\n' | mkstream >b.weft
  fails_with 1 "b.weft: the classes change from (a, b) to (b, a)" score -e a.weft b.weft
  [ "$(score a.weft b.weft | cut -f 1 | tr '\n' ' ')" = "a b " ]
}

@test "NaN: the rows before are answered, then the row is named" {
  sample | sed 's/logit 2 1.5 9/logit nan 1 2/' | mkstream >s.weft
  fails_with 1 "s.weft: row 3: the model produced NaN" score s.weft
  [ "$output" = $'neu\t0.689672\nneg\t0.603749' ]
}

@test "a stream that is cut: what came is answered, then it is told" {
  sample | mkstream >s.weft
  local size
  size=$(wc -c <s.weft)
  head -c $((size - 5)) s.weft >cut.weft
  fails_with 1 "cut.weft: stream ends early after 2 rows" score cut.weft
  [ "$output" = $'neu\t0.689672\nneg\t0.603749' ]
  fails_with 1 "ends early" score --eval cut.weft
  [ -z "$output" ]
}

@test "the program before failed: exit 1 without a word" {
  printf 'logit 1 2\nfail\n' | mkstream >s.weft
  run --separate-stderr bash -c 'cat s.weft | score'
  [ "$status" -eq 1 ]
  [ -z "$stderr" ]
  [ "$output" = $'LABEL_1\t0.731059' ]
}

@test "a stream without logits, or of another task" {
  printf 'text a\n' | mkstream >s.weft
  fails_with 1 "row.logit" score s.weft
  sample | sed 's/task class/task mask/' | mkstream >s.weft
  fails_with 1 "pick.token" score s.weft
  sample | sed 's/task class/task magic/' | mkstream >s.weft
  fails_with 1 "unknown task 'magic': score knows class, mask" score s.weft
}

@test "names that do not fit the logits" {
  printf 'meta classes ["a"]\nlogit 1 2\n' | mkstream >s.weft
  fails_with 1 "1 classes are named for 2 logits" score s.weft
  printf 'meta classes ["a","a"]\nlogit 1 2\n' | mkstream >s.weft
  fails_with 1 "two classes are called 'a'" score s.weft
  printf 'meta classes [1,2]\nlogit 1 2\n' | mkstream >s.weft
  fails_with 1 "no string" score s.weft
}

@test "an empty stream has no answers; no stream is an error" {
  printf 'end\n' | mkstream >s.weft
  run score s.weft
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  fails_with 1 "stdin: empty" score </dev/null
}

@test "a full disk, and a reader that has gone" {
  sample | mkstream >s.weft
  fails_with 1 "standard output: No space" bash -c 'score s.weft >/dev/full'
  bash -c 'trap "" PIPE; exec score s.weft' 2>err | true
  [ ! -s err ]
}

@test "each answer comes when its row has come" {
  mkfifo in
  score -k 1 <in >out &
  local pid=$! to
  exec {to}>in
  # The first frame alone: an end follows it that is held back.
  printf 'meta classes ["a","b"]\nlogit 1 0\nframe\nlogit 0 1\n' | mkstream >all.weft
  local n
  n=$(($(od -An -tu8 -N8 all.weft) + 8 + 8)) # the header, and two logits
  head -c "$n" all.weft >&"$to"
  for _ in $(seq 100); do [ -s out ] && break; sleep 0.02; done
  [ "$(cat out)" = $'1\ta\t0.731059' ]
  tail -c +$((n + 1)) all.weft >&"$to"
  exec {to}>&-
  wait "$pid"
  [ "$(wc -l <out)" -eq 2 ]
}

@test "what does not go together" {
  fails_with 2 "--csv goes with neither" score --csv --json
  fails_with 2 "--csv goes with neither" score --csv -e
  fails_with 2 "--eval measures" score -e -k 2
  fails_with 2 "--eval measures" score -e --multi
  fails_with 2 "without --aggregate" score -e --aggregate simple
  fails_with 2 "none, simple, first, average" score --aggregate all
  fails_with 2 "--max-answer" score --max-answer 0
}

@test "options of other tasks are refused" {
  sample | mkstream >s.weft
  fails_with 1 "s.weft: --aggregate says nothing of the task 'class'" score --aggregate max s.weft
  fails_with 1 "--targets says nothing of the task 'class'" score --targets a,b s.weft
  fails_with 1 "--max-answer says nothing" score --max-answer 3 s.weft
  fails_with 1 "--impossible says nothing" score --impossible s.weft
}

# U+001B, carriage return, BEL, DEL, U+009B in its two bytes, one that is no UTF-8, an e with an accent
NASTY=$'a\e[31m\rb\ac\x7fd\xc2\x9be\xfff\xc3\xa9'
SHOWN='a\x1b[31m\x0db\x07c\x7fd\xc2\x9be\xfff'$'\xc3\xa9'
@test "control characters reach no terminal: TSV has them as codes" {
  printf '%s\n' 'meta classes ["p\tq\u001b[2J\u009b\u007f","ok"]' 'logit 2 1' | mkstream >s.weft
  [ "$(score s.weft)" = 'p\tq\x1b[2J\xc2\x9b\x7f'$'\t0.731059' ]
  [ "$(score --json s.weft)" = '[{"label": "p\tq\u001b[2J\u009b\u007f", "score": 0.731058598}]' ]
  printf 'meta classes ["n","p"]\nlogit 1 2 | label %s\n' "$NASTY" | mkstream >s.weft
  run --separate-stderr score --eval s.weft
  [[ "$stderr" == *"label '$SHOWN' is not a class"* ]]
}

@test "one place shows messages, whatever they quote" {
  run --separate-stderr score "$NASTY"$'\n'x
  [ "$stderr" = "score: $SHOWN\\nx: cannot open: No such file or directory" ]
  fails_with 2 "unknown option '--\x1b[0m'" score --$'\e[0m'
}

@test "--eval: weights that count nothing, and classes that nobody counts" {
  for weight in nan inf -1; do
    printf 'meta classes ["n","p"]\nlogit 1 2 | label p | weight %s\n' $weight | mkstream >s.weft
    fails_with 1 "s.weft: a row's weight is $weight: weights are finite and not negative" score -e s.weft
    [ "$(score s.weft)" = $'p\t0.731059' ] # answers do not weigh
  done
  { printf 'logit'; printf ' 0%.0s' $(seq 4097); echo ' | label LABEL_1'; } | mkstream >s.weft
  fails_with 1 "4097 classes: up to 4096 are measured" score -e s.weft
}
