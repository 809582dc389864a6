# weft-head.bats - our head: hidden states or vectors to logits. Numbers are compared with the
# reference's in golden.bats, the choice between head(1) and ours is tested in head-choice.bats.
load helper

each_setup() {
  M=$(golden models/bert-class)
  printf '%s\n' 'text,label' 'the cat sat,negative' 'I love this flight,positive' \
    'they never said why,negative' >texts.csv
  tok -m "$M" -c text -l label --labels negative,neutral,positive texts.csv | encode >hidden
}

@test "hidden states and pooled vectors give the same logits" {
  weft-head hidden | show --digest | grep row.logit >a
  pool --pooler hidden | weft-head | show --digest | grep row.logit >b
  cmp a b
  weft-head hidden | show >out
  grep -q '^task  *class$' out
  grep -q '^classes  *\["negative","neutral","positive"\]$' out
}

@test "hidden states stay off the pipe, the rest goes on" {
  weft-head hidden | show --digest >out
  run grep -c token.hidden out
  [ "$output" = 0 ]
  grep -q token.id out
  grep -q row.label out
}

@test "vectors that the head was not made for" {
  fails_with 1 'pooled by mean' weft-head <(pool --mean hidden)
  tok -m "$M" -c text texts.csv | encode -L 1 >one
  fails_with 1 'layer 1' weft-head one
  fails_with 1 'was made for' weft-head -m "$(golden models/bert-relu)" hidden
}

@test "a head that train made: for its vectors, and by itself from hidden states" {
  pool --mean hidden >vectors
  train -q -o moods -e 1 vectors
  weft-head -m moods vectors | show --digest | grep row.logit >a
  weft-head -m moods hidden | show --digest | grep row.logit >b
  cmp a b
  tok -m moods -c text texts.csv | encode | weft-head | show --digest | grep row.logit >c
  cmp a c
  fails_with 1 'pooled by cls' weft-head -m moods <(pool --cls hidden)
}

@test "a checkpoint without a class head says what would make one" {
  tok -m "$(golden models/sentence)" -c text texts.csv | encode >plain
  fails_with 1 'has no class head: train one' weft-head plain
}

@test "words that are no task" {
  fails_with 2 'is not one of class' weft-head -T nonsense hidden
}

@test "neither hidden states nor vectors" {
  fails_with 1 'encode' weft-head <(tok -m "$M" -c text texts.csv)
}
