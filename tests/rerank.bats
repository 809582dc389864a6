# rerank.bats - the search in two stages: near --pairs, tok of a stream, head, score --sort; against
# sentence-transformers' CrossEncoder (tests/oracle/rerank.py).
load helper

each_setup() {
  PATH=$WEFT_UNIT:$PATH
  R=$(golden rerank)
  M=$(golden models/bert-rerank)
}

# vectors FILE: its lines as vectors with their texts.
vectors() { tok -q -m "$(golden models/sentence)" "$1" | encode | pool; }

# pairs K: each query with the K nearest texts.
pairs() {
  vectors "$R/corpus.txt" >corpus.weft
  vectors "$R/queries.txt" | near -k "$1" --pairs corpus.weft
}

reranked() { tok -q -m "$M" "$@" | encode | weft head; }

# close A B: TSV with numbers in column 3 that are the same to 1e-4, the rest equal.
close() {
  awk -F '\t' 'NR == FNR { line[NR] = $0; next }
    { n = split(line[FNR], a); bad = n != NF
      for (i = 1; i <= NF; i++) { d = a[i] - $i; bad = bad || (i == 3 ? d > 1e-4 || d < -1e-4 : a[i] != $i) }
      if (bad) { print "line " FNR ": " line[FNR] " | " $0 > "/dev/stderr"; failed = 1; exit } }
    END { exit failed || FNR != length(line) }' "$1" "$2"
}

# same A B: streams of the same rows, in whatever order their tensors stand.
same() { diff <(show --digest "$1" | sort) <(show --digest "$2" | sort); }

# texts: of show -r's objects the texts, and behind a tab the pairs.
texts() { sed -E 's/^\{"text": "([^"]*)", "pair": "([^"]*)".*/\1\t\2/'; }

@test "all of a corpus, ranked as CrossEncoder.rank does it" {
  pairs 100 | reranked | score --sort >got
  [ "$(wc -l <got)" -eq 44 ]
  # Equal texts have equal scores, and their order is that of near.
  close got "$R/rank.tsv"
  pairs 100 | reranked | score --sort --raw | cmp - got
}

