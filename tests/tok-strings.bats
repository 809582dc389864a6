# 200,000 generated strings of all scripts, joined emoji, piled marks, controls, broken spaces and
# very long words: ids and spans are the reference's (tests/oracle/strings.py).
load helper

# strings_like MODEL FOLDER: tests/golden/tok/strings.tsv has its line.
strings_like() {
  local seed count tokens ids spans
  IFS=$'\t' read -r _ seed count tokens ids spans < <(grep "^$1	" "$(golden tok/strings.tsv)")
  "$WEFT_UNIT/strings" "$seed" "$count" >strings
  tok -q -n 0 -m "$2" strings >out
  [ "$(show -n token.id out | tail -c $((4 * tokens)) | sha256sum)" = "$ids  -" ]
  [ "$(show -n token.span out | tail -c $((8 * tokens)) | sha256sum)" = "$spans  -" ]
}

@test "WordPiece, uncased: ids and spans of 200,000 strings" {
  strings_like wordpiece-uncased "$(golden models/wordpiece-uncased)"
}

@test "WordPiece, cased: ids and spans of 200,000 strings" {
  strings_like wordpiece-cased "$(golden models/wordpiece-cased)"
}

@test "all-MiniLM-L6-v2: ids and spans of 200,000 strings" {
  need_model
  strings_like all-MiniLM-L6-v2 "$(real_model)"
}
