# train-moved: a head's folder and its encoder's, moved together.
load helper

# told FOLDER KEY: the value of a key that stands alone on its line of config.json.
told() {
  sed -n 's/^ *"'"$2"'": "\{0,1\}\([^",]*\)"\{0,1\},\{0,1\}$/\1/p' "$1/config.json"
}

@test "a head and its encoder that are moved together find each other" {
  mkdir -p was/models was/heads/deep
  cp -r "$(golden models/sentence)" was/models/
  printf 'text,label\na cat,x\nno dog,y\n' | tok -m was/models/sentence -c text -l label |
    encode | pool >v.weft
  train -q -o was/top v.weft
  train -q -o was/heads/deep/one v.weft
  (cd was/heads && train -q -o two "$BATS_TEST_TMPDIR/v.weft")
  [ "$(told was/top relative) $(told was/heads/deep/one relative) $(told was/heads/two relative)" = \
    "../models/sentence ../../../models/sentence ../../models/sentence" ]
  echo 'a cat' | tok -m was/top | encode | weft-head | score >want
  mv was is
  for h in top heads/deep/one heads/two; do
    echo 'a cat' | tok -m is/$h | encode | weft-head | score | cmp - want
    echo 'a cat' | tok -m is/models/sentence | encode | pool | weft-head -m is/$h | score | cmp - want
  done
  # Another model in its place is told by its weights; none is told by its name.
  mv is/models/sentence is/models/gone
  fails_with 1 "is/top was trained on another model's vectors: model folder '$PWD/was/models/sentence'" \
    tok -m is/top <<<'a cat'
  cp -r "$(golden models/bert-model)" is/models/sentence
  echo 'a cat' | tok -q -m is/models/sentence | encode | pool >other.weft
  fails_with 1 "the vectors come from $PWD/is/models/sentence, but the head" weft-head -m is/top other.weft
}

@test "a head on a model of the cache has no way to a folder" {
  printf 'meta model org/tiny\nvector 1 0 | label a\nvector 0 1 | label b\n' |
    "$WEFT_UNIT/mkstream" >cached.weft
  train -q -o out -e 1 cached.weft
  [ "$(told out model)" = org/tiny ]
  run ! grep relative out/config.json
}