@test "what makes a score of the logit, wherever the folder says it" {
  q=$(sed 1q "$R/queries.txt")
  sed "s/.*/$q\t&/" "$R/corpus.txt" >pairs.tsv
  for folder in config old both other none saved; do
    cp -r "$M" m
    chmod -R u+w m
    cp "$R/$folder"/* m/
    M=m reranked -H -d '\t' -c 1 -p 2 pairs.tsv >logits
    score logits | awk -v n=$folder '{ print n "\t-\t" $2 }' >got
    grep "^$folder"$'\t' "$R/predict.tsv" | awk '{ print $1 "\t-\t" $2 }' >want
    [ "$(wc -l <want)" -eq 11 ]
    close got want
    grep '^both' "$R/predict.tsv" | awk '{ print "1\t-\t" $2 }' >want # the logits
    score --raw logits | awk '{ print "1\t-\t" $2 }' >got
    close got want
    rm -rf m
  done
}

@test "an activation that is not known: the logits alone" {
  cp -r "$M" m
  chmod -R u+w m
  sed -i 's/linear.Identity/activation.Tanh/' m/config.json
  M=m reranked -q <<<'the cat' >logits
  fails_with 1 'the Tanh of its logits, which is not known: `score --raw` gives these' score logits
  M=m reranked <<<'the cat' | score --raw | cut -f 1 >got
  [ "$(cat got)" = LABEL_0 ]
  sed -i 's/"torch.nn.modules.activation.Tanh"/7/' m/config.json
  fails_with 1 'm/config.json: activation_fn' weft head -m m logits
}

@test "a head that train made is not the one that the folder told of" {
  cp -r "$M" m
  chmod -R u+w m
  sed -i 's/linear.Identity/activation.Sigmoid/' m/config.json
  printf 'text,y\nthe cat,5\na mat,-3\n' | tok -q -m m -c text -l y >numbers
  train -q -m m --objective regression --max-steps 1 -o made numbers
  run ! grep -q sentence_transformers made/config.json
  encode -m made numbers | weft head -m made >logits
  score logits | cmp - <(score --raw logits)
}

@test "near --pairs: what stands in its rows" {
  mkstream >corpus.weft <<<$'vector 1 0 | text north\nvector 0 1 | text east\nvector 1 1 | text both'
  mkstream >queries.weft <<<$'meta model m\nmeta encoder e\nmeta other x\nvector 2 0 | text q1 | label l1 | keep.id a | source 7\nvector 0 3 | text q2 | label l2 | keep.id b | source 7'
  near -k 2 --pairs corpus.weft <queries.weft >pairs
  show -r pairs | tr -d ' ' >got
  printf '%s\n' \
    '{"text":"q1","pair":"north","label":"l1","keep":{"id":"a","candidate":"1","cosine":"1.0"}}' \
    '{"text":"q1","pair":"both","label":"l1","keep":{"id":"a","candidate":"3","cosine":"0.707106769"}}' \
    '{"text":"q2","pair":"east","label":"l2","keep":{"id":"b","candidate":"2","cosine":"1.0"}}' \
    '{"text":"q2","pair":"both","label":"l2","keep":{"id":"b","candidate":"3","cosine":"0.707106769"}}' >want
  diff <(sed 's/0\.70710[0-9]*/0.7071/' want) <(sed 's/0\.70710[0-9]*/0.7071/' got)
  # The same as the lines of near; a group is a row that came.
  near -k 2 corpus.weft <queries.weft | cut -f 4 | diff - <(show -r pairs | texts | cut -f 2)
  show -n row.source pairs | tail -c 32 | od -An -t d8 -w8 -v | tr -d ' ' | paste -sd ' ' >got
  [ "$(cat got)" = '0 0 1 1' ]
  show pairs >said
  grep -q '^other  *x$' said
  run ! grep -qE '^(model|encoder|row.vector) ' said
  # As many as there are; streams behind each other count on.
  cat queries.weft queries.weft | near -k 9 --pairs corpus.weft | show -r | wc -l >got
  [ "$(cat got)" -eq 12 ]
  mkstream </dev/null | near --pairs corpus.weft | show -r >got
  [ ! -s got ]
}

@test "near --pairs: many queries and candidates, whatever the frames" {
  awk "$DRAW"' BEGIN { seed = 5; for (i = 1; i <= 3000; i++) printf "vector %.4f %.4f %.4f | text c%d\n", draw() - .5, draw() - .5, draw() - .5, i }' |
    mkstream >corpus.weft
  awk "$DRAW"' BEGIN { seed = 9; for (i = 1; i <= 90; i++) { printf "vector %.4f %.4f %.4f | text q%d\n", draw() - .5, draw() - .5, draw() - .5, i; if (i % 40 == 0) print "frame" } }' |
    mkstream >queries.weft
  for k in 1 30 2000; do
    near -k $k corpus.weft <queries.weft | awk -F '\t' '{ print "q" $1 "\t" $4 }' >want
    near -j 2 -k $k --pairs corpus.weft <queries.weft | show -r | texts | cmp - want
  done
}

@test "near --pairs: what it refuses" {
  mkstream >told.weft <<<$'vector 1 0 | text a'
  mkstream >mute.weft <<<'vector 1 0'
  fails_with 1 'near: mute.weft: rows without texts: make them with `tok` from text' near --pairs mute.weft <told.weft
  fails_with 1 'near: stdin: the stream has no row.text: make it with `tok` from text' near --pairs told.weft <mute.weft
  fails_with 1 'near: absent: ' near --pairs absent <told.weft
  fails_with 1 'near: stdin: no row.vector in the stream' near --pairs told.weft < <(mkstream <<<'ids 1 | text a')
  printf 'vector 1 0 | text a\nvector 1 nan | text b\n' | mkstream >x.weft
  fails_with 1 'near: stdin: row 2: its vector is not finite' near --pairs told.weft <x.weft
  near --pairs told.weft <x.weft 2>said | show -r >got || true
  [ "$(texts <got)" = $'a\ta' ] # those before it go out
  fails_with 1 'No space left on device' bash -c 'near --pairs told.weft <told.weft >/dev/full'
}

