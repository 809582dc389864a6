# tok-files.bats - tok -F: a file each row, and what its folder is called.
load helper

each_setup() {
  M=$(golden models/wordpiece-uncased)
}

# member NAME: that member of each row, as JSON.
member() { show -r | grep -o "\"$1\": \"[^\"]*\"" | sed "s/^\"$1\": //"; }

@test "-F: a file each row, named by operands or by standard input; --label-dir" {
  mkdir -p train/pos train/neg
  printf 'the cat\nwas it\n' >train/pos/1.txt
  printf 'there' >train/neg/2.txt
  tok -m "$M" -F train/*/*.txt | member text >got
  [ "$(cat got)" = $'"there"\n"the cat\\nwas it"' ]
  tok -m "$M" -F --label-dir train/*/*.txt | member label >got
  [ "$(cat got)" = $'"neg"\n"pos"' ]
  # Names that come in pieces, with pauses; after "-" operands go on.
  { printf train/neg; sleep 0.05; printf '/2.txt\ntrain/pos/1.txt'; } |
    tok -m "$M" -F --label-dir - train/neg/2.txt | member label >got
  [ "$(cat got)" = $'"neg"\n"pos"\n"neg"' ]
  find train -name '*.txt' | sort | tok -m "$M" -F --label-dir --labels neg=bad,pos=good |
    member label >got
  [ "$(cat got)" = $'"bad"\n"good"' ]
  [ "$(tok -m "$M" -F </dev/null | show -r | wc -l)" -eq 0 ]
}

@test "-F: what is refused, and where it was named" {
  mkdir pos
  printf 'caf\351\n' >pos/latin
  printf 'the cat\n' >pos/good
  printf 'pos/good\npos/latin\n' >names
  fails_with 1 "stdin: record 2: pos/latin: byte 4 is not UTF-8" tok -m "$M" -F <names
  fails_with 1 "pos/latin: record 1: byte 4 is not UTF-8" tok -m "$M" -F pos/latin
  fails_with 1 "pos: is a folder: name its files (find" tok -m "$M" -F pos
  fails_with 1 "stdin: record 1: pos: is a folder" tok -m "$M" -F <<<pos
  fails_with 1 "stdin: record 1: none: No such file" tok -m "$M" -F <<<none
  fails_with 1 "stdin: record 2: an empty line is no name" tok -m "$M" -F <<<$'pos/good\n'
  fails_with 1 "stdin: record 1: label 'pos' is not one of" tok -m "$M" -F --label-dir \
    --labels good,bad <<<pos/good
  cd pos
  fails_with 1 "good: record 1: its path has no folder whose name is the label" \
    tok -m "$M" -F --label-dir good
  fails_with 2 "--label-dir is about files" tok -m "$M" --label-dir good
  fails_with 2 "exclude each other" tok -m "$M" -F -c text good
  fails_with 2 "-F reads files whole" tok -m "$M" -F -l mood good
}
