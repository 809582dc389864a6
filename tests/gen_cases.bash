# gen_cases.bash - cases of tests/golden/generate, for the files that run gen.
# shellcheck shell=bash

each_setup() {
  PATH=$WEFT_UNIT:$PATH
  G=$(golden generate)
  cp "$G/bad-words.txt" .
}

# folder MODEL [SETTINGS]: ./m is that model; SETTINGS takes the place of its generation_config.json.
folder() {
  rm -rf m
  mkdir m
  cp "$G/$1"/* m
  if [ "${2:--}" != - ]; then cp "$G/$2" m/generation_config.json; fi
}

# settings JSON: ./m gets these.
settings() {
  printf '%s\n' "$1" >m/generation_config.json
}

# digest TENSORS: of the stream, a line for each of these that is there (an awk pattern).
digest() {
  show --digest | awk -F '\t' -v only="^($1)\$" '$1 ~ only || /^rows/'
}

# ids [FILE]: a line a row.
ids() {
  show -r "$@" | sed 's/.*"ids": \[\([^]]*\)\].*/\1/; s/,//g'
}

# same WANT GOT: the same answers; scores within 1e-4.
same() {
  local t
  digest 'row.tokens|row.source|row.finish|token.id' <"$1" >want.digest
  digest 'row.tokens|row.source|row.finish|token.id' <"$2" >got.digest
  if ! cmp -s want.digest got.digest; then
    diff want.digest got.digest
    ids "$1" >want.ids
    ids "$2" >got.ids
    diff want.ids got.ids | head -n 8
    return 1
  fi
  for t in row.score token.logprob; do
    if show --digest "$1" | grep -q "^$t	"; then allclose "$1" "$2" "$t" 1e-4 || return 1; fi
  done
}

# all PATTERN: every case whose name it matches; each that fails is named.
all() {
  local name model options _told rows want settings n=0 bad=0
  while IFS=$'\t' read -r name model options _told rows want settings; do
    [[ $name =~ ^($1)$ ]] || continue
    n=$((n + 1))
    if [ "$options" = - ]; then options=; fi
    folder "$model" "$settings"
    # shellcheck disable=SC2086 # words
    if ! gen -m m $options "$G/$rows" >got 2>said; then
      echo "$name: exit status of: gen $options"
      cat said
      bad=1
    elif ! same "$G/$want" got >differs 2>&1; then
      echo "$name: gen $options"
      cat differs
      bad=1
    fi
  done <"$G/cases.tsv" >&2
  [ "$n" -gt 0 ] && [ "$bad" -eq 0 ]
}