@test "tok of a stream: the rows that the texts themselves make" {
  printf 'q,c,y,id\nthe cat,a mat,no,1\nI love,"the flight, good",yes,2\n,bad,no,3\n' >csv
  local m
  m=$(golden models/bert-class)
  tok -q -m "$m" -c q -p c -l y -k id --labels no,yes csv >want
  tok -q -m "$(golden models/roberta-class)" -c q -p c -l y -k id --labels no,yes csv >other
  tok -q -m "$m" other >got
  same want got
  cat other | tok -q -m "$m" - | cmp - got
  tok -q -m "$m" other other >twice
  cat got got | same - twice
  # One text a row, a prefix before it, cut; and vectors of another model go.
  printf 'the cat sat on the mat\ngood\n' >lines
  tok -q -m "$m" -n 5 --prefix 'a ' lines >want
  vectors lines | tok -q -m "$m" -n 5 --prefix 'a ' >got
  same want got
  vectors lines | tok -m "$m" -n 5 2>&1 >/dev/null | grep -q '1 row cut to 5 tokens'
}

@test "a prefix is the first model's" {
  m=$(golden models/sentence)
  tok -q -m "$m" --prefix 'the ' <<<'cat sat' | encode | pool >corpus.weft
  tok -q -m "$m" --prefix 'a ' <<<'a cat' | encode | pool >query.weft
  [ "$(show -r query.weft | cut -c 1-20)" = '{"text": "a a cat", ' ]
  near --pairs corpus.weft <query.weft >pairs
  [ "$(show -r pairs | texts)" = $'a cat\tcat sat' ]
  [ "$(near corpus.weft <query.weft | cut -f 4)" = 'cat sat' ]
  tok -q -m "$M" pairs | show -r | texts >got
  [ "$(cat got)" = $'a cat\tcat sat' ]
  same <(tok -q -m "$M" <<<'a cat') <(tok -q -m "$M" query.weft)
  same <(tok -q -m "$M" --prefix 'on ' <<<'a cat') <(tok -q -m "$M" --prefix 'on ' query.weft)
  # What does not begin so is as it is.
  printf 'meta prefix the \ntext cat\ntext the\n' | mkstream | tok -q -m "$M" | tok -q --decode -m "$M" >got
  [ "$(cat got)" = $'cat\nthe' ]
}

@test "tok of a stream: windows of a text are made once, and its own again" {
  local m
  m=$(golden models/bert-class)
  yes 'the cat sat on the mat' | sed 9q | tr '\n' ' ' >long
  echo >>long
  echo 'a cat' >>long
  tok -q -m "$m" -n 12 -S 3 long >windows
  [ "$(show -r windows | wc -l)" -gt 3 ]
  same <(tok -q -m "$m" long) <(tok -q -m "$m" windows)
  same <(tok -q -m "$m" -n 20 -S 5 long) <(tok -q -m "$m" -n 20 -S 5 windows)
  # Candidates that are alike are no windows.
  mkstream >corpus.weft <<<$'vector 1 0 | text same\nvector 1 0 | text same\nvector 1 0 | text \nvector 1 0 | text '
  mkstream <<<'vector 1 0 | text q' | near -k 4 --pairs corpus.weft | tok -q -m "$m" | show -r >got
  [ "$(wc -l <got)" -eq 4 ]
}

