# records.bats - real files as records; the rest of the reader is in unit/records_test.c.
load helper

each_setup() {
  M=$(golden models/wordpiece-uncased)
  PATH=$WEFT_UNIT:$PATH
}

# texts: of each row of the stream on standard input, as JSON.
texts() { show -r | sed 's/^{"text": \("\([^"\\]\|\\.\)*"\).*/\1/'; }

@test "airline tweets: the same texts from CSV as csvcut and Python's csv see" {
  need_shared Tweets.csv
  command -v csvcut >/dev/null || skip "no csvcut"
  csvcut -c text "$(shared Tweets.csv)" >one.csv
  tok -q -m "$M" -c text one.csv | texts >want
  tok -q -m "$M" -c text "$(shared Tweets.csv)" | texts >got
  [ "$(wc -l <got)" -eq 14640 ]
  cmp got want
  # Another delimiter, quoted as needed, says the same.
  csvformat -T "$(shared Tweets.csv)" >tabs.tsv
  tok -q -m "$M" -c text -d '\t' tabs.tsv | texts | cmp - want
}

@test "CSV and JSON lines of the same records agree" {
  need_shared s140-test.csv
  command -v csvjson >/dev/null || skip "no csvjson"
  csvjson -I --stream "$(shared s140-test.csv)" >t.jsonl
  tok -q -m "$M" -J text -l label t.jsonl | show --digest >want
  tok -q -m "$M" -c text -l label "$(shared s140-test.csv)" | show --digest | cmp - want
}

@test "lines: as many rows as wc counts" {
  need_shared wikitext2-test.txt
  tok -q -m "$M" "$(shared wikitext2-test.txt)" | texts >got
  [ "$(wc -l <got)" -eq "$(wc -l <"$(shared wikitext2-test.txt)")" ]
}

@test "a record of 100 MB, and memory for a million of them" {
  need_limit 400000
  head -c 100000000 /dev/zero | tr '\0' 'x' >long
  run --separate-stderr -0 bash -c "ulimit -v 1500000; tok -m '$M' -n 10 long | show -r | tail -c 100"
  [ "$stderr" = "" ] # one word, unknown: nothing to cut
  ulimit -v 400000
  yes 'the cat was there' | head -n 1000000 | tok -m "$M" >/dev/null
}
