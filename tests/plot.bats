# plot.bats - plot: curves, pictures and options (plot-data.bats has the rest). What stands in an SVG
# is compared as numbers and texts, what is drawn in the terminal as it is.
load helper
load plot

each_setup() {
  unset COLUMNS NO_COLOR
  printf 'step\tepoch\tloss\tvalid_loss\tvalid_accuracy\tlr\n' >a.tsv
  printf '%s\t%s\t%s\t%s\t%s\t%s\n' 0 0 4 '' '' 1e-3 2 .2 2 '' '' 1e-3 4 .4 3 2.5 0.5 1e-3 \
    6 .6 1 '' '' 1e-3 10 1 0 0.5 1 0 >>a.tsv
  printf 'step\tloss\n0\t3\n5\t2.5\n10\t1\n' >b.tsv
}

# ---- curves ----

@test "a curve in the terminal" {
  COLUMNS=44 plot -x step -y loss a.tsv >got
  is got <<'END'
Cross-entropy Loss
4 ┤⢣
  │ ⢇
  │ ⠈⢆
  │  ⠘⡄
  │   ⠸⡀
3 ┤    ⢱         ⢀⠔⢣
  │     ⢣       ⡠⠊  ⢇
  │     ⠈⢆    ⢀⠎    ⠘⡄
  │      ⠈⡆ ⢀⠔⠁      ⠸⡀
2 ┤       ⠘⡤⠊         ⢱
  │                    ⢇
  │                    ⠈⡆
  │                     ⠘⡄
  │                      ⢱
1 ┤                       ⢣
  │                        ⠉⠢⢄⡀
  │                           ⠈⠒⢄⡀
  │                              ⠈⠑⠤⡀
  │                                 ⠈⠑⠢⣀
0 ┤                                     ⠑⠢a
  └┬───────┬───────┬──────┬───────┬───────┬
   0       2       4      6       8      10
                  Iterations
   a  a.tsv: loss
END
}

@test "curves where the terminal has no UTF-8, with letters" {
  LC_ALL=C COLUMNS=44 plot -x step -y loss b.tsv a.tsv >got
  is got <<'END'
Cross-entropy Loss
4 +b
  | b
  |  b
  |   b
  |    b
3 +aaaab          bb
  |     baaaaaaabb  b
  |      b    bb  aaabaaa
  |       b bb       b   aaa
2 +        b          b     aa
  |                    b      aaa
  |                     b        aaa
  |                     b           aa
  |                      b            aaa
1 +                       bb             aa
  |                         bbb
  |                            bbb
  |                               bbbb
  |                                   bbb
0 +                                      bb
  ++-------+-------+------+-------+-------+
   0       2       4      6       8      10
                  Iterations
   a  b.tsv: loss
   b  a.tsv: loss
END
}

@test "two units, two axes" {
  COLUMNS=44 plot -x step -y loss,valid_accuracy a.tsv >got
  is got <<'END'
Cross-entropy Loss                  Accuracy
4 ┤⢣                                 ⢀b├ 1
  │⠈⢆                               ⢀⠎ │
  │ ⠘⡄                             ⢀⠎  │
  │  ⢱                            ⢠⠃   │
  │   ⢇                          ⢠⠃    ├ 0.9
3 ┤   ⠈⡆        ⡰⢣              ⡠⠃     │
  │    ⠸⡀     ⢀⠎  ⢇            ⡰⠁      │
  │     ⢣    ⡰⠁   ⠘⡄          ⡰⠁       │
  │     ⠈⢆ ⢀⠎      ⠸⡀        ⡔⠁        ├ 0.8
2 ┤      ⠘⡴⠁        ⢱       ⡜          │
  │                  ⢇     ⡜           │
  │                  ⠈⡆  ⢀⠜            ├ 0.7
  │                   ⠘⡄⢀⠎             │
  │                    ⢱⠎              │
1 ┤                   ⢠⠊⢣              │
  │                  ⢠⠃  ⠉⠢⣀           ├ 0.6
  │                 ⢠⠃      ⠑⠢⡀        │
  │                ⡰⠁         ⠈⠑⠤⡀     │
  │               ⡰⠁             ⠈⠒⢄⡀  │
0 ┤              ⡰⠁                 ⠈⠢a├ 0.5
  └┬──────┬──────┬──────┬──────┬──────┬┘
   0      2      4      6      8     10
                Iterations
   a  a.tsv: loss
   b  a.tsv: valid_accuracy
END
  fails_with 1 "a.tsv: line 1: 'loss', 'share' and 'lr' have three units" \
    plot -x step -y loss,valid_accuracy,lr a.tsv
}