@test "tok of a stream: what it refuses" {
  local m
  m=$(golden models/bert-class)
  mkstream >pairs <<<'text a | pair b'
  for o in '-c text' '-J text' -0 -F --conll --ids '-z a,b'; do
    # shellcheck disable=SC2086 # words
    fails_with 2 'tok: ' tok -m "$m" $o pairs
    [ -z "$output" ]
  done
  fails_with 2 'a stream has its texts, pairs and labels in its rows' tok -m "$m" -c text pairs
  fails_with 2 'a stream has its texts, pairs and labels in its rows' bash -c "tok -m '$m' -0 <pairs"
  fails_with 2 'leaves no room for text' tok -m "$m" -n 3 pairs
  echo text >text
  fails_with 2 'pairs is a stream, text is not: tokenise them apart' tok -m "$m" pairs text
  fails_with 2 'text is not a stream, pairs is one: tokenise them apart' tok -m "$m" text pairs
  fails_with 1 'tok: stdin: the stream has no row.text' tok -m "$m" < <(mkstream <<<'ids 1 2')
  mkstream >single <<<'text a'
  fails_with 1 'tok: single: rows without a second text behind rows with' tok -m "$m" pairs single
  printf 'we O\nneed O\n' | tok -q -m "$(golden models/bert-token)" --conll >words
  fails_with 1 'tok: words: its labels are of words' tok -m "$m" words
  printf 'text a\ntext b\n\n' | mkstream | sed 's/b$/\xff/' >bad # its last byte is b's
  LC_ALL=C fails_with 1 'row 2: its text is not UTF-8: byte 1' tok -m "$m" bad
  printf 'text a\nfail\n' | mkstream >failed
  run --separate-stderr bash -c "cat failed | tok -m '$m'"
  [ "$status" -eq 1 ]
  [ -z "$stderr" ]
}

@test "text that begins like a stream is text" {
  local m
  m=$(golden models/bert-class)
  # Nine bytes of a safetensors document, in NUL-separated texts.
  printf 'h\0\0\0\0\0\0\0{\"a\":1}\0' >nul
  [ "$(tok -q -m "$m" -0 nul | show -r | wc -l)" -eq 8 ]
  [ "$(cat nul | tok -q -m "$m" -0 | show -r | wc -l)" -eq 8 ]
  # A short line is not held back for what might follow.
  mkfifo in out
  tok -q -m "$m" <in >out &
  exec 8>in
  exec 9<out
  echo hi >&8
  timeout 20 head -c 8 <&9 | wc -c >n
  [ "$(cat n)" -eq 8 ]
  exec 8>&-
  cat <&9 >rest
  exec 9<&-
  wait
  # A stream that comes byte by byte is one.
  mkstream <<<'text a | pair b' >pairs
  drip <pairs | tok -q -m "$m" | show -r | texts >got
  [ "$(cat got)" = $'a\tb' ]
}

@test "score --sort: a group best first, in every form" {
  mkstream >logits <<'END'
meta task class
meta problem regression
logit 1 | text q | pair a | keep.id x | source 4
logit 3 | text q | pair b	c | keep.id y | source 4
frame
logit 3 | text q | pair d | keep.id z | source 4
logit -1 | text r | pair e,f | keep.id u | source 2
logit 0.5 | text r | pair g | keep.id v | source 2
END
  score --sort logits >got
  diff - got <<'END'
1	1	3.000000	b\tc
1	2	3.000000	d
1	3	1.000000	a
2	1	0.500000	g
2	2	-1.000000	e,f
END
  score --sort -k 1 logits >got
  [ "$(cut -f 1,2,4 got)" = $'1\t1\tb\\tc\n2\t1\tg' ]
  score --sort -k 0 logits | diff - <(score --sort logits)
  score --sort --csv logits >got
  diff - got <<'END'
row,id,text,pair,gold,rank,score,margin
1,y,q,b	c,,1,3.000000,
1,z,q,d,,2,3.000000,
1,x,q,a,,3,1.000000,
2,v,r,g,,1,0.500000,
2,u,r,"e,f",,2,-1.000000,
END
  score --sort --json -k 2 logits >got
  diff - got <<'END'
[{"corpus_id": 1, "score": 3.0, "text": "b\tc", "keep": {"id": "y"}}, {"corpus_id": 2, "score": 3.0, "text": "d", "keep": {"id": "z"}}]
[{"corpus_id": 1, "score": 0.5, "text": "g", "keep": {"id": "v"}}, {"corpus_id": 0, "score": -1.0, "text": "e,f", "keep": {"id": "u"}}]
END
  # An end closes a group; two streams are two queries.
  cat logits logits | score --sort -k 1 | cut -f 1 | paste -sd ' ' >got
  [ "$(cat got)" = '1 2 3 4' ]
  mkstream </dev/null | score --sort --csv >got
  [ "$(cat got)" = 'row,text,gold,rank,score,margin' ]
}

