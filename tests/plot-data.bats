# plot-data.bats - plot: what it draws of reports and of streams.
load helper
load plot

each_setup() {
  PATH=$WEFT_UNIT:$PATH
  unset COLUMNS NO_COLOR
  # the matrix of two classes, one of which is called as its heading is
  printf 'rows\t6\nloss\t0.5\naccuracy\t0.5\n\nlabel\tprecision\trecall\tf1\tsupport\n' >eval
  printf 'gold\t1\t1\t1\t4\nbad\t1\t1\t1\t2\n\ngold\tgold\tbad\ngold\t3\t1\nbad\t2\t0\n' >>eval
}

# ---- reports ----

@test "--confusion: text and JSON are the same matrix" {
  plot --confusion eval >got
  is got <<'END'
                    Confusion matrix: 6 rows, accuracy 0.500
down: Gold; across: Predicted
gold │  ▓ 3 75.0 %   ░ 1 25.0 %
 bad │  █ 2 100.0 %    0 0.0 %
          gold         bad

Share of the gold label's rows: 0  ░▒▓█ 1
END
  printf '{"rows": 6, "labels": ["gold", "bad"], "confusion": [[3, 1], [2, 0]]}' >eval.json
  plot --confusion <eval.json | cmp - got
  sed 's/,/,\n/g' eval.json | plot --confusion | cmp - got
  LC_ALL=C plot --confusion eval >got
  is got <<'END'
                    Confusion matrix: 6 rows, accuracy 0.500
down: Gold; across: Predicted
gold |  # 3 75.0 %   : 1 25.0 %
 bad |  @ 2 100.0 %    0 0.0 %
          gold         bad

Share of the gold label's rows: 0  .:-=+*#%@ 1
END
  need_gnuplot
  plot --confusion eval -o a.svg
  plot --confusion eval.json -o b.svg
  cmp a.svg b.svg
  texts a.svg >got
  is got <<'END'
gold
bad
gold
bad
Confusion matrix: 6 rows, accuracy 0.500
Predicted
Gold
0
0.2
0.4
0.6
0.8
1
Share of the gold label's rows
3
75.0 %
1
25.0 %
2
100.0 %
0
0.0 %
END
  cells a.svg >got
  is got <<'END'
rgb(96,200,96)
rgb(59,81,138)
rgb(253,231,37)
rgb(68,1,84)
END
}

@test "--confusion: what score says" {
  mkstream >logit <<'END'
meta task class
meta classes ["no","yes"]
logit 2 1 | label no
logit 1 2 | label no
logit 0 2 | label yes
END
  score --eval logit | plot --confusion >got
  score --eval --json logit | plot --confusion | cmp - got
  grep -q '^ no │  ▒ 1 50.0 %   ▒ 1 50.0 %$' got
}

@test "--confusion: what is no matrix is told" {
  fails_with 1 "stdin: empty: did the program before fail?" plot --confusion </dev/null
  fails_with 1 "stdin: no confusion matrix: pipe what \`score --eval\` says" plot --confusion <<<text
  fails_with 1 "row 2 has not 2 counts: is the report cut?" plot --confusion < <(sed '$d' eval)
  fails_with 1 "row 2 is not that of 'bad'" plot --confusion < <(sed '$s/bad/good/' eval)
  fails_with 1 "'x' is not a number" plot --confusion < <(sed '$s/2/x/' eval)
  fails_with 1 "more stands behind" plot --confusion < <(cat eval eval)
  fails_with 1 "no 'labels' and 'confusion'" plot --confusion <<<'{"rows": 3}'
  fails_with 1 "stdin: line 2: " plot --confusion <<<'{"rows": 3'
  fails_with 1 "is no number of rows" plot --confusion \
    <<<'{"labels": ["a", "b"], "confusion": [[1, -2], [0, 1]]}'
  fails_with 1 "not as many rows and columns" plot --confusion \
    <<<'{"labels": ["a", "b"], "confusion": [[1, 2]]}'
  fails_with 2 "one report at a time" plot --confusion eval eval
}

# csv: eight rows whose scores and margins are easy to count.
csv() {
  printf 'row,id,text,gold,label,score,margin\n'
  printf '%s\n' '1,7,"a, ""b""\nc",x,x,0.95,0.9' '2,7,b,x,x,0.95,0.9' '3,7,b,y,x,0.92,0.84' \
    '4,7,b,x,x,0.91,0.82' '5,7,b,x,y,0.65,0.3' '6,7,b,y,y,0.65,0.3' '7,7,b,x,y,0.55,0.1' \
    '8,7,b,x,y,0.5,0'
}

