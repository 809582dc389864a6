# tok.bats - text to ids: every option, the rows that come out, what is refused.
# The tokenizers themselves are compared with the reference in unit/text_test.c.
load helper

each_setup() {
  M=$(golden models/wordpiece-uncased)
  PATH=$WEFT_UNIT:$PATH
}

# ids: of each row of the stream on standard input, a line each.
ids() { show -r | sed 's/.*"ids": \[\([^]]*\)\].*/\1/'; }
# member NAME: that member of each row, as JSON.
member() { show -r | grep -o "\"$1\": \(\"[^\"]*\"\|{[^}]*}\|\[[^]]*\]\)" | sed "s/^\"$1\": //"; }

csv() {
  cat >t.csv <<'END'
id,text,more,mood,weight
7,the cat,who was it,0,1
8,"was, when
it","a ""b""",4,0.5
9,there,,,2
END
}

@test "lines: text, ids, spans, parts, types, source" {
  printf 'the cat\r\n\nWas it?' >in
  tok -m "$M" in >out
  run -0 show -r out
  [ "${#lines[@]}" -eq 3 ]
  [ "${lines[0]}" = '{"text": "the cat", "ids": [2, 478, 44, 1048, 3], "tokens": ["[CLS]", "the", "c", "##at", "[SEP]"], "spans": [[0, 0], [0, 3], [4, 5], [5, 7], [0, 0]]}' ]
  [ "${lines[1]}" = '{"text": "", "ids": [2, 3], "tokens": ["[CLS]", "[SEP]"], "spans": [[0, 0], [0, 0]]}' ]
  run -0 show -n token.part out
  run -0 show out
  for t in row.tokens token.id token.part token.type token.span row.source row.text; do
    [[ $output == *"$t"* ]] || { echo "no $t" >&2; false; }
  done
  [[ $output == *"$(realpath "$M")"* ]]
}

@test "standard input, -, files one after another" {
  echo 'the cat' >a
  echo 'was it' >b
  tok -m "$M" a b | ids >want
  cat a b | tok -m "$M" | ids | cmp - want
  tok -m "$M" a - <b | ids | cmp - want
}

@test "-0: texts may hold newlines" {
  printf 'the\ncat\0was\0' | tok -m "$M" -0 >out
  [ "$(member text <out)" = $'"the\\ncat"\n"was"' ]
}

@test "--labels: names in quotes" {
  printf 'text,mood\na,"x, y"\nb,2\nc,"say ""no"""\n' >t.csv
  tok -m "$M" -c text -l mood --labels '"x, y" ,2="z, ""w""","say ""no"""=n' t.csv >out
  [ "$(show -r out | grep -o '"label": "[^}]*", "ids"' | cut -d '"' -f 4- )" = "$(
    printf '%s\n' 'x, y", "ids"' 'z, \"w\"", "ids"' 'n", "ids"')" ]
  show out | grep -qF '["x, y","z, \\"w\\"","n"]'
  fails_with 2 "--labels: a quote is left open: close it" tok -m "$M" -c text -l mood --labels '"x' t.csv
  fails_with 2 "--labels: text behind a closing quote" tok -m "$M" -c text -l mood --labels '"x"y' t.csv
  fails_with 2 "has an empty name" tok -m "$M" -c text -l mood --labels '"",y' t.csv
  fails_with 2 "--labels: not UTF-8" tok -m "$M" -c text -l mood --labels $'\xff' t.csv
}

@test "CSV: columns by name and number, quotes, kept columns, labels, weights" {
  csv
  tok -m "$M" -c text -p more -l mood -w weight -k id -k 5 --labels 0=bad,4=good t.csv >out
  [ "$(member text <out)" = $'"the cat"\n"was, when\\nit"\n"there"' ]
  [ "$(member label <out)" = $'"bad"\n"good"' ]
  [ "$(member keep <out)" = $'{"id": "7", "5": "1"}\n{"id": "8", "5": "0.5"}\n{"id": "9", "5": "2"}' ]
  run -0 show out
  [[ $output == *'["bad","good"]'* ]]
  show -n row.weight out | tail -c 12 | od -An -tf4 | tr -s ' ' >weights
  [ "$(cat weights)" = ' 1 0.5 2' ]
  show -n token.part out | tail -c +129 | od -An -tu1 -v | tr -s ' \n' ' ' >parts
  [ "$(cut -c 1-22 parts)" = ' 255 0 0 0 255 1 1 1 2' ]
  tok -m "$M" -c 2 t.csv | ids >one
  tok -m "$M" -c text t.csv | ids | cmp - one
}

