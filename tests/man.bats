# man.bats - the manual's EXAMPLES run, and print what they show.
#
# In the rendered page every line that begins with "$ " is a command; it goes on where a line
# ends in \ or |. Lines right below it, down to an empty line, the next command or a line
# further left, are what it prints on standard output; "..." stands for any number of lines.
# Where nothing is shown it has to exit 0. A page's examples run in order in one folder, which
# holds tweets.csv (id,label,text), texts.txt, reviews.jsonl (text, stars), and models: bert
# and roberta (classify: negative, neutral, positive), pretrained (fills masks, tells next sentences),
# sentence (gives vectors), static (gives them without layers), reranker (reads pairs), and bert-mask, bert-token,
# bert-span, bert-nli, gpt2, ner, squad, mnli,
# distilbart and t5 for their tasks; and examples, the source's.
load helper

each_setup() {
  ln -s "$(golden models/bert-class)" bert
  ln -s "$(golden models/bert-class)" roberta
  ln -s "$(golden models/bert-pretraining)" pretrained
  ln -s "$(golden models/sentence)" sentence
  ln -s "$(golden models/bert-rerank)" reranker
  ln -s "$(golden static/m2v-unit/model)" static
  ln -s "$(golden models/gpt2-lm)" gpt2
  ln -s "$(golden models/bert-mask)" bert-mask
  ln -s "$(golden models/bert-token)" ner
  ln -s "$(golden models/bert-span)" squad
  ln -s "$(golden models/bart-mnli)" mnli
  ln -s "$(golden models/bart-writer)" distilbart
  ln -s "$(golden models/t5-writer)" t5
  ln -s "$TOP/examples" examples
  ln -s "$(golden models/bert-token)" bert-token
  ln -s "$(golden models/bert-span)" bert-span
  ln -s "$(golden models/bert-nli)" bert-nli
  cat >tweets.csv <<'CSV'
id,label,text
1,positive,"thank you, the crew was great"
2,negative,late again and no one said why
3,neutral,what is the number of the gate?
4,negative,they lost my bag
5,positive,I love this plane
6,neutral,can we bring a dog
7,negative,two hours of delay and bad seats
8,positive,good flight and kind people
9,neutral,is there water on board
10,negative,never again
11,positive,great
12,neutral,"when do we go, and where?"
CSV
  printf '%s\n' 'the cat sat on the mat' 'I love this flight' 'they never said why' >texts.txt
  cat >reviews.jsonl <<'JSON'
{"text": "a good book", "stars": 5}
{"text": "bad service", "stars": 1}
JSON
}

