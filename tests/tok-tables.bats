# tok-tables.bats - tables that are no CSV as they stand: other bytes, other signs between columns.
load helper

each_setup() {
  M=$(golden models/wordpiece-uncased)
  printf 'id,text,mood\n7,the cat,0\n9,there,\n' >t.csv
}

@test "UTF-16, as Excel has it, is told from other bytes that are no UTF-8" {
  local code
  for code in utf-16le utf-16be; do
    { [ $code = utf-16le ] && printf '\xff\xfe' || printf '\xfe\xff'; iconv -f utf8 -t $code t.csv; } >marked
    iconv -f utf8 -t $code t.csv >bare
    fails_with 1 'marked: header: this is UTF-16, not UTF-8: convert it first (iconv -f utf16 -t utf8)' \
      tok -m "$M" -c text marked
    fails_with 1 'marked: record 1: this is UTF-16' tok -m "$M" marked
    fails_with 1 "bare: header: this is UTF-16, not UTF-8: convert it first (iconv -f ${code/-/} -t utf8)" \
      tok -m "$M" -c text bare
    # What the message says, helps.
    fails_with 1 'record 1: this is UTF-16' \
      bash -c "{ head -c 1 marked; sleep 0.1; tail -c +2 marked; } | tok -m '$M'"
    iconv -f utf16 -t utf8 marked | tok -m "$M" -c text | show --digest >got
    iconv -f ${code/-/} -t utf8 bare | tok -m "$M" -c text | show --digest | cmp - got
    tok -m "$M" -c text t.csv | show --digest | cmp - got
  done
  printf 'a\0b\0' | tok -q -m "$M" -0 | show -r | grep -c '"text"' | grep -x 2
}

@test "a table that is no CSV as it stands, or is not read as one" {
  said() { tok -m "$M" "$@" >/dev/null; }
  printf 'text;mood\nthe cat;good\n' >s.csv
  printf 'text\tmood\nthe cat\tgood\n' >t.tsv
  fails_with 1 "s.csv: header: no column 'text': there are text;mood: where semicolons divide them, give -d ';'" \
    tok -m "$M" -c text s.csv
  fails_with 1 "there are text\\tmood: where tabs divide them, give -d '\\t'" tok -m "$M" -c text t.tsv
  fails_with 1 "no column 2: there are 1 to 1: where another sign than ',' divides them, give -d" \
    tok -m "$M" -H -c 2 s.csv
  fails_with 1 "no column 'x': there are text, mood" tok -m "$M" -d ';' -c x s.csv
  [[ $stderr != *divide* ]]
  fails_with 0 's.csv: each line is a row, whole: -c COLUMN reads a column of the table' said s.csv
  fails_with 0 "t.tsv: each line is a row, whole: -c COLUMN -d '\\t' reads a column" said t.tsv
  fails_with 0 '' said -q s.csv
  [ -z "$stderr" ]
  cp s.csv s.txt
  fails_with 0 '' said s.txt
  [ -z "$stderr" ]
}
