# embed.bats - embed: the hidden states that the first layer reads. Their numbers are compared
# with the reference's in golden.bats.
load helper

each_setup() {
  M=$(golden models/bert-class)
  printf '%s\n' 'the cat sat' 'I love this flight' >texts
  tok -m "$M" texts >ids
}

@test "embed is encode -L 0" {
  [ "$(embed ids | show --digest)" = "$(encode -L 0 ids | show --digest)" ]
  embed ids | show | grep -q '^layer  *0$'
}

@test "embeddings look at one token, whatever stands around it" {
  printf '%s\n' 'cat sat on' 'cat love' | tok -m "$M" | embed >two
  show -r two | grep -q '"text": "cat sat on"'
  # [CLS] cat: the same two tokens in the same two places.
  printf 'cat\n' | tok -m "$M" | embed | pool --cls | show --digest | grep vector >a
  show -n token.hidden two >two.npy
  pool --cls two | show -n row.vector >cls.npy
  [ "$(tail -c 256 cls.npy | head -c 128 | sha256sum)" = "$(tail -c 128 cls.npy | sha256sum)" ]
  printf 'cat sat on\n' | tok -m "$M" | embed | pool --cls | show --digest | grep vector >b
  cmp a b
}

@test "an id outside the vocabulary" {
  printf '1 2 3\n99999\n' | tok --ids -m "$M" >far
  fails_with 1 'row 2: token id 99999 is outside' embed far
}

@test "no ids in the stream" {
  encode ids | pool >vectors
  fails_with 1 'no token.id' embed vectors
}
