# experiments.bats - examples/*/Makefile: each runs small, on what stands in for its data and with tiny
# models; what is changed is made anew, and nothing else; data comes by any path.
load helper

each_setup() {
  command -v gnuplot >/dev/null || skip "no gnuplot"
  unset MAKEFLAGS MAKELEVEL MFLAGS
  export HF_HOME=$PWD/none
  mkdir vader
  # Moods in the words, so that there is something to learn; an article has four sentences.
  local word=(bad good) mood=(-2.1 2.2) i name
  for name in tweets amazonReviewSnippets movieReviewSnippets nytEditorialSnippets; do
    for i in {1..120}; do
      printf '%d_%d\t%s\tthe %s cat, no %d, was "%s" on the mat\r\n' "$((i / 4))" "$i" \
        "$((i % 5 ? 1 : 0))" "${word[i % 2]}" "$i" "${word[i % 2]}" |
        sed "s/\t1\t/\t${mood[i % 2]}\t/"
    done >vader/${name}_GroundTruth.txt
  done
}

# mk NAME [ARGUMENT...]: that experiment, with all that it makes in ./out.
mk() {
  make -j2 -C "$TOP/examples/$1" OUT="$PWD/out" VADER="$PWD/vader" "${@:2}"
}

# ways FILE: the first column of a table.
ways() { cut -f 1 "$1" | tr '\n' ' '; }

# is_picture FILE...: PNGs, and not small ones.
is_picture() {
  local f
  for f; do
    [ "$(head -c 4 "$f" | tail -c 3)" = PNG ] && [ "$(wc -c <"$f")" -gt 4000 ] || { echo "$f" >&2; false; }
  done
}

@test "airline: the head's report; whole models, before and after; the same once more does nothing" {
  local args=(MODEL="$(golden models/sentence)" MOODS="$(golden models/bert-class)"
    NOTEBOOK='-e 1 -b 16 --optim adam --lr 1e-6')
  mk airline "${args[@]}" all >said
  grep -q "no DATA=path, so VADER's tweets stand in; the real data: Kaggle" said
  [ "$(ways out/table.tsv)" = "way report notebook tuned before after " ]
  [ "$(sed -n 's/^rows\t//p' out/report.txt out/before.txt out/tuned.txt | tr '\n' ' ')" = "12 12 12 " ]
  grep -q $'^gold\tnegative\tneutral\tpositive$' out/report.txt
  is_picture out/{train,confusion,curves}.png
  mk airline "${args[@]}" all >again
  run ! grep -Eq '^(tok|deal|encode|train|weft|cd) ' again
}