@test "CSV without a header, with another delimiter" {
  printf 'x\tthe cat\nx\twas it\n' >t.tsv
  tok -m "$M" -c 2 -H -d '\t' t.tsv | member text >got
  [ "$(cat got)" = $'"the cat"\n"was it"' ]
  tr '\t' ';' <t.tsv | tok -m "$M" -c 2 -H -d ';' | member text | cmp - got
}

@test "JSON lines: text, pair, label, kept fields" {
  printf '%s\n' '{"t":"the cat","p":"was it","l":3,"k":true}' '' '{"t":"there","p":"","l":null}' >t.json
  tok -m "$M" -J t -p p -l l -k k t.json >out
  [ "$(member text <out)" = $'"the cat"\n"there"' ]
  [ "$(member label <out)" = '"3"' ]
  [ "$(ids <out | tail -n 1 | tr -d ' ')" = '2,526,3,3' ]
}

@test "-n: rows are cut, and how many is told" {
  printf 'the cat was there\nit\n' >in
  run --separate-stderr -0 tok -m "$M" -n 4 in
  [ "$stderr" = 'tok: 1 row cut to 4 tokens' ]
  tok -q -m "$M" -n 4 in 2>said | ids >got
  [ "$(head -n 1 got)" = '2, 478, 44, 3' ]
  [ ! -s said ]
  tok -m "$M" -n 0 in 2>said | ids >got
  [ ! -s said ]
  # The model's own maximum is 48.
  printf 'it %.0s' {1..60} >in
  run --separate-stderr -0 tok -m "$M" in
  [ "$stderr" = 'tok: 1 row cut to 48 tokens' ]
  fails_with 2 'special tokens alone are 2' tok -m "$M" -n 2 in
  fails_with 2 'special tokens alone are 3' tok -m "$M" -n 3 -J a -p b in
}

@test "--trunc: what is cut of a pair" {
  printf '{"a":"was was was was","b":"it it it it"}\n' >in
  w=$(echo was | tok -m "$M" | ids | cut -d ' ' -f 2) i=$(echo it | tok -m "$M" | ids | cut -d ' ' -f 2)
  pair() { tok -q -m "$M" -J a -p b "$@" in | ids; }
  [ "$(pair -n 9)" = "2, $w $w $w 3, $i $i $i 3" ]
  [ "$(pair -n 9 --trunc longest)" = "$(pair -n 9)" ]
  [ "$(pair -n 9 --trunc first)" = "2, $w $w 3, $i $i $i $i 3" ]
  [ "$(pair -n 9 --trunc second)" = "2, $w $w $w $w 3, $i $i 3" ]
  fails_with 1 'in: record 1: 4 tokens are left for both texts' tok -m "$M" -J a -p b -n 7 --trunc first in
  fails_with 2 'longest, first, second' tok --trunc third
}

@test "-S: windows of one record" {
  echo 'was it was it was it was' >in
  tok -m "$M" -n 5 -S 1 in >out
  [ "$(ids <out | wc -l)" -eq 3 ]
  [ "$(member text <out | sort -u | wc -l)" -eq 1 ]
  show -n row.source out | tail -c 24 | od -An -tu8 -v | tr -s ' \n' ' ' >source
  [ "$(cat source)" = ' 0 0 0 ' ]
  fails_with 1 'cannot overlap by 3: lower -S or raise -n' tok -m "$M" -n 5 -S 3 in
  fails_with 2 'give -n N' tok -m "$M" -n 0 -S 3 in
}

@test "--prefix is part of the text" {
  echo 'the cat' | tok -m "$M" --prefix 'was it: ' >out
  [ "$(member text <out)" = '"was it: the cat"' ]
  [ "$(ids <out)" = "$(echo 'was it: the cat' | tok -m "$M" | ids)" ]
}