@test "--calibration: shares that are right, by the score" {
  need_gnuplot
  csv >s.csv
  plot --calibration -o p.svg s.csv
  shapes p.svg 0 1 0 1 >got
  is got <<'END'
1 0.6 0.7 0.5
1 0.91 1 0.75
2 0.05 0
2 0.15 0
2 0.25 0
2 0.35 0
2 0.45 0
2 0.55 0.25
2 0.65 0.25
2 0.75 0
2 0.85 0
2 0.95 0.5
END
  texts p.svg | grep -qx 'Calibration: 8 rows, expected error 0.260'
  # all answers of a row, in class order: the best counts
  sed '2s/".*"/a/' s.csv >plain.csv
  awk -F , -v OFS=, '{ print } NR > 1 { $5 = "z"; $6 = 0.04; print }' plain.csv >k.csv
  awk -F , -v OFS=, 'NR == 1 { print; next } { l = $0; $5 = "z"; $6 = 0.04; print; print l }' \
    plain.csv >0.csv
  plot --calibration -o k.svg k.csv
  plot --calibration -o 0.svg 0.csv
  cmp p.svg k.svg
  cmp p.svg 0.svg
}

@test "--margins: right and wrong answers apart" {
  need_gnuplot
  csv >s.csv
  plot --margins -o p.svg s.csv
  shapes p.svg 0 1 0 2 | grep -v ' 0$' >got
  is got <<'END'
1 0.3 0.33 1
1 0.8 0.83 1
1 0.9 0.93 2
2 0.03 0.05 1
2 0.12 0.15 1
2 0.32 0.35 1
2 0.82 0.85 1
END
  texts p.svg | grep -qx 'right: 4'
  texts p.svg | grep -qx 'wrong: 4'
  plot --margins s.csv >got
  cat s.csv | plot --margins | cmp - got
  # JSON knows no gold
  cat >s.json <<'END'
[{"label": "x", "score": 0.95}, {"label": "y", "score": 0.05}]
[{"label": "y", "score": 0.2}, {"label": "x", "score": 0.7}, {"label": "z", "score": 0.1}]
{"sequence": "t", "labels": ["a", "b"], "scores": [0.75, 0.25]}
END
  plot --margins -o p.svg s.json
  shapes p.svg 0 1 0 2 | grep -v ' 0$' >got
  is got <<'END'
1 0.5 0.55 2
1 0.9 0.95 1
END
  plot --margins s.json >got
  plot --margins <s.json | cmp - got
  cat s.json | plot --margins | cmp - got
}

@test "--calibration, --margins: what cannot be counted is told" {
  csv | cut -d , -f 1-6 >s.csv
  fails_with 1 "no column 'margin': there are row, id, text, gold, label, score" plot --margins s.csv
  fails_with 1 "stdin: record 1: a row without a gold label: name its column with \`tok -l\`" \
    plot --calibration <<<$'row,gold,label,score,margin\n1,,x,0.9,0.8'
  fails_with 1 "stdin: record 1: score 3 is not between 0 and 1" plot --calibration \
    <<<$'row,gold,label,score,margin\n1,x,x,3,1\n2,x,x,1,1'
  fails_with 1 "stdin: record 1: column 'margin' is empty" plot --calibration \
    <<<$'row,gold,label,score,margin\n1,x,x,1,'
  fails_with 1 "stdin: JSON has no gold labels: pipe \`score --csv\`" plot --calibration <<<'[]'
  fails_with 1 "stdin: line 1: one answer a row tells no margin: say \`score --json -k 2\`" \
    plot --margins <<<'[{"label": "x", "score": 0.95}]'
  fails_with 1 "no rows: nothing to draw" plot --margins <<<'row,gold,label,score,margin'
  fails_with 1 "line 1: an answer without 'score'" plot --margins <<<'[{"label": "x"}, 3]'
}

# ---- streams ----

@test "--lengths: tokens a row" {
  printf 'ids 1 2 3\nids 1\nframe\nids 1 2 3\nids 1 2\n' | mkstream >s
  COLUMNS=44 plot --lengths s >got
  is got <<'END'
Tokens a row: 4 rows, median 2, mean 2.2, at
Rows
2 ┤                        ⢸⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
  │                        ⢸⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
  │                        ⢸⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
  │                        ⢸⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
  │                        ⢸⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
  │                        ⢸⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
  │                        ⢸⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
  │                        ⢸⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
  │                        ⢸⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
1 ┤     ⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣸⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
  │     ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
  │     ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
  │     ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
  │     ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
  │     ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
  │     ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
  │     ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
  │     ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
  │     ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
0 ┤     ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇
  └┬─────────┬─────────┬────────┬─────────┬
   0         1         2        3         4
                    Tokens
END
  need_gnuplot
  plot --lengths -o p.svg s
  shapes p.svg 0 4 0 2 >got
  is got <<'END'
1 0.55 1.45 1
1 1.55 2.45 1
1 2.55 3.45 2
END
  texts p.svg | grep -qx 'Tokens a row: 4 rows, median 2, mean 2.2, at most 3'
  # many lengths: bars that take in several
  awk 'BEGIN { for (i = 1; i <= 95; i++) { printf "ids"; for (k = 0; k < i; k++) printf " 5"; print "" } }' |
    mkstream | plot --lengths -o p.svg
  texts p.svg | grep -qx 'Tokens, in steps of 5'
  [ "$(shapes p.svg 0 100 0 5 | awk '{ n += $4 } END { print n }')" -eq 95 ]
}