@test "a variable with another value makes anew what it goes into, and nothing else" {
  local M
  M=$(golden models/sentence)
  mk airline MODEL="$M" TRAIN='--head linear -e 2' >/dev/null
  stat -c '%n %Y.%y' out/*.features out/rows.weft >before
  cp out/report.txt first.txt
  mk airline MODEL="$M" TRAIN="--head mlp:8 -e 3 --lr 1e-2" >said
  grep -q '^train --head mlp:8 -e 3 --lr 1e-2' said
  run ! grep -Eq '^(tok|deal|encode) ' said
  stat -c '%n %Y.%y' out/*.features out/rows.weft | cmp before -
  run ! cmp -s first.txt out/report.txt
  mk airline MODEL="$M" TRAIN="--head mlp:8 -e 3 --lr 1e-2" >said
  run ! grep -Eq '^(tok|deal|encode|train) ' said
  mk airline MODEL="$M" TRAIN="--head mlp:8 -e 3 --lr 1e-2" SEED=7 >said
  grep -q '^deal -s 7 ' said
  mk airline MODEL="$M" TRAIN="--head mlp:8 -e 3 --lr 1e-2" SEED=7 ROWS=50 >said
  grep -q '^tok ' said
  [ "$(sed -n 's/^rows\t//p' out/report.txt)" -eq 5 ]
}

@test "data by a path with spaces and quotes, from where make is called; one that is not there" {
  mkdir "it's here"
  { echo airline_sentiment,text; for i in {1..40}; do echo "positive,a good cat $i"; echo "negative,bad $i"; done; } \
    >"it's here/my tweets.csv"
  mk airline MODEL="$(golden models/sentence)" DATA="it's here/my tweets.csv" TRAIN='-e 1' >said
  run ! grep -q 'stand in' said
  [ "$(sed -n 's/^rows\t//p' out/report.txt)" -eq 8 ]
  # Other data by another path.
  sed 21q "it's here/my tweets.csv" >"it's here/few"
  touch -d '1 year ago' "it's here/few"
  mk airline MODEL="$(golden models/sentence)" DATA="it's here/few" TRAIN='-e 1' >said
  [ "$(sed -n 's/^rows\t//p' out/report.txt)" -eq 2 ]
  # The same path with other content.
  cp "it's here/my tweets.csv" "it's here/few"
  mk airline MODEL="$(golden models/sentence)" DATA="it's here/few" TRAIN='-e 1' >said
  [ "$(sed -n 's/^rows\t//p' out/report.txt)" -eq 8 ]
  fails_with 2 "airline: no such file: not here.csv" mk airline DATA='not here.csv'
  fails_with 2 "climate: no such file: not here.csv" mk climate CORRECTED='not here.csv'
}

@test "sentiment140: latin-1 without a header; three ways beside each other; rows labelled by hand" {
  printf 'label,text\n4,"a good cat"\n2,"a cat"\n0,bad\n' >'by hand.csv'
  mk sentiment140 MODEL="$(golden models/sentence)" LENGTH=32 EVERY=2 TEST='by hand.csv' \
    CONFIG="$(golden models/sentence/config.json)" SCRATCH='-e 1 -b 32' FROZEN='--freeze encoder -e 2' \
    all >/dev/null
  [ "$(ways out/table.tsv)" = "way tuned frozen scratch " ]
  awk -F '\t' 'NR > 1 { if (NF != 5 || $5 < 50 || $2 > 1) exit 1; n[$1] = $5 }
    END { exit !(n["frozen"] < n["tuned"] && n["tuned"] == n["scratch"]) }' out/table.tsv
  [ "$(sed -n 's/^rows\t//p' out/tuned-by-hand.txt)" -eq 2 ]
  is_picture out/accuracy.png out/loss.png
  # Of 96 tweets with a mood a fifth is measured on; a byte of latin-1 is a letter.
  [ "$(sed -n 's/^rows\t//p' out/tuned.txt)" -eq 19 ]
  printf '"4","1","d","NO_QUERY","u","caf\351 good"\n"0","2","d","NO_QUERY","u","bad"\n' >latin.csv
  mk sentiment140 MODEL="$(golden models/sentence)" LENGTH=32 DATA=latin.csv SAMPLE=100 \
    "$PWD/out/rows.weft" >/dev/null
  show -r out/rows.weft | grep -q '"text": "café good", "label": "positive"'
}

@test "climate: four names; the loop adds rows by margin, and a person's file instead of the data's labels" {
  local args=(MODEL="$(golden models/sentence)" START=60 ADD=20 HEAD='--head linear -e 3 --best f1'
    NOTEBOOK='-e 1 -b 64 --optim sgd --lr 5e-4 --best f1')
  mk climate "${args[@]}" all >/dev/null
  [ "$(ways out/loop.tsv)" = "way first doubtful random " ]
  [ "$(ways out/table.tsv)" = "way notebook head " ]
  grep -q $'^gold\tAnti\tNeutral\tPro\tNews$' out/head.txt
  is_picture out/{margins,confusion,curves}.png
  # The surest of those that are shown is less sure than all that are not.
  [ "$(tok -m "$(golden models/sentence)" -c text out/to-correct.csv | show -r | wc -l)" -eq 20 ]
  sed 1d out/to-correct.csv | sed 's/.*,//' | sort -g | sed -n '$p' >most
  [ "$(sed 1d out/said.csv | awk -F , -v m="$(cat most)" '$NF < m' | wc -l)" -lt 20 ]
  # A person calls them all News.
  awk -F , -v OFS=, 'NR > 1 { $(NF - 2) = "News" } 1' out/to-correct.csv >mine.csv
  mk climate "${args[@]}" CORRECTED=mine.csv >/dev/null
  [ "$(show -r out/doubtful.features | grep -c '"label": "News"')" -eq 20 ]
}

@test "climate: records of several lines are sorted whole" {
  printf 'row,text,gold,label,score,margin\n1,"a\nb ""c""",x,x,0.6,0.3\n2,d,x,x,0.9,0.1\n3,"e,\n\nf",y,y,1,0.2\n' |
    awk -f "$TOP/examples/climate/margins.awk" | sort -g | cut -f 2- | tr '\036' '\n' >got
  printf '2,d,x,x,0.9,0.1\n3,"e,\n\nf",y,y,1,0.2\n1,"a\nb ""c""",x,x,0.6,0.3\n' | cmp - got
}

@test "imdb: a folder as rows; frozen beside whole; what both say of a sentence" {
  mkdir -p 'acl Imdb/train/pos' 'acl Imdb/train/neg' 'acl Imdb/train/unsup'
  for i in {1..20}; do
    echo "a good cat $i" >"acl Imdb/train/pos/${i}_9.txt"
    printf 'a bad\ncat' >"acl Imdb/train/neg/${i}_1.txt"
    echo "a cat" >"acl Imdb/train/unsup/$i.txt"
  done
  mk imdb MODEL="$(golden models/sentence)" POOL=mean LENGTH=32 DATA='acl Imdb' ROWS=30 \
    TUNE='--head mlp:4 --pool mean -e 1' >/dev/null
  [ "$(ways out/table.tsv)" = "way notebook frozen tuned " ]
  [ "$(sed -n 's/^rows\t//p' out/frozen.txt)" -eq 6 ]
  [ "$(show -r out/rows.weft | grep -c '"text": "a bad\\ncat", "label": "negative"')" -gt 5 ]
  [ "$(cut -f 1,2 out/asked.txt | tr '\t\n' '  ')" = "1 negative 1 positive 1 negative 1 positive " ]
  is_picture out/{accuracy,lengths}.png
  rm -r out
  mk imdb MODEL="$(golden models/sentence)" POOL=mean LENGTH=32 ROWS=20 "$PWD/out/rows.weft" >said
  grep -q "VADER's film review snippets stand in" said
}

@test "stance: 6 steps an epoch on 90 rows, the names sorted, the probabilities of both" {
  mk stance MODEL="$(golden models/distilbert-class)" ROWS=90 all rest >/dev/null
  [ "$(tail -n 1 out/tuned.tsv | cut -f 1)" -eq 12 ]
  [ "$(cut -f 1,2 out/probabilities.txt | tr '\t\n' ',,')" = \
    "1,Opposes the product,1,Supports the product,2,Opposes the product,2,Supports the product," ]
  awk -F '\t' '{ s[$1] += $3 } END { exit !(s[1] > 0.9999 && s[1] < 1.0001) }' out/probabilities.txt
  grep -q '^total .* parameters' out/parameters.txt
  [ "$(sed -n 's/^rows\t//p' out/rest.txt)" -eq 6 ]
  is_picture out/loss.png out/calibration.png
}

@test "bias: the words of sentences side by side, and as bars" {
  mk bias >said
  grep -q 'google-bert/bert-base-uncased is not in the cache (weft get google-bert' said
  [ "$(sed 1q out/isms.tsv)" = \
    $'Capitalism is a [MASK] idea.\t\tSocialism is a [MASK] idea.\t\tCommunism is a [MASK] idea.\t' ]
  [ "$(wc -l <out/works.tsv)" -eq 11 ]
  echo 'The woman works as a [MASK].' | tok -m "$(golden models/bert-mask)" | encode | head -T mask |
    score -k 10 | cut -f 2,3 >want
  sed 1d out/works.tsv | cut -f 3,4 | cmp - want
  is_picture out/{works,parents,isms}.png
  mk bias WORKS='A/The cat is a [MASK].' TOPWORDS=3 >/dev/null
  [ "$(sed 1q out/works.tsv)" = $'A cat is a [MASK].\t\tThe cat is a [MASK].\t' ]
}

@test "from-scratch: a model, its heads; the exercise is not right before it is done" {
  mk from-scratch MODEL="$(golden models/sentence)" LENGTH=32 TRAIN='-e 1' \
    CONFIG="$(golden models/sentence/config.json)" >/dev/null
  [ "$(sed -n 's/^rows\t//p' out/report.txt)" -eq 12 ]
  is_picture out/{accuracy,heads}.png
  # The exercise is linked with what the ordinary build has made.
  [ "$(realpath "$WEFT_UNIT")" = "$(realpath "$TOP/build/tests")" ] || skip "another build"
  mk from-scratch check >said 2>&1 && false
  grep -q '^attend: .* is 0, not ' said
  mk from-scratch check ATTEND="$TOP/kernels/attend.c" >said
  grep -q ', 0 failed' said
}

@test "from-scratch: notebook.json is the notebook's shape" {
  echo 'a cat' | tok -m "$(golden models/sentence)" -l label -c text - <<<$'text,label\na,x\nb,y' >rows
  train -q --init-only --scratch "$TOP/examples/from-scratch/small.json" -o small rows
  [ "$(show small | awk '$1 == "layers" { print $2; exit }')" -eq 2 ]
  for want in '"hidden_size": 768' '"num_hidden_layers": 12' '"num_attention_heads": 12' \
    '"intermediate_size": 3072' '"max_position_embeddings": 128' '"layer_norm_eps": 1e-12'; do
    grep -q "$want" "$TOP/examples/from-scratch/notebook.json"
  done
}

@test "summaries, translate, generate: lines in, answers beside them" {
  mk summaries ROWS=3 >/dev/null
  [ "$(wc -l <out/summaries.jsonl)" -eq 3 ]
  [ "$(grep -c '^{"summary_text": ' out/summaries.jsonl)" -eq 3 ]
  [ "$(awk -F '\t' 'NF == 2' out/summaries.tsv | wc -l)" -eq 3 ]
  rm -r out
  mk translate ROWS=3 >/dev/null
  [ "$(grep -c $'^translate English to French: the .* on the mat\t' out/side.tsv)" -eq 3 ]
  rm -r out
  mk generate ROWS=9 PROMPT='the cat' >/dev/null
  [ "$(grep -c '^# gen ' out/answers.txt)" -eq 3 ]
  [ "$(grep -c '^the cat' out/answers.txt)" -eq 4 ]
  [ "$(wc -l <out/perplexity.tsv)" -eq 11 ]
  is_picture out/perplexity.png
}

@test "each has a page that says what it made, and is in README" {
  local dir name
  for dir in "$TOP"/examples/*/; do
    name=$(basename "$dir")
    [ -e "$dir/Makefile" ] && [ "$name" != default ] || continue
    grep -qx 'include ../common.mk' "$dir/Makefile"
    grep -qx "NAME *= $name" "$dir/Makefile"
    [ -s "$dir/README.md" ]
    grep -q "make -C examples/$name" "$dir/README.md"
    grep -q "\`${name}[ \`]" "$TOP/README.md"
    grep -qF "@test \"$name" "$BATS_TEST_FILENAME" || grep -q "mk $name " "$BATS_TEST_FILENAME"
  done
}