@test "what is drawn is what the files hold" {
  need_gnuplot
  plot -x step -y loss -o p.svg a.tsv b.tsv
  shapes p.svg 0 10 0 4 >got
  is got <<'END'
1 0 4
1 2 2
1 4 3
1 6 1
1 10 0
2 0 3
2 5 2.5
2 10 1
END
  texts p.svg >got
  is got <<'END'
0
1
2
3
4
0
2
4
6
8
10
Cross-entropy Loss
Iterations
a.tsv: loss
b.tsv: loss
END
}

@test "-x is the first column, columns have names or numbers, each its label" {
  need_gnuplot
  plot -y 6 -o p.svg a.tsv
  texts p.svg | grep -qx Iterations
  texts p.svg | grep -qx 'Learning Rate'
  texts p.svg | grep -qx 'a.tsv: lr'
  plot -x epoch -y loss,valid_loss -o p.svg a.tsv
  texts p.svg | grep -qx Epoch
  [ "$(texts p.svg | grep -cx 'Cross-entropy Loss')" -eq 1 ]
  shapes p.svg 0 1 0 4 >got
  is got <<'END'
1 0 4
1 0.2 2
1 0.4 3
1 0.6 1
1 1 0
2 0.4 2.5
2 1 0.5
END
  plot -y valid_accuracy --title 'Two runs' --xlabel steps --ylabel share -o p.svg a.tsv
  texts p.svg | grep '[a-z]' >got
  is got <<'END'
share
steps
a.tsv: valid_accuracy
Two runs
END
}

@test "--smooth: the mean of a point and those before it" {
  need_gnuplot
  plot -x step -y loss --smooth 3 -o p.svg a.tsv
  texts p.svg | grep -qx 'a.tsv: loss (mean of 3)'
  shapes p.svg 0 10 0 4 >got
  is got <<'END'
1 0 4
1 2 2.67
1 4 2.67
1 6 1.33
1 10 0.44
END
  # against sums that are made anew each time, small numbers behind large ones
  awk 'BEGIN { print "x\ty"; for (i = 1; i <= 40; i++) print i - 41 "\t" (i < 9 ? 1e15 : i * i % 17) }' >c.tsv
  tail -n +11 c.tsv | sed '1i x\ty' >small.tsv
  for n in 1 2 5 7 16 39 1000; do
    plot -y y --smooth "$n" -o p.svg small.tsv
    awk -v n="$n" 'NR > 1 { y[++m] = $2; s = 0
      for (i = m > n ? m - n + 1 : 1; i <= m; i++) s += y[i]
      v = sprintf("%.1f", s / (m < n ? m : n)); print 1, $1, v }' small.tsv >want
    [ -s want ]
    # the axis' ends are chosen by what is drawn: they are asked of its numbers, which come first
    read -r lo hi < <(texts p.svg | awk '/^-?[0-9.]+$/ { v[++n] = $0 }
      END { lo = hi = v[1]; for (i = 2; i <= n && v[i] > hi; i++) hi = v[i]; print lo, hi }')
    shapes p.svg -35 0 "$lo" "$hi" | awk '{ printf "%s %.0f %.1f\n", $1, $2, $3 }' >got
    awk '{ printf "%s %.0f %.1f\n", $1, $2, $3 }' want | paste - got | awk '
      { d = $3 - $6; if ($2 != $5 || d > 0.11 || d < -0.11) { print; bad = 1 } } END { exit bad }'
  done
  plot -y y --smooth 4 -o p.svg c.tsv
  texts p.svg | grep -qx 'c.tsv: y (mean of 4)'
}

@test "a long curve is drawn by its lowest and highest points" {
  need_gnuplot
  awk 'BEGIN { print "x\ty"; for (i = 0; i <= 300000; i++) print i "\t" (i == 123456 ? 9 : i == 200000 ? -1 : 4) }' >long.tsv
  plot -y y -o p.svg long.tsv
  [ "$(stat -c %s p.svg)" -lt 200000 ]
  plot -y y long.tsv >got
  head -n 3 got | grep -q '^10 ┤'
  # the peaks reach over nearly all of the height
  [ "$(sed '1d; s/.*[┤│]//; 21q' got | grep -c '[^ ]')" -ge 17 ]
}