@test "--lengths: what has none is told" {
  fails_with 1 "stdin: rows without tokens (pooled?)" plot --lengths < <(mkstream <<<'vector 1 2')
  fails_with 1 "no rows: nothing to draw" plot --lengths < <(mkstream </dev/null)
}

# looks: a document with the attention of 2 rows, of 2 and 1 tokens, in 2 layers of 2 heads.
looks() {
  header '{"row.tokens":{"dtype":"I64","shape":[3],"data_offsets":[0,24]},"token.attention":{"dtype":"F32","shape":[3,2,2,2],"data_offsets":[24,120]},"token.id":{"dtype":"I32","shape":[3],"data_offsets":[120,132]}}'
  local zero='\0\0\0\0\0\0\0\0' i
  printf '%b' "$zero\\2\\0\\0\\0\\0\\0\\0\\0\\3\\0\\0\\0\\0\\0\\0\\0"
  # 1 0, 0.75 0.25, 0.5 0.5, 0.25 0.75: a token's two layers of two heads; 1 0 for the next ones
  for i in '\0\0\x80\x3f\0\0\0\0' '\0\0\x40\x3f\0\0\x80\x3e' '\0\0\0\x3f\0\0\0\x3f' \
    '\0\0\x80\x3e\0\0\x40\x3f' {1..8}; do
    case $i in [1-8]) i='\0\0\x80\x3f\0\0\0\0' ;; esac
    printf '%b' "$i"
  done
  printf '%b' '\7\0\0\0\11\0\0\0\13\0\0\0'
}

@test "--attention: the heads of a layer in a row" {
  looks >s
  plot --attention s >got
  is got <<'END'
                          Attention in layer 2, row 1
down: From the token; across: To the token

   Head 1
7 │▒▒▒▒
9 │██
   7 9

   Head 2
7 │░░▓▓
9 │██
   7 9

Weight: 0  ░▒▓█ 1
END
  plot --attention -L 1 s >got
  is got <<'END'
                          Attention in layer 1, row 1
down: From the token; across: To the token

   Head 1
7 │██
9 │██
   7 9

   Head 2
7 │▓▓░░
9 │██
   7 9

Weight: 0  ░▒▓█ 1
END
  plot --attention -r 2 s >got
  is got <<'END'
                          Attention in layer 2, row 2
down: From the token; across: To the token

    Head 1
11 │██
    1
    1

    Head 2
11 │██
    1
    1

Weight: 0  ░▒▓█ 1
END
  need_gnuplot
  plot --attention -L 1 -o p.svg s
  cells p.svg >got
  is got <<'END'
rgb(253,231,37)
rgb(68,1,84)
rgb(253,231,37)
rgb(68,1,84)
END
  texts p.svg >got
  is got <<'END'
7
9
7
9
Attention in layer 1, row 1
To the token
From the token
Head 1
0
0.2
0.4
0.6
0.8
1
Weight
7
9
Head 2
END
  plot --attention -o p.png s
  [ "$(size p.png)" = "800 600" ]
}

@test "--attention: tokens are spelt by the stream's model, or -m" {
  echo 'the cat' | tok -m "$(golden models/bert-class)" | encode --attention >s
  LC_ALL=C plot --attention s >got
  grep -q '^\[CLS\] |' got
  grep -q '^  cat |' got
  [ "$(grep -c '^\[SEP\] |' got)" -eq 2 ] # a map for each of two heads
  fails_with 1 "nowhere" plot --attention -m ./nowhere s
}

@test "--attention: what is not there is told" {
  looks >s
  fails_with 2 "-L 3: the stream has layers 1 to 2" plot --attention -L 3 s
  fails_with 1 "no row 3: the stream has 2" plot --attention -r 3 s
  fails_with 1 "stdin: row 1: no token.attention: ask for it with \`encode --attention\`" \
    plot --attention < <(mkstream <<<'ids 1 2')
  fails_with 2 "-L: 0 is out of range" plot --attention -L 0 s
}