@test "distil: of the same vectors model2vec's table, in a folder that weft reads; pairs in order" {
  local sentence g
  # The program is linked with what the ordinary build has made.
  [ "$(realpath "$WEFT_UNIT")" = "$(realpath "$TOP/build/tests")" ] || skip "another build"
  sentence=$(golden models/sentence)
  g=$(golden static)
  mk distil MODEL="$sentence" DIMS=10 >said
  grep -q '^Spearman: ' said
  [ "$(grep -c . out/whole.txt)" -eq 12 ] && [ "$(grep -c . out/static.txt)" -eq 12 ]
  out/distil -m "$sentence" --dims 10 -o made "$g/distil.vectors.safetensors"
  "$WEFT_UNIT/allclose" "$g/distil.table.safetensors" made/model.safetensors embeddings 1e-6
  echo 'the cat' | tok -q -m made | embed | pool | show | grep -q '^row.vector  *F32  *\[1, 10\]'
  show made | grep -q '^pools        mean,normalize$'
  fails_with 1 "200 vectors, but $sentence has 160 entries" out/distil -m "$sentence" -o none \
    <("$WEFT_UNIT/mkstream" <<<"$(for i in {1..200}; do echo 'ids 1'; done)" |
      embed -m "$sentence" | pool --mean)
}
