# pool.bats - pool: many hidden states to one vector a row. The numbers are compared with the
# reference's in golden.bats.
load helper

each_setup() {
  M=$(golden models/bert-class)
  printf '%s\n' 'text,label' 'the cat sat,a' 'I love this flight,b' >texts.csv
  tok -m "$M" -c text -l label texts.csv | encode >hidden
}

pooled() {
  show | sed -n 's/^pool  *//p'
}

@test "what the folder says, else the family's way" {
  [ "$(pool <hidden | pooled)" = pooler ]
  [ "$(tok -m "$(golden models/sentence)" -c text texts.csv | encode | pool | pooled)" = mean,normalize ]
}

@test "without a pooler the first token" {
  cp -r "$M" bare
  chmod -R u+w bare
  # The layer goes by another name, as it does where a checkpoint has none.
  LC_ALL=C sed -i 's/bert\.pooler\.dense/bert.nobody.cares/g' bare/model.safetensors
  [ "$(tok -m bare -c text texts.csv | encode | pool | pooled)" = cls ]
  fails_with 1 'pooler.dense.weight' pool --pooler -m bare hidden
}

@test "the way that is asked for, and its length" {
  for way in mean cls max last pooler; do
    [ "$(pool --$way <hidden | pooled)" = $way ]
    [ "$(pool --$way -n <hidden | pooled)" = $way,normalize ]
  done
  pool --max -n <hidden | show -r | sed 's/.*"vector": \[\([^]]*\)\].*/\1/' |
    awk -F, '{ s = 0; for (i = 1; i <= NF; i++) s += $i * $i
               if (!((s - 1) ^ 2 < 1e-10)) exit 1 }'
  fails_with 2 'one way to pool at a time' pool --mean --cls hidden
}

@test "tokens go, rows stay as they were" {
  pool hidden >out
  [ "$(show --digest <hidden | grep -E 'row.(text|label|source)')" = \
    "$(show --digest <out | grep -E 'row.(text|label|source)')" ]
  run show --digest out
  [[ "$output" != *token.* && "$output" != *row.tokens* ]]
  [[ "$output" == *row.vector* ]]
}

@test "a row without tokens" {
  printf '2 3\n\n2 3\n' | tok --ids -m "$M" | encode >gap
  pool --mean gap | show -r | sed -n 2p | grep -q '"vector": \[0\.0*, 0\.0*,'
  fails_with 1 'row 2: no tokens' pool --cls gap
  pool --cls gap 2>/dev/null >part || true
  run -1 --separate-stderr show -r part
  [ "${#lines[@]}" -eq 1 ] # the row before is delivered
}

@test "nothing to pool" {
  tok -m "$M" -c text texts.csv >ids
  fails_with 1 'no token.hidden' pool ids
}

# states N: two rows of a token, its hidden state of N zeros, and nothing said of where they are from.
states() {
  header '{"__metadata__":{"weft":"1","end":"ok"},"row.tokens":{"dtype":"I64","shape":[3],"data_offsets":[0,24]},"token.hidden":{"dtype":"F32","shape":[2,'"$1"'],"data_offsets":[24,'$((24 + 8 * $1))']},"token.id":{"dtype":"I32","shape":[2],"data_offsets":['$((24 + 8 * $1)),$((32 + 8 * $1))']}}'
  printf '\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0'
  head -c $((8 * $1 + 8)) /dev/zero
}

@test "hidden states that are not as wide as the model's" {
  local n
  for n in 0 8 31 33; do
    states $n >wide.weft
    fails_with 1 "pool: wide.weft: token.hidden: $n numbers each, but $M takes 32" pool -m "$M" wide.weft
    fails_with 1 "token.hidden: $n numbers each, but $M takes 32" pool --pooler -m "$M" wide.weft
    fails_with 1 "token.hidden: $n numbers each, but the head $M takes 32" weft head -m "$M" wide.weft
    fails_with 1 "token.hidden: $n numbers each, but the head" \
      weft head -T token -m "$(golden models/bert-token)" wide.weft
    fails_with 1 "token.hidden: $n numbers each, but the head" \
      weft head -T lm -m "$(golden models/gpt2-lm)" wide.weft
    fails_with 1 "token.hidden: $n numbers each, but the head" \
      weft head -T class -m "$(golden models/gpt2-class)" wide.weft
  done
  states 32 | pool -m "$M" >/dev/null
  states 8 | pool --mean | "$WEFT_UNIT/frames" -k pool=pooler >vectors
  fails_with 1 "row.vector: 8 numbers each, but the head $M takes 32" weft head -m "$M" vectors
  states 0 >none.weft
  for n in mean max cls last; do
    fails_with 1 "pool: none.weft: token.hidden holds no numbers" pool --$n none.weft
  done
}

@test "a pooler is for what its own encoder made" {
  tok -m "$(golden models/bert-multi)" -c text texts.csv | encode >other
  fails_with 1 "the pooler of $M belongs to another encoder" pool --pooler -m "$M" other
  pool --mean -m "$M" other >/dev/null
}
