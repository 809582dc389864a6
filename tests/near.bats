# near - against cosines that awk works out in double precision.
load helper

each_setup() {
  PATH=$WEFT_UNIT:$PATH
}

# vectors SEED ROWS: lines of six numbers.
vectors() {
  awk -v seed="$1" -v n="$2" "$DRAW"' BEGIN { for (i = 1; i <= n; i++)
    printf "%.4f %.4f %.4f %.4f %.4f %.4f\n", r(), r(), r(), r(), r(), r() }
    function r() { return draw() * 2 - 1 }'
}

# stream PREFIX: vectors as rows with the texts PREFIX1, PREFIX2, ..., 1,000 a frame.
stream() {
  awk -v p="$1" 'NR % 1000 == 1 && NR > 1 { print "frame" }
    { printf "vector %s | text %s%d\n", $0, p, NR }' | mkstream
}

# nearest K CORPUS QUERIES: row, rank, text by exact search, from lines of numbers.
nearest() {
  awk -v k="$1" 'function unit(  s, j) { s = 0; for (j = 1; j <= NF; j++) s += $j * $j
      return s > 0 ? 1 / sqrt(s) : 0 }
    NR == FNR { u = unit(); for (j = 1; j <= NF; j++) c[NR, j] = $j * u; n = NR; next }
    { u = unit()
      for (i = 1; i <= n; i++) { s = 0; for (j = 1; j <= NF; j++) s += c[i, j] * $j * u; at[i] = s }
      for (r = 1; r <= k && r <= n; r++) {
        best = 0
        for (i = 1; i <= n; i++) if (!(i in gone) && (!best || at[i] > at[best])) best = i
        gone[best]; printf "%d\t%d\t%.5f\tc%d\n", FNR, r, at[best], best
      }
      delete gone }' "$2" "$3"
}

rounded() {
  awk -F '\t' -v OFS='\t' '{ $3 = sprintf("%.5f", $3); print }'
}

@test "the nearest rows over several panels are those of an exact search" {
  vectors 1 9001 >corpus
  vectors 2 7 >queries
  stream c <corpus >corpus.weft
  stream q <queries | near -k 4 corpus.weft | rounded >got
  nearest 4 corpus queries >want
  cut -f 1,2,4 want >want.rows
  cut -f 1,2,4 got | cmp - want.rows
  paste got want | awk -F '\t' '{ d = $3 - $7; if (d < -2e-5 || d > 2e-5) exit 1 }'
}

@test "any number of threads and rows beside: the same bits" {
  vectors 3 5000 | stream c >corpus.weft
  vectors 4 40 | stream q >queries.weft
  near -j 1 -k 3 corpus.weft <queries.weft >one
  near -j 3 -k 3 corpus.weft <queries.weft | cmp - one
  sed -n 1p <(vectors 4 40) | stream q | near -k 3 corpus.weft | cmp - <(grep $'^1\t' one)
}

@test "equal cosines: the earlier row first; fewer rows than asked for: those" {
  printf '%s\n' '1 0' '2 0' '0 1' '3 0' | stream c >corpus.weft
  printf '%s\n' '5 0' | stream q | near -k 9 corpus.weft >got
  [ "$(cat got)" = $'1\t1\t1.0\tc1\n1\t2\t1.0\tc2\n1\t3\t1.0\tc4\n1\t4\t0.0\tc3' ]
}

@test "a vector of length 0 is at cosine 0 from everything" {
  printf '%s\n' '0 0' '1 1' | stream c >corpus.weft
  printf '%s\n' '0 0' | stream q | near -k 2 corpus.weft >got
  [ "$(cut -f 3 got | tr '\n' ' ')" = '0.0 0.0 ' ]
}

@test "one nearest row by default; a corpus without texts gives its row numbers" {
  mkstream >corpus.weft <<<$'vector 1 0\nvector 0 1'
  printf '%s\n' '0 2' '1 0' | stream q | near corpus.weft >got
  [ "$(cat got)" = $'1\t1\t1.0\t2\n2\t1\t1.0\t1' ]
}

@test "texts are escaped, frames and streams counted through" {
  mkstream >corpus.weft <<<$'vector 1 0 | text a\\tb'
  printf '1 0\n' | stream q >one
  cat one one | near corpus.weft >got
  [ "$(wc -l <got)" -eq 2 ]
  [ "$(cut -f 1 got | tr '\n' ' ')" = '1 2 ' ]
}

@test "what cannot be compared is refused" {
  mkstream >corpus.weft <<<$'meta model a\nvector 1 0 | text x'
  fails_with 1 'near: stdin: row.vector: 3 numbers each, but the corpus takes 2' \
    near corpus.weft < <(mkstream <<<'vector 1 0 0')
  fails_with 1 "the corpus has vectors of model 'a', this stream of 'b'" \
    near corpus.weft < <(mkstream <<<$'meta model b\nvector 1 0')
  fails_with 1 'no row.vector in the stream' near corpus.weft < <(mkstream <<<'ids 1 2')
  mkstream >ids <<<'ids 1 2'
  fails_with 1 'near: ids: no row.vector' near ids <corpus.weft
  mkstream >none </dev/null
  fails_with 1 'none: no rows in it' near none <corpus.weft
  fails_with 1 'near: absent: ' near absent <corpus.weft
  fails_with 2 'near to what?' near <corpus.weft
  fails_with 2 '' near -k 0 corpus.weft <corpus.weft
}