@test "tables with gaps, of one point, of lines that end early" {
  printf 'x\ty\tz\n1\t5\t\n\n2\t\t3\r\n' >t
  COLUMNS=40 plot -y y t >got
  grep -qE '^ *5 ┤ +a$' got
  printf 'x\ty\n1\t2\n2\t3\n3' >t
  run --separate-stderr plot -y y t
  [ "$status" -eq 0 ]
  [ "$stderr" = "plot: t: line 4, the last, is not whole: left out" ]
  printf 'x\ty\n1\tnan\n2\t-Infinity\n3\t7\n' >t
  run --separate-stderr plot -y y t
  [ "$status" -eq 0 ]
  [ "$stderr" = "plot: t: left out 2 numbers that are not finite" ]
  run --separate-stderr plot -q -y y t
  [ -z "$stderr" ]
}

@test "what is no table is told" {
  fails_with 1 "a.tsv: line 1: no column 'los': there are step, epoch, loss, valid_loss, valid_accuracy, lr" \
    plot -y los a.tsv
  fails_with 1 "no column '7': there are step" plot -y 7 a.tsv
  fails_with 1 "stdin: empty, and has no line with the columns' names" plot -y y </dev/null
  fails_with 1 "nowhere: No such file or directory" plot -y y nowhere
  fails_with 1 "stdin: line 3: column 'y': 1e400 is out of range" plot -y y \
    < <(printf 'x\ty\n1\t2\n2\t1e400\n')
  fails_with 1 "stdin: line 2: column 'x': '0x1' is not a number" plot -x x -y y \
    < <(printf 'x\ty\n0x1\t2\n')
  fails_with 1 "stdin: line 2: 1 field, but the header has 2" plot -y y <<<$'x\ty\n1\n2\t3'
  fails_with 1 "stdin: line 3: 3 fields, but the header has 2" plot -y y <<<$'x\ty\n1\t2\n2\t3\t4'
  fails_with 1 "no line has a number in both columns" plot -y y <<<$'x\ty\n1\t\n\t2'
  fails_with 2 "-y 'a,,b': a column's name is empty" plot -y a,,b a.tsv
  fails_with 1 "byte 3 is not UTF-8" plot -y y < <(printf 'x\ty\n1\t\xff\n')
}

# ---- pictures ----

@test "the kind of a picture is its name's end, and the same has the same bytes" {
  need_gnuplot
  local kind
  for kind in png svg pdf; do
    plot -x step -y loss -o "1.$kind" a.tsv
    TZ=Asia/Tokyo plot -x step -y loss -o "2.$kind" a.tsv
    cmp "1.$kind" "2.$kind"
  done
  [ "$(size 1.png)" = "800 600" ]
  [ "$(head -c 5 1.pdf)" = '%PDF-' ]
  head -n 1 1.svg | grep -q '^<?xml'
  grep -aq 'CreationDate (D:19700101000000' 1.pdf
  plot -x step -y loss -o 1.PNG a.tsv
  cmp 1.png 1.PNG
  fails_with 2 "-o 'p.jpg': a picture's name ends in .png, .svg or .pdf" plot -y loss -o p.jpg a.tsv
  fails_with 2 "-o '.png': a picture's name" plot -y loss -o .png a.tsv
  fails_with 1 "no/p.png: cannot create" plot -y loss -o no/p.png a.tsv
}

@test "a picture has a size that takes in what it says" {
  need_gnuplot
  local n
  awk 'BEGIN { n = 20; printf "{\"labels\": ["; for (i = 0; i < n; i++) printf "%s\"a long class name %d\"", i ? ", " : "", i
    printf "], \"confusion\": ["; for (i = 0; i < n; i++) { printf "%s[", i ? ", " : ""
    for (k = 0; k < n; k++) printf "%s1", k ? ", " : ""; printf "]" } print "]}" }' | plot --confusion -o p.png
  read -r n _ < <(size p.png)
  [ "$n" -gt 1000 ]
}