@test "--ids: rows of numbers need no model" {
  printf '101 7, 9\n\n2147483647\n' | tok --ids >out
  [ "$(ids <out)" = $'101, 7, 9\n\n2147483647' ]
  printf '1 2 3\n' | tok -q --ids -n 2 | ids >got
  [ "$(cat got)" = '1, 2' ]
  fails_with 1 "stdin: record 1: id 2: -3 is out of range" tok --ids < <(echo '1 -3')
  fails_with 1 'out of range' tok --ids < <(echo 2147483648)
  fails_with 2 '--ids takes no' tok --ids --prefix x
}

@test "no input is an empty stream" {
  tok -m "$M" </dev/null >out
  run -0 show out
  [[ $output == *'rows     0'* ]]
  printf 'text\n' | tok -m "$M" -c text >out
  [ -z "$(show -r out)" ]
}

@test "a pause sends what is there" {
  (echo 'the cat'; sleep 2; echo it) | tok -m "$M" | show -r | (
    read -r -t 1.5 line && [[ $line == *'the cat'* ]]; status=$?; cat >/dev/null; exit $status)
}

@test "the same rows however the bytes come" {
  csv
  tok -m "$M" -c text t.csv | show --digest >want
  drip <t.csv | tok -m "$M" -c text | show --digest | cmp - want
}

@test "more rows than a frame holds" {
  yes 'was it the cat' | head -n 5000 | tok -m "$M" >out
  [ "$(show -r out | wc -l)" -eq 5000 ]
  [ "$(frames -d out | wc -l)" -gt 0 ]
}

@test "WEFT_MODEL, and the fingerprint of the vocabulary" {
  echo it | WEFT_MODEL=$M tok | ids >got
  echo it | tok -m "$M" | ids | cmp - got
  fingerprint() { echo it | tok -m "$1" | show | sed -n 's/^vocab *//p'; }
  mkdir again lower
  cp "$M"/vocab.txt "$M"/tokenizer_config.json again
  [ "$(fingerprint again)" = "$(fingerprint "$M")" ] # tokenizer.json or vocab.txt: the same
  cp "$M"/vocab.txt lower
  echo '{"do_lower_case": false}' >lower/tokenizer_config.json
  [ "$(fingerprint lower)" != "$(fingerprint "$M")" ]
  sed '$d' "$M"/vocab.txt >again/vocab.txt
  [ "$(fingerprint again)" != "$(fingerprint "$M")" ]
}

@test "a fault: rows before it are delivered, the stream says failed" {
  printf 'the cat\nb\xe9d\nit\n' >in
  run --separate-stderr -1 bash -c "tok -m '$M' in | show -r"
  [[ $output == *'the cat'* && $output != *'"it"'* ]]
  [ "$stderr" = 'tok: in: record 2: byte 2 is not UTF-8: convert it first (iconv -f latin1 -t utf8)' ]
  csv
  run --separate-stderr -1 bash -c "tok -m '$M' -c text -l mood --labels 0 t.csv | show -r"
  [ "${#lines[@]}" -eq 1 ]
  [ "$stderr" = "tok: t.csv: record 2: label '4' is not one of 0" ]
}

@test "data that is refused" {
  csv
  fails_with 1 "t.csv: header: no column 'texts': there are id, text, more, mood, weight" tok -m "$M" -c texts t.csv
  fails_with 1 "record 2: weight: '0.5x' is not a number" bash -c "sed s/0.5/0.5x/ t.csv | tok -m '$M' -c text -w weight"
  fails_with 1 'weight: -1 is out of range' bash -c "sed s/0.5/-1/ t.csv | tok -m '$M' -c text -w weight"
  fails_with 1 'record 1: 1 field, but the header has 2' bash -c "printf 'a,b\nc\n' | tok -m '$M' -c a"
  fails_with 1 "no field 'x': there are t" bash -c "echo '{\"t\":1}' | tok -m '$M' -J x"
  fails_with 1 "record 1: no text in 't'" bash -c "echo '{\"t\":null}' | tok -m '$M' -J t"
  fails_with 1 'not there: No such file' tok -m "$M" 'not there'
}

