# threads.bats - what several threads make is what one makes, in each program that has them. Short:
# .ci/run runs it once more under ThreadSanitizer, where a race ends the program with another status.
load helper

# Enough for tok to take more than one thread (rows/feed.c).
each_setup() {
  M=$(golden models)
  awk 'BEGIN {
    print "text,y"
    for (i = 0; i < 20000; i++) printf "the cat %d sat on %s mat,%s\n", i, i % 7 ? "a" : "every", i % 2
  }' >csv
  head -n 200 csv >few
}

# same ARG...: a program that makes a stream, by one thread and by four; ./got is what they made.
same() {
  "$@" -q -j 1 >one
  "$@" -q -j 4 >got
  show --digest one >want
  show --digest got | diff want -
}

@test "tok: WordPiece, byte-level BPE, Unigram, SentencePiece's BPE" {
  for model in bert-class bpe-gpt2 unigram-albert spbpe-llama; do
    same tok -m "$M/$model" -c text -l y csv
  done
}

@test "tok: JSON lines, windows, words of CoNLL" {
  sed '1d; s/,.*//; s/.*/{"text": "&"}/' csv >json
  same tok -m "$M/bert-class" -J text json
  same tok -m "$M/bert-class" -n 6 -S 2 -c text csv
  sed '1d; s/,.*//' csv | awk '{ gsub(/ /, " O\n"); print $0 " O\n" }' >conll
  same tok -m "$M/bert-token" --conll conll
}

@test "encode, pool, head" {
  tok -q -m "$M/bert-class" -c text -l y few >ids
  same embed -m "$M/bert-class" ids
  same encode -m "$M/bert-class" ids
  cp got hidden
  same encode -t bf16 -m "$M/bert-class" ids
  same pool -m "$M/bert-class" hidden
  same weft-head -m "$M/bert-class" hidden
}

@test "train, near" {
  tok -q -m "$M/bert-class" -c text -l y few | encode -q -m "$M/bert-class" | pool -q --mean >vectors
  train -q -j 1 -e 2 --head mlp:8 -o one.head vectors
  train -q -j 4 -e 2 --head mlp:8 -o four.head vectors
  cmp one.head/model.safetensors four.head/model.safetensors
  near -j 1 -k 3 vectors <vectors >one
  near -j 4 -k 3 vectors <vectors | cmp - one
}

@test "ppl" {
  tok -q -m "$M/gpt2-lm" -c text few >ids
  ppl -q -j 1 -v -m "$M/gpt2-lm" ids >one
  ppl -q -j 4 -v -m "$M/gpt2-lm" ids | cmp - one
}

# The library's other threads stop where one of them, or the reader of the output, fails.
@test "a failure beside threads at work" {
  { cat csv; printf 'the \xff cat,0\n'; } >bad
  fails_with 1 "is not UTF-8" tok -q -j 4 -m "$M/bert-class" -c text bad
  tok -q -j 4 -m "$M/bert-class" -c text csv >ids
  run -0 bash -c "encode -q -j 4 -m '$M/bert-class' ids | head -c 1000 >part"
  [ -s part ]
}