@test "a corpus cut short is no corpus; a query stream cut short is answered as far as it goes" {
  vectors 5 3000 | stream c >corpus.weft
  dd if=corpus.weft bs=60000 count=1 status=none >cut.weft
  fails_with 1 'cut.weft: ' near cut.weft <corpus.weft
  [ -z "$output" ]
  run --separate-stderr near corpus.weft <cut.weft
  [ "$status" -eq 1 ]
  [ "${#lines[@]}" -ge 1000 ]
}

@test "no queries: no answers" {
  vectors 5 3 | stream c >corpus.weft
  mkstream </dev/null | near corpus.weft >got
  [ ! -s got ]
}

@test "the program before has failed: exit 1, no word" {
  printf '1 0\n' | stream c >corpus.weft
  printf 'vector 1 0\nfail\n' | mkstream >failed
  run --separate-stderr bash -c 'cat failed | near corpus.weft'
  [ "$status" -eq 1 ]
  [ -z "$stderr" ]
  fails_with 1 'near: failed: the program that wrote it failed' near failed <corpus.weft
  fails_with 1 'No space left on device' bash -c 'near corpus.weft <corpus.weft >/dev/full'
}

# scarce CONDITION: scarce.so, before which posix_memalign(p, align, n) fails where that holds.
scarce() {
  cat >scarce.c <<END
#include <errno.h>
#include <stdlib.h>
int posix_memalign(void **p, size_t align, size_t n)
{
    *p = $1 ? NULL : aligned_alloc(align, (n + align - 1) / align * align);
    return *p ? 0 : ENOMEM;
}
END
  cc -shared -fPIC -o scarce.so scarce.c
}

@test "memory that is not there while computing is told, and nothing else comes of it" {
  need_limit 300000 # AddressSanitizer lets no library go before its own
  command -v cc >/dev/null || skip "no C compiler"
  vectors 1 300 | stream c >corpus
  vectors 2 256 | stream q >queries
  near -D cpu corpus <queries >want
  [ "$(wc -l <want)" -eq 256 ]
  scarce "align == 64 && n >= 4 << 20" # 256 by 4,096 cosines
  LD_PRELOAD=$PWD/scarce.so fails_with 1 "out of memory: 4194304 bytes for a temporary" \
    near -D cpu corpus <queries
  [ -z "$output" ]
  # Of the library's products some want memory of their own, on some kinds of CPU.
  scarce "align == 4096"
  if ! LD_PRELOAD=$PWD/scarce.so near -D cpu corpus <queries >got 2>said; then
    grep -q "out of memory for a matrix product" said
    [ ! -s got ]
  else
    cmp want got
  fi
}

@test "a text makes no lines and tells the terminal nothing" {
  printf 'vector 1 0 | text a\e]0;t\a\r\tb\\\n' | mkstream >corpus.weft
  [ "$(near corpus.weft <corpus.weft)" = $'1\t1\t1.0\ta\\x1b]0;t\\x07\\x0d\\tb\\\\' ]
}

@test "vectors of no numbers are near to nothing" {
  printf 'vector | text a\n' | mkstream >none.weft
  fails_with 1 'near: none.weft: row.vector holds no numbers' near none.weft <none.weft
  printf '1 0\n' | stream c >corpus.weft
  fails_with 1 'near: stdin: row.vector: 0 numbers each, but the corpus takes 2' near corpus.weft <none.weft
}

@test "a corpus that memory does not hold" {
  need_limit 300000 # AddressSanitizer needs more
  # 60,000 rows of 1,000 numbers, 240 MB: the same thousand again and again, so that the first of
  # them is the nearest, and its text is the one that was laid aside first.
  rows() {
    awk -v n="$1" 'BEGIN { srand(7); for (i = 1; i <= n; i++) { printf "vector"
      for (k = 0; k < 1000; k++) printf " %d", rand() * 9 - 4
      printf " | text row %d of a thousand, which is told at some length\n", i } }' | mkstream
  }
  rows 1000 >part.weft
  rows 20 >queries.weft
  for _ in $(seq 60); do cat part.weft; done >whole.weft
  near -D cpu -j 1 part.weft <queries.weft >want
  (ulimit -v 300000; near -D cpu -j 1 whole.weft <queries.weft >got)
  cut -f 1,2,4 want >a
  cut -f 1,2,4 got | cmp - a
  rm -f whole.weft
}

@test "a vector that is not finite is near to nothing" {
  printf '1 0\n0 1\n' | stream c >corpus.weft
  for x in nan inf -inf; do
    printf 'vector 1 0 | text a\nvector 0 1 | text b\nvector 1 %s | text c\n' $x | mkstream >x.weft
    fails_with 1 "near: stdin: row 3: its vector is not finite" near corpus.weft <x.weft
    [ "$(cut -f 1,2 <<<"$output")" = $'1\t1\n2\t1' ] # those before it are answered
    fails_with 1 "near: x.weft: row 3: its vector is not finite" near x.weft <corpus.weft
  done
}