@test "--similarity: cosines" {
  printf '%s\n' 'vector 1 0 | text one' 'vector 3 4 | text a text that is longer than its place' \
    'vector -2 0 | text Ünï' 'frame' 'vector 0 0 | text x\ty' | mkstream >s
  plot --similarity s >got
  is got <<'END'
                              Similarity of 4 rows
             one │████  ??
a text that is l │████░░??
             Ünï │  ░░██??
            x\ty │????????
                  o a Ü x
                  n   n \
                  e t ï t
                    e   y
                    x
                    t

                    t
                    h
                    a
                    t

                    i
                    s

                    l

Cosine: -1  ░▒▓█ 1
END
  LC_ALL=C plot --similarity s >got
  is got <<'END'
                              Similarity of 4 rows
             one |@@%%  ??
a text that is l |%%@@::??
             ?n? |  ::@@??
            x\ty |????????
                  o a ? x
                  n   n \
                  e t ? t
                    e   y
                    x
                    t

                    t
                    h
                    a
                    t

                    i
                    s

                    l

Cosine: -1  .:-=+*#%@ 1
END
  need_gnuplot
  plot --similarity -o p.svg s
  [ "$(cells p.svg | sed -n 1p)" = 'rgb(253,231,37)' ] # 1
  [ "$(cells p.svg | sed -n 3p)" = 'rgb(68,1,84)' ]    # -1
  texts p.svg | grep -qx 'a text that is longer t…'
  # no texts: numbers
  printf 'vector 1 0\nvector 0 1\n' | mkstream | LC_ALL=C plot --similarity >got
  grep -q '^1 |@@' got
}

@test "--map: two principal components, by label" {
  need_gnuplot
  # along (3, 4) / 5 and across it, around (7, -2)
  awk 'BEGIN { split("-5 0;5 0;0 -2;0 2;2.5 1;-2.5 -1", p, ";")
    for (i = 1; i <= 6; i++) { split(p[i], c, " "); a = c[1]; b = c[2]
      printf "vector %.9f %.9f | label %s\n", 7 + .6 * a - .8 * b, -2 + .8 * a + .6 * b, i % 2 ? "odd" : "even" } }' |
    mkstream >s
  plot --map -o p.svg s
  plot --map s >/dev/null
  texts p.svg | grep '[a-z]' >got
  is got <<'END'
Component 2 (13.1 % of the variance)
Component 1 (86.9 % of the variance)
odd
even
Map of 6 rows
END
}

@test "--map: against the definition" {
  need_gnuplot
  # Variances 4, 1, 0.25 along the axes of space, in no other order: the first two are left.
  printf 'vector %s\n' '0 4 1' '0 -4 -1' '0 4 -1' '0 -4 1' '0.5 0 0' '-0.5 0 0' | mkstream >s
  plot --map -o p.svg s
  shapes p.svg -4 4 -1 1 | sort >got
  printf '1 %s\n' '4 1' '-4 -1' '4 -1' '-4 1' '0 0' '0 0' | sort | diff got - >&2
  texts p.svg | grep -qx 'Component 1 (93.4 % of the variance)'
  texts p.svg | grep -qx 'Component 2 (5.8 % of the variance)'
  [ "$(texts p.svg | grep -c label)" -eq 0 ]
}

@test "--map, --similarity: what is no vectors is told" {
  fails_with 1 "the stream has no row.vector: run it through \`pool\` first" plot --map \
    < <(mkstream <<<'ids 1 2')
  fails_with 1 "1 rows: a map is of two at least" plot --map < <(mkstream <<<'vector 1 2')
  fails_with 1 "all rows have the same vector" plot --map < <(printf 'vector 1 2\nvector 1 2\n' | mkstream)
  fails_with 1 "vectors of 1 numbers: a map is of 2 to 4096" plot --map < <(printf 'vector 1\nvector 2\n' | mkstream)
  fails_with 1 "numbers that are not finite" plot --similarity < <(printf 'vector 1 2\nvector nan 2\n' | mkstream)
}

@test "more rows than can be told apart" {
  awk 'BEGIN { for (i = 0; i < 513; i++) print "vector " i " 1" }' | mkstream >s
  fails_with 1 "s: more than 512 rows: choose some" plot --similarity s
  awk 'BEGIN { for (i = 0; i < 90; i++) print "vector " i " 1" }' | mkstream >s
  fails_with 1 "90 columns do not fit into 80: draw a picture (-o)" plot --similarity s
  COLUMNS=100 plot --similarity s >got
  [ "$(grep -c '│' got)" -eq 90 ]
}