@test "a query is answered before the next one comes" {
  vectors "$R/corpus.txt" >corpus.weft
  mkfifo in out
  vectors - <in | near -k 3 --pairs corpus.weft | reranked | score --sort >out &
  exec 8>in
  exec 9<out
  sed 1q "$R/queries.txt" >&8
  for i in 1 2 3; do
    IFS= read -r -t 60 line <&9
    [ "$(cut -f 1,2 <<<"$line")" = "1"$'\t'"$i" ]
  done
  exec 8>&-
  cat <&9 >rest
  exec 9<&-
  wait
  [ ! -s rest ]
}

@test "score --sort: of two classes the second counts; without pairs and sources" {
  mkstream >two <<<$'meta classes ["no","yes"]\nlogit 2 0 | text a | source 0\nlogit 0 2 | text b | source 0'
  score --sort two | cut -f 2,4 >got
  [ "$(cat got)" = $'1\tb\n2\ta' ]
  score --sort two | cut -f 3 | paste -sd ' ' >got
  [ "$(cat got)" = '0.880797 0.119203' ]
  score --sort --raw two | cut -f 3 | paste -sd ' ' >got
  [ "$(cat got)" = '2.000000 0.000000' ]
  score --sort --csv two | tail -n 1 >got
  [ "$(cat got)" = '1,a,,2,0.119203,0.761594' ]
  mkstream <<<$'logit 2 | text a\nlogit 3 | text b' | score --sort | cut -f 1,2 | paste -sd ' ' >got
  [ "$(cat got)" = $'1\t1 2\t1' ]
}

@test "score --raw and --sort: what they do not go with" {
  mkstream >three <<<'logit 1 2 3'
  fails_with 1 '--sort goes by the one logit of a row, or the second of two: this model has 3' score --sort three
  score --raw -k 0 --wide three >got
  [ "$(cat got)" = $'1\t1.000000\t2.000000\t3.000000' ]
  score --raw three >got
  [ "$(cat got)" = $'LABEL_2\t3.000000' ]
  fails_with 2 '--raw and --sort are about answers, not --eval' score -e --raw three
  fails_with 2 '--raw and --sort are about answers, not --eval' score -e --sort three
  fails_with 2 '--raw and --multi exclude each other' score --raw --multi three
  fails_with 2 '--sort has a line a row of the group: without --wide' score -k 0 --sort --wide three
  fails_with 1 "--raw says nothing of the task 'next'" score --raw < <(mkstream <<<$'meta task next\nlogit 1 2')
  fails_with 1 "--sort says nothing of the task 'zero-shot'" score --sort < <(mkstream <<<$'meta candidates ["a"]\nlogit 1 2')
  mkstream >nan <<<$'logit 1 | text a | source 0\nlogit nan | text b | source 0'
  fails_with 1 'score: nan: row 2: the model produced NaN' score --sort nan
}