@test "models that are refused" {
  mkdir m
  fails_with 1 'no tokenizer.json, vocab.txt' tok -m m
  fails_with 1 'no model' tok
  touch m/vocab.txt
  fails_with 1 'vocab.txt: empty' tok -m m
  printf '[UNK]\n[CLS]\n[SEP]\nthe\nthe\n' >m/vocab.txt
  fails_with 1 "vocab.txt: line 5: 'the' is there twice" tok -m m
  printf '[CLS]\n[SEP]\nthe\n' >m/vocab.txt
  fails_with 1 "no '[UNK]' in the vocabulary" tok -m m
  printf '[UNK]\n[CLS]\nthe\n' >m/vocab.txt
  fails_with 1 "no '[SEP]' in it" tok -m m
  # In tokenizer.json every component that is not known is named.
  edit() { sed "$1" "$M/tokenizer.json" >m/tokenizer.json; }
  edit 's/"type": *"WordPiece"/"type":"CharPiece"/'
  fails_with 1 "m/tokenizer.json: model 'CharPiece' is not supported" tok -m m
  edit 's/BertNormalizer/NFKX/'
  fails_with 1 "normalizer 'NFKX' is not supported" tok -m m
  edit 's/BertPreTokenizer/Metaspace/'
  fails_with 1 "pre_tokenizer 'Metaspace' is not supported" tok -m m
  edit 's/TemplateProcessing/GuessProcessing/'
  fails_with 1 "post_processor: 'GuessProcessing' is not supported" tok -m m
  edit 's/"max_input_chars_per_word": *100/"max_input_chars_per_word": 99999999/'
  fails_with 1 'max_input_chars_per_word: 99999999 is out of range' tok -m m
  edit 's/"the": *[0-9]*/"the": 4000000000/'
  fails_with 1 "'the' has no proper id" tok -m m
  edit 's/"the": *[0-9]*/"the": 300000000/'
  fails_with 1 'out of reason' tok -m m
  edit 's/"the": *[0-9]*/"the": 3/'
  fails_with 1 'id 3 is there twice' tok -m m
  head -c 2000 "$M/tokenizer.json" >m/tokenizer.json
  fails_with 1 'm/tokenizer.json: line' tok -m m
}

@test "command lines that are refused" {
  fails_with 2 'say which the text is in' tok -m "$M" -l mood
  fails_with 2 'name the text' tok -m "$M" -H
  fails_with 2 'exclude each other' tok -m "$M" -c a -J b
  fails_with 2 'needs the label' tok -m "$M" -c a --labels x,y
  fails_with 2 'has an empty name' tok -m "$M" -c a -l b --labels x,,y
  fails_with 2 "'x' is there twice" tok -m "$M" -c a -l b --labels x,x
  fails_with 2 'is no delimiter' tok -m "$M" -c a -d ';;'
  fails_with 2 '-k b is there twice' tok -m "$M" -c a -k b -k b
  fails_with 2 'exclude each other' tok --conll -c a
  fails_with 2 'say which the text is in' tok --conll -l b
  fails_with 2 'its words stand by themselves' tok --conll --prefix x
  fails_with 2 '--decode reads ids' tok --decode -c a
  fails_with 2 '--decode reads ids' tok --decode -n 5
  fails_with 2 '--raw is about --decode' tok --raw
  fails_with 2 '--task and --prefix' tok --task x --prefix y
  local o
  for o in '-S 1' '--trunc first' --ids --conll '-J a -p b'; do
    # shellcheck disable=SC2086 # an option and its argument
    fails_with 2 '-z makes the pairs' tok -z a $o
  done
  fails_with 2 "--template 'x' has no {}" tok -z a --template x
  fails_with 2 'give some with -z' tok --template 'x {}'
  fails_with 2 'no candidates' tok -z ' , '
  fails_with 2 'a quote is left open' tok -z '"a'
  fails_with 2 'text behind a closing quote' tok -z '"a"b'
  fails_with 2 'not UTF-8' tok -z $'\xff'
}

# rows_like NAME OPTION...: row for row all that the reference has; token types where they are.
rows_like() {
  local name=$1 drop=none
  shift
  grep -q token.type "$(golden "tok/$name.rows")" || drop=token.type
  tok -q -m "$M" "$@" | frames -R "$drop" >got
  frames -d got | diff - "$(golden "tok/$name.rows")"
}