@test "no text runs" {
  need_gnuplot
  local evil=$'a\'; system "touch made"; `touch made` $(touch made) @x "\\ %s %d <b>&amp;\n#'
  cp a.tsv "$evil"
  plot -x step -y loss -o p.svg --title "$evil" --xlabel "$evil" --ylabel $'\xff\x1b[1m' "$evil"
  local shown='a'"'"'; system "touch made"; `touch made` $(touch made) @x "\ %s %d &lt;b>&amp;amp;\n#'
  [ "$(texts p.svg | grep -cxF -- "$shown")" -eq 2 ]
  texts p.svg | grep -qF -- '%d &lt;b>&amp;amp;\n#: loss' # the end of a long name
  texts p.svg | grep -qxF '\xff\x1b[1m'
  printf '{"labels": ["%s", "50 %% %%s"], "confusion": [[1, 0], [0, 1]]}' 'system \"touch made\"'"'" |
    plot --confusion -o p.svg
  [ "$(texts p.svg | grep -cxF -- '50 % %s')" -eq 2 ]
  [ "$(texts p.svg | grep -cxF -- 'system "touch made"'"'")" -eq 2 ]
  [ ! -e made ]
}

# stand_in TEXT: a gnuplot that is this script.
stand_in() {
  mkdir -p stand
  printf '#!/bin/sh\n%s\n' "$1" >stand/gnuplot
  chmod +x stand/gnuplot
}

@test "gnuplot fails, or is not there: the old picture stays" {
  echo old >p.svg
  stand_in 'echo "gnuplot> plot" >&2; echo "         line 0: no such thing" >&2; echo half; exit 1'
  PATH=$PWD/stand:$PATH fails_with 1 "plot: gnuplot failed: line 0: no such thing" \
    plot -y loss -o p.svg a.tsv
  stand_in 'kill -9 $$'
  PATH=$PWD/stand:$PATH fails_with 1 "plot: gnuplot was ended by signal 9" plot -y loss -o p.svg a.tsv
  stand_in ':'
  PATH=$PWD/stand:$PATH fails_with 1 "plot: gnuplot failed: it does not say why" plot -y loss -o p.svg a.tsv
  fails_with 1 "plot: gnuplot is not on PATH: install it (Debian: gnuplot-nox)" \
    env PATH="$WEFT_BIN" plot -y loss -o p.svg a.tsv
  [ "$(cat p.svg)" = old ]
  PATH=$WEFT_BIN plot -y loss a.tsv >/dev/null # the terminal needs none
  [ -z "$(find . -name '.*tmp*')" ]
}

@test "what gnuplot is told stands in no file that anybody sees, and it reads no settings" {
  need_gnuplot
  mkdir empty
  echo 'set title "mine"' >.gnuplot
  HOME=$PWD TMPDIR=$PWD/empty plot -y loss -o p.svg a.tsv
  [ "$(texts p.svg | grep -c mine)" -eq 0 ]
  [ -z "$(ls empty)" ]
}

# ---- options ----

@test "one thing at a time" {
  fails_with 2 "plot what? Name columns of logs (-y loss), or one of" plot a.tsv
  fails_with 2 "one of --confusion, --lengths, --attention, --similarity, --map, --calibration, --margins at a time" \
    plot --map --lengths
  fails_with 2 "-x is for columns of logs alone" plot --map -x step
  fails_with 2 "-y is for columns of logs alone" plot --lengths -y loss
  fails_with 2 "--smooth is for columns of logs alone" plot --lengths --smooth 2
  fails_with 2 "--layer is for --attention alone" plot -y loss -L 2 a.tsv
  fails_with 2 "--row is for --attention alone" plot --map -r 2
  fails_with 2 "--smooth: 0 is out of range" plot -y loss --smooth 0 a.tsv
}

@test "the width is \$COLUMNS, if that can be" {
  COLUMNS=60 plot -y loss a.tsv >got
  [ "$(grep '┬' got | wc -m)" -eq 60 ]
  for n in "" x 0 -5 7; do
    COLUMNS=$n plot -y loss a.tsv >got
    [ "$(grep '┬' got | wc -m)" -eq 80 ]
  done
}

@test "the locale says whether it is UTF-8, if this machine has it or not" {
  plot -y loss a.tsv >utf8
  for name in xx_XX.UTF-8 xx_XX.utf8@y; do LC_ALL=$name plot -y loss a.tsv | cmp - utf8; done
  env -u LC_ALL LANG=C.UTF-8 plot -y loss a.tsv | cmp - utf8
  LC_ALL=C plot -y loss a.tsv >ascii
  [ "$(LC_ALL=C grep -c '[^ -~]' ascii)" -eq 0 ]
  for name in xx_XX POSIX xx_XX.ISO-8859-1; do LC_ALL=$name plot -y loss a.tsv | cmp - ascii; done
  # wide letters take two columns, those that join none
  COLUMNS=60 plot -y loss --title $'\u4f60\u597de\u0301' a.tsv | sed -n 1p >got
  [ "$(cat got)" = "$(printf '%27s' "")"$'\u4f60\u597de\u0301' ]
}

@test "colours on a terminal alone" {
  command -v script >/dev/null || skip "no script(1)"
  # coloured: how many lines have a colour
  coloured() { script -q -c 'plot -y loss a.tsv' /dev/null </dev/null | grep -c $'\e' || true; }
  [ "$(TERM=xterm coloured)" -gt 15 ]
  [ "$(TERM=dumb coloured)" -eq 0 ]
  [ "$(NO_COLOR=1 TERM=xterm coloured)" -eq 0 ]
  [ "$(TERM=xterm plot -y loss a.tsv | grep -c $'\e')" -eq 0 ]
}