# cached NAME: a small model by that name in a Hugging Face cache, and no network.
cached() {
  local repo
  export HF_HUB_OFFLINE=1 HF_HOME=$PWD/home
  repo=$HF_HOME/hub/models--${1/\//--}
  mkdir -p "$repo/refs" "$repo/snapshots"
  echo 0123456789 >"$repo/refs/main"
  ln -s "$(golden models/bert-class)" "$repo/snapshots/0123456789"
}

# examples PAGE: its EXAMPLES as lines `CMD command` (\036 for a newline in it) and `OUT line`.
examples() {
  mandoc -T utf8 -O width=1000 "$1" | sed $'s/.\b//g' | expand | awk '
    /^[^ ]/ { on = /^EXAMPLES/; next }
    !on { next }
    { match($0, /^ */); indent = RLENGTH; line = substr($0, indent + 1) }
    more { cmd = cmd "\n" line; more = line ~ /[\\|]$/; if (!more) print_cmd(); next }
    line ~ /^\$ / { indent0 = indent; cmd = substr(line, 3); more = line ~ /[\\|]$/
                    if (!more) print_cmd(); next }
    line == "" || indent < indent0 { shown = 0; next }
    shown { print "OUT " substr($0, indent0 + 1) }
    function print_cmd() { gsub(/\n/, "\036", cmd); print "CMD " cmd; shown = 1 }'
}

# shown_in WANT GOT: the lines agree, "..." standing for any, runs of blanks for one. The last
# digit of a number with six places or more is the machine's own, give or take two.
shown_in() {
  awk '{ gsub(/[ \t]+/, " "); sub(/ $/, "") }
    NR == FNR { want[++n] = $0; next } { got[++m] = $0 }
    function near(a, b) {
      if (a == b) return 1
      if (a !~ /^-?[0-9]+\.[0-9][0-9][0-9][0-9][0-9][0-9]+$/ || length(a) != length(b)) return 0
      return (a - b) * 10 ^ (length(a) - index(a, ".")) < 2.5 &&
             (b - a) * 10 ^ (length(a) - index(a, ".")) < 2.5 && b ~ /^-?[0-9]+\.[0-9]+$/
    }
    function same(a, b, x, y, i, k) {
      if (a == b) return 1
      k = split(a, x, " ")
      if (k != split(b, y, " ")) return 0
      for (i = 1; i <= k; i++) if (!near(x[i], y[i])) return 0
      return 1
    }
    function fits(i, j) {
      if (i > n) return j > m
      if (want[i] == "...") { for (; j <= m + 1; j++) if (fits(i + 1, j)) return 1; return 0 }
      return j <= m && same(want[i], got[j]) && fits(i + 1, j + 1)
    }
    END { exit !fits(1, 1) }' "$1" "$2"
}

run_examples() {
  local page=$TOP/man/$1 line command count=0
  # A command, then what it is to print, until the next command.
  check() {
    [ -n "${command-}" ] || return 0
    echo "\$ $command" >&2
    bash -o pipefail -c "$command" >got </dev/null
    if [ -s want ]; then
      shown_in want got || { diff want got >&2; return 1; }
    fi
    : >want
  }
  : >want
  while IFS= read -r line; do
    if [[ $line == 'CMD '* ]]; then
      check
      command=${line#CMD }
      command=${command//$'\036'/$'\n'}
      count=$((count + 1))
    else
      printf '%s\n' "${line#OUT }" >>want
    fi
  done < <(examples "$page")
  check
  [ "$count" -gt 0 ]
}

@test "weft.1" { run_examples weft.1; }
@test "weft-tok.1" { run_examples weft-tok.1; }
@test "weft-embed.1" { run_examples weft-embed.1; }
@test "weft-encode.1" { run_examples weft-encode.1; }
@test "weft-pool.1" { run_examples weft-pool.1; }
@test "weft-head.1" { run_examples weft-head.1; }
@test "weft-score.1" { run_examples weft-score.1; }
@test "weft-train.1" { run_examples weft-train.1; }
@test "weft-deal.1" { run_examples weft-deal.1; }
@test "weft-show.1" { run_examples weft-show.1; }
@test "weft-ppl.1" { run_examples weft-ppl.1; }
@test "weft-gen.1" { run_examples weft-gen.1; }
@test "weft-near.1" { run_examples weft-near.1; }
@test "weft-plot.1" {
  command -v gnuplot || skip "no gnuplot"
  run_examples weft-plot.1;
}
@test "weft-get.1" {
  cached distilbert/distilbert-base-uncased-finetuned-sst-2-english
  run_examples weft-get.1;
}
@test "weft-stream.5" { run_examples weft-stream.5; }
@test "weft-model.5" { run_examples weft-model.5; }
@test "weft-cookbook.7" { run_examples weft-cookbook.7; }
@test "weft-notebooks.7" {
  command -v gnuplot || skip "no gnuplot"
  run_examples weft-notebooks.7;
}

@test "every page with examples is run" {
  local page
  for page in "$TOP"/man/*.[1-9]; do
    [ -L "$page" ] || ! grep -q '^\.Sh EXAMPLES' "$page" ||
      grep -qF "run_examples $(basename "$page");" "$TOP/tests/man.bats" ||
      { echo "not run: $page" >&2; return 1; }
  done
}

@test "mandoc finds nothing to warn of" {
  mandoc -T lint -W warning "$TOP"/man/*.[1-9]
}