@test "-S: the windows of question answering are the reference's" {
  local x
  for x in 20-0 20-1 20-3 24-7 31-12 48-5; do
    rows_like "qa-$x" -J question -p context -n "${x%-*}" -S "${x#*-}" "$(golden tok/qa.jsonl)"
    rows_like "qf-$x" -J context -p question --trunc first -n "${x%-*}" -S "${x#*-}" \
      "$(golden tok/qa.jsonl)"
  done
}

@test "the same of RoBERTa's and T5's templates" {
  local x name
  for name in rows-roberta rows-t5; do
    M=$(golden "models/$name")
    for x in 24-3 31-0 40-9; do
      rows_like "$name-qa-$x" -J question -p context -n "${x%-*}" -S "${x#*-}" "$(golden tok/qa.jsonl)"
      rows_like "$name-qf-$x" -J context -p question --trunc first -n "${x%-*}" -S "${x#*-}" \
        "$(golden tok/qa.jsonl)"
    done
    rows_like "$name-candidates-40" -z 'politics,"sports, games",new phones,日本' \
      --template 'This text is about {}.' -n 40 "$(golden tok/candidates.txt)"
    rows_like "$name-sentences-60" --conll -n 60 "$(golden tok/sentences.conll)"
    rows_like "$name-sentences-12-3" --conll -n 12 -S 3 "$(golden tok/sentences.conll)"
  done
}

@test "-z: the pairs of the reference's zero-shot pipeline" {
  local n
  for n in 21 24 48; do
    rows_like "candidates-$n" -z ' politics , "sports, games",new phones,,日本 ' \
      --template 'This text is about {}.' -n "$n" "$(golden tok/candidates.txt)"
  done
  [[ $(show got) == *'candidates ["politics","sports, games","new phones","日本"]'* ]]
  echo 'the cat' | tok -m "$M" -z '"a ""b"""' | frames -d | grep -q "row.pair: 'This example is a \"b\".'"
  echo 'the cat' | tok -m "$M" -z was --template '{}{}' | frames -d | grep -q "row.pair: 'waswas'"
  csv
  tok -m "$M" -c text -l mood -k id -z was,it t.csv >out
  [ "$(member label <out | tr '\n' ' ')" = '"0" "0" "4" "4" ' ]
  [ "$(member keep <out | uniq -c | tr -s ' \n' ' ')" = ' 2 {"id": "7"} 2 {"id": "8"} 2 {"id": "9"} ' ]
  run --separate-stderr -1 bash -c "tok -q -m '$M' -n 9 -z 'it,who was it that was there' t.csv"
  [ "$stderr" = 'tok: t.csv: record 1: 6 tokens are left for text and candidate, and one candidate has 14: raise -n, or shorten --template' ]
}

@test "-z: a record's rows stay in one frame" {
  yes 'was it the cat' | head -n 3000 | tok -m "$M" -z a,b,c,d,e,f,g >out
  [ "$(frames -d out | grep -c '^row')" -eq 21000 ]
  frames -l out | awk '/rows/ { for (i = 1; i < NF; i++) if ($(i + 1) ~ /^rows/ && $i % 7) exit 1 }'
}

@test "--conll: words and tags as the reference aligns them" {
  local f
  f=$(golden tok/sentences.conll)
  rows_like sentences-48 --conll -n 48 "$f"
  rows_like sentences-9 --conll -n 9 "$f"
  rows_like sentences-9-0 --conll -n 9 -S 0 "$f"
  rows_like sentences-12-3 --conll -n 12 -S 3 "$f"
  drip <"$f" | tok -m "$M" --conll | frames -d | diff - "$(golden tok/sentences-48.rows)"
}

