# default: the model that comes with weft.
load helper

moods() {
  tok -q -m default | encode | weft-head | score | cut -f 1
}

@test "README's first line answers as it stands" {
  local line
  line=$(sed -n 's/^    //p' "$TOP/README.md" | sed 1q)
  [[ $line == *'tok -m default'* ]]
  run bash -c "$line"
  [ "$status" -eq 0 ] && [[ $output =~ ^positive$'\t'0\.[0-9]+$ ]]
}

@test "as transformers has it: ids, logits, vectors" {
  local want
  want=$(golden default.safetensors)
  tok -q -m default "$(golden default.txt)" | encode >hidden
  weft-head hidden >logits
  pool hidden >vectors
  "$WEFT_UNIT/allclose" "$want" hidden token.id 0
  "$WEFT_UNIT/allclose" "$want" logits row.logit 2e-5
  "$WEFT_UNIT/allclose" "$want" vectors row.vector 2e-5
}

@test "plain sentences" {
  printf '%s\n' 'I love this flight' 'Best crew ever' 'This was great, thank you!' |
    moods | sort | uniq -c | grep -x ' *3 positive'
  printf '%s\n' 'They lost my bag and were rude.' 'I hate this airline' 'What an awful day' |
    moods | sort | uniq -c | grep -x ' *3 negative'
}

# Behind its layer moods count for more than subjects (examples/default/README.md).
@test "its embeddings' means: what is closest to a query" {
  printf '%s\n' 'the crew was friendly' 'my bag is lost' 'lunch at noon' 'the film was boring' \
    'the phone has a good screen' >lines
  tok -m default lines | embed | pool >lines.weft
  nearest() { echo "$1" | tok -m default | embed | pool | near -k 1 lines.weft | cut -f 4; }
  [ "$(nearest 'a very kind crew')" = 'the crew was friendly' ]
  [ "$(nearest 'where is my luggage? it is lost')" = 'my bag is lost' ]
  [ "$(nearest 'a boring movie')" = 'the film was boring' ]
}

@test "a stream carries the name; stages in other folders find it" {
  mkdir elsewhere
  echo 'I love this' | tok -m default >a.weft
  show a.weft | grep -x 'model *default'
  [ "$(cd elsewhere && encode ../a.weft | weft-head | score | cut -f 1)" = positive ]
  [ "$(WEFT_MODEL=default tok a.weft --decode)" = 'i love this' ]
  [ "$(tok --decode a.weft)" = 'i love this' ]
  embed a.weft | show --digest >/dev/null
  show default | grep -x 'vocabulary *[0-9]*'
  [ "$(echo 'I love this' | WEFT_MODEL=default tok | encode | weft-head | score | cut -f 1)" = positive ]
}

@test "a head on its vectors names it; a model goes on learning from it" {
  printf 'text,label\na good day,x\na bad day,y\n' >t.csv
  tok -m default -c text -l label t.csv >ids.weft
  encode ids.weft | pool | train -q -o headed -e 2
  grep -q '"model": "default"' headed/config.json
  run ! grep -q relative headed/config.json
  (cd /; echo 'a good day' | tok -m "$BATS_TEST_TMPDIR/headed" | encode | weft-head | score) | grep '^[xy]	'
  train -q -m default -o tuned -e 1 ids.weft
  echo 'a good day' | tok -m tuned | encode | weft-head | score | grep '^[xy]	'
}

@test "a folder called default: one with a model is meant, one without is not" {
  mkdir default
  [ "$(echo 'I love this' | moods)" = positive ]
  cp -r "$(golden models/bert-class)"/* default/
  echo 'I love this' | tok -m default | show | grep -x "model *$PWD/default"
}

@test "installed, and where it is not" {
  mkdir -p usr/libexec/weft usr/share/weft
  cp "$WEFT_BIN"/{tok,encode,weft-head,score} usr/libexec/weft/
  export PATH=$PWD/usr/libexec/weft:$PATH
  fails_with 1 "no model 'default' in $PWD/usr/libexec/weft/../../share/weft/default: \`make install\` puts it there" \
    tok -m default <<<'a'
  cp -r "$TOP/share/default" usr/share/weft/default
  [ "$(echo 'I love this' | moods)" = positive ]
}

@test "make install brings all of it, make uninstall takes it away" {
  (cd "$TOP/share" && find default -type f | sort) >want
  make -s -C "$TOP" -n install PREFIX=/usr DESTDIR="$PWD/d" | grep -q "share/weft"
  local files
  files=$(make -s -C "$TOP" --eval='print: ; @echo $(SHARED)' print)
  tr ' ' '\n' <<<"$files" | sort | diff want -
}

@test "it is small, says what it was made of, and no more" {
  local folder=$TOP/share/default
  [ "$(cat "$folder"/* "$folder"/*/* 2>/dev/null | wc -c)" -le 6000000 ]
  grep -q 'Apache' "$folder/README.md"
  grep -q 'Apache License' "$folder/LICENSE"
  grep -q 'MIT' "$folder/README.md"
  run ! grep -qE 'training|_name_or_path|/' "$folder/config.json"
  [ -z "$(find "$folder" -name '*.bin')" ]
}

# The least that README promises, where the data is.
@test "Sentiment-140's tweets: negative or positive, three of four and more" {
  need_shared s140-test.csv
  tok -q -m default -c text -l label "$(shared s140-test.csv)" >s.weft
  encode s.weft | weft-head | score -k 0 --wide >scores
  show -r s.weft | sed 's/.*"label": "\([024]\)".*/\1/' | paste - scores |
    awk '$1 != 2 { n++; right += ($3 > $5) == ($1 == 0) } END { print right / n, n; exit !(n > 300 && right / n >= 0.78) }'
}
