# kills.bats - what writes files, killed by SIGKILL at one moment after another: each file is the
# old one or the new one, whole, never some of each, and a run behind it comes to its end
# (tests/faults/sweep.c). 20 moments each; 200 with FAULTS_ALL=1.
load helper

each_setup() {
  [ -e "$WEFT_UNIT/faults/inject.so" ] || skip "moments cannot be chosen under a sanitizer"
  export FAULTS_LIB=$WEFT_UNIT/faults/inject.so WEFT_DEVICE=cpu M
  M=$(golden models)
  mkdir given here
  printf 'the cat\na dog\n' >given/text
  printf 'text,y\nthe cat,pos\na dog,neg\n"on, the",pos\na man,neg\n' | tok -q -m "$M/bert-class" -c text -l y |
    encode -q -m "$M/bert-class" | pool --mean >given/vectors
}

# kills [OPTION...] NAME PROGRAM [ARG...]: in a folder that holds what is in ./given.
kills() {
  rm -rf here
  cp -r given here
  (cd here && "$WEFT_UNIT/faults/sweep" -k -r "$@") | tee -a "${FAULTS_SUMMARY:-/dev/null}"
  return "${PIPESTATUS[0]}"
}

@test "train, into no folder" {
  kills train train -q -e 2 --force -o head vectors
}

@test "train, over an old one" {
  (cd given && train -q -e 1 -o head vectors)
  kills train-old train -q -e 2 --force -o head vectors
}

@test "deal, to no files" {
  kills -i vectors deal deal 50:a 50:b
}

@test "deal, over old ones" {
  (cd given && deal -s 7 25:a 75:b <vectors)
  kills -a -i vectors deal-old deal 50:a 50:b
}

@test "show -o, to no file" {
  kills show show -o doc vectors
}

@test "show -o, over an old one" {
  echo old >given/doc
  kills show-old show -o doc vectors
}

@test "gen --cache, to no file" {
  tok -q -m "$M/gpt2-lm" given/text >given/ids
  kills gen gen -q -m "$M/gpt2-lm" --max-new 2 --cache kept ids
}

@test "plot, to no file" {
  command -v gnuplot || skip "no gnuplot"
  kills plot plot --map -o map.svg vectors
}

@test "plot, over an old one" {
  command -v gnuplot || skip "no gnuplot"
  echo old >given/map.svg
  kills plot-old plot --map -o map.svg vectors
}

@test "get" {
  hub_for_faults
  kills get get -q org/tiny
}

teardown() {
  if [ -n "${HUB:-}" ]; then kill "$HUB"; fi
}