@test "--conll: columns, files, labels, what is refused" {
  printf 'the\nwas\r\n\n\n  \nit' >words
  tok -m "$M" --conll words >out
  [ "$(member text <out | tr '\n' ' ')" = '"the was" "it" ' ]
  [[ $(show out) != *token.label* ]]
  printf 'the\tx\tO\nwas there\ty\t\n' >tabs
  printf -- '-DOCSTART- O\n\nit PER\n' >spaces
  tok -m "$M" --conll tabs spaces >out
  [ "$(member text <out | tr '\n' ' ')" = '"the was there" "it" ' ]
  frames -d out | grep -o "token.label:[^r]*" >got
  [ "$(cat got)" = $'token.label: \'\' \'O\' \'\' \'\' \'\' \ntoken.label: \'\' \'PER\' \'\' ' ]
  tok -m "$M" --conll --labels O=none,PER=person tabs spaces >out
  [[ $(show out) == *'["none","person"]'* ]]
  frames -d out | grep -q "'person'"
  fails_with 1 "spaces: record 1: word 1: label 'PER' is not one of O" tok -m "$M" --conll --labels O tabs spaces
  printf 'a O\n\nb O\nc N O\n' >uneven
  fails_with 1 'uneven: record 2: line 4: 3 columns, but the first line has 2' tok -m "$M" --conll uneven
  run --separate-stderr -1 bash -c "tok -m '$M' --conll uneven | show -r"
  [ "${#lines[@]}" -eq 1 ]
  fails_with 1 'words: record 1: line 1: a word without a tag, but the files before have tags' \
    tok -m "$M" --conll tabs words
  printf '\tO\n' >empty
  fails_with 1 'record 1: line 1: no word' tok -m "$M" --conll empty
  printf 'a O\nb\xff O\n' >bad
  fails_with 1 'bad: record 1: line 2: byte 2 is not UTF-8' tok -m "$M" --conll bad
  printf 'a\0 O\n' >bad
  fails_with 1 'bad: record 1: line 1: byte 2 is NUL' tok -m "$M" --conll bad
}

@test "--task: the prefix that config.json has for it" {
  mkdir t5
  cp "$M"/tokenizer* t5
  echo '{"task_specific_params": {"sum": {"prefix": "was it: "}, "none": {}}}' >t5/config.json
  echo 'the cat' | tok -m t5 --task sum | member text >got
  [ "$(cat got)" = '"was it: the cat"' ]
  echo 'the cat' | tok -m t5 --task sum | show | grep '^task' >got
  [ "$(cat got)" = 'task     sum' ]
  echo 'the cat' | tok -m t5 --task none | member text >got
  [ "$(cat got)" = '"the cat"' ]
  fails_with 1 "has no task 'x': it has sum, none" tok -m t5 --task x
  fails_with 1 'has no tasks' tok -m "$M" --task x
}

# Some 700 kB: more than one thread does by itself.
many() { seq 12000 | sed 's/$/ was it the cat? there, who said that it was so/'; }

@test "-j: the same rows whatever the threads" {
  many >in
  tok -m "$M" -j 1 in | show --digest >want
  local j
  for j in 2 3 8; do tok -m "$M" -j "$j" in | show --digest | cmp - want; done
  WEFT_THREADS=5 tok -m "$M" in | show --digest | cmp - want
  (echo id,text,pair && seq 9000 | sed 's/.*/&,"the ""cat"", & was it there?",who &/') >in.csv
  tok -q -m "$M" -j 1 -c text -p pair -k id -n 12 in.csv | show --digest >want
  tok -q -m "$M" -j 3 -c text -p pair -k id -n 12 in.csv | show --digest | cmp - want
  seq 90000 | awk '{ print "was" $0, $0 % 3 ? "O" : "B" } $0 % 11 == 0 { print "" }' >in.conll
  tok -q -m "$M" -j 1 --conll -n 20 -S 2 in.conll | show --digest >want
  tok -q -m "$M" -j 4 --conll -n 20 -S 2 in.conll | show --digest | cmp - want
  run --separate-stderr -0 bash -c "tok -m '$M' -j 1 -n 5 in | wc -l"
  [ "$stderr" = 'tok: 12000 rows cut to 5 tokens' ]
  run --separate-stderr -0 bash -c "tok -m '$M' -j 4 -n 5 in | wc -l"
  [ "$stderr" = 'tok: 12000 rows cut to 5 tokens' ]
}

@test "-j: a fault is told where it is, behind all rows before it" {
  local j
  for j in 1 4; do
    (many && printf 'b\xe9d\n' && many) >in
    run --separate-stderr -1 bash -o pipefail -c "tok -m '$M' -j $j in | frames -d | grep -c ^row"
    [ "$stderr" = 'tok: in: record 12001: byte 2 is not UTF-8: convert it first (iconv -f latin1 -t utf8)' ]
    [ "$output" = 12000 ]
    (echo text,w && seq 30000 | sed 's/.*/the cat was there &,1/' && echo 'it,x' && seq 30000 | sed 's/.*/& it,y/') >in.csv
    run --separate-stderr -1 bash -o pipefail -c "tok -m '$M' -j $j -c text -w w in.csv | frames -d | grep -c ^row"
    [ "$stderr" = "tok: in.csv: record 30001: weight: 'x' is not a number" ]
    [ "$output" = 30000 ]
  done
}

@test "-j: a pause sends what is there" {
  local i
  : >got
  { many; for ((i = 0; i < 300; i++)); do [ -e stop ] && break; sleep 0.1; done; echo it; } |
    tok -m "$M" -j 3 | show -r >got &
  for ((i = 0; i < 200 && $(wc -l <got) < 12000; i++)); do sleep 0.1; done
  [ "$(wc -l <got)" -eq 12000 ] # while the reader waits for more
  touch stop
  wait
  [ "$(wc -l <got)" -eq 12001 ]
}

@test "a reader that leaves ends it quietly" {
  local j
  for j in 1 3; do
    run --separate-stderr -0 bash -c "yes 'was it the cat' | tok -m '$M' -j $j | head -c 100 >/dev/null"
    [ -z "$stderr" ]
  done
  [ -e /dev/full ] || skip "no /dev/full"
  many >in
  fails_with 1 'standard output: cannot write: No space left' bash -c "tok -m '$M' -j 3 in >/dev/full"
}

@test "NUL bytes are refused, but between texts with -0" {
  printf 'the cat\nwa\0s\nit\n' >in
  run --separate-stderr -1 bash -c "tok -m '$M' in | show -r"
  [ "${#lines[@]}" -eq 1 ]
  [ "$stderr" = "tok: in: record 2: byte 3 is NUL, which no text has: remove it (tr -d '\\0')" ]
  [ "$(tok -m "$M" -0 in | show -r | wc -l)" -eq 2 ]
}

# ids_like NAME FILE OPTION...: row for row the ids that the reference has.
ids_like() {
  local name=$1 file=$2
  shift 2
  tok -q -m "$(real_model)" "$@" "$file" | show -r |
    sed -n 's/.*"ids": \[\([0-9, ]*\)\].*/\1/p' >ids
  grep -q "^$name	$(wc -l <ids)	$(sha256sum <ids | cut -d' ' -f1)$" "$(golden tok/real.tsv)" ||
    { echo "$name: $(wc -l <ids) rows, other ids than the reference" >&2; return 1; }
}

@test "real tweets: the reference's ids" {
  need_model
  need_shared Tweets.csv s140-test.csv wikitext2-test.txt
  ids_like Tweets.csv "$(shared Tweets.csv)" -c text
  ids_like s140-test.csv "$(shared s140-test.csv)" -c text
  ids_like wikitext2-test.txt "$(shared wikitext2-test.txt)"
}

@test "VADER's texts: the reference's ids" {
  local name
  need_model
  [ -d "$TOP/data/vader" ] || skip "no tweets: make tweets"
  for name in tweets movieReviewSnippets amazonReviewSnippets nytEditorialSnippets; do
    ids_like ${name}_GroundTruth.txt "$TOP/data/vader/${name}_GroundTruth.txt"
  done
}

@test "real tweets: rows in are rows out" {
  need_shared Tweets.csv
  need_model
  tok -q -m "$(real_model)" -c text -l airline_sentiment "$(shared Tweets.csv)" >out
  [ "$(show -r out | wc -l)" -eq 14640 ]
  [ "$(member label <out | sort | uniq -c | tr -s ' \n' ' ')" = ' 9178 "negative" 3099 "neutral" 2363 "positive" ' ]
}

@test "windows of a line of 20 MB: each byte and each token is there once, in memory and in the stream" {
  need_limit 400000
  yes 'the cat was there' | head -c 20000000 | tr '\n' ' ' >long
  ulimit -v 400000
  tok -q -j 1 -m "$(golden models/bert-class)" -n 64 -S 16 long >ids
  [ "$(stat -c %s ids)" -lt 140000000 ] # 6.2 million tokens of 14 bytes, and the text
  show ids | grep -qx 'tokens   6183572'
}
