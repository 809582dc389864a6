# bits.bats - a row gives the same bits whatever stands beside it: rows, frames, threads.
load helper

allclose() { "$WEFT_UNIT/allclose" "$@" >/dev/null || { echo "differs: $*" >&2; return 1; }; }

# rows N: rows of very different lengths; 48 are 1,500 tokens, which fill several tiles.
rows() {
  awk -v rows="$1" 'BEGIN {
    n = split("the flight was late again and they never said why to any of us ok", w, " ")
    for (i = 1; i <= rows; i++) {
      line = ""
      for (j = 0; j < (i * 29) % 61; j++)
        line = line w[(i * 7 + j * (i % 5 + 1)) % n + 1] " "
      print line
    }
  }'
}

# alone N: every row in a process of its own: ids.I -> row.I.
alone() {
  local i
  for i in $(seq "$1"); do encode -t "$dtype" -j 1 <"ids.$i" >"row.$i"; done
}

# together NUMBER...: these rows in this order, as one stream, with 1 to 3 threads, and as many
# streams, which encode joins as it likes; all against what each gave alone.
together() {
  local j
  cat "${@/#/row.}" >want
  for i; do sed -n "${i}p" texts; done | tok -q -m "$model" >ids
  for j in 1 2 3; do
    encode -t "$dtype" -j "$j" <ids >got
    allclose want got token.hidden 0
  done
  cat "${@/#/ids.}" | encode -t "$dtype" -j 2 >got
  allclose want got token.hidden 0
}

# same_bits ROWS: over all kinds of CPU.
same_bits() {
  local n=$1 i
  rows "$n" >texts
  for i in $(seq "$n"); do sed -n "${i}p" texts | tok -q -m "$model" >"ids.$i"; done
  for ONEDNN_MAX_CPU_ISA in $(isas); do
    export ONEDNN_MAX_CPU_ISA
    echo "$ONEDNN_MAX_CPU_ISA $dtype" >&2
    alone "$n"
    together $(seq "$n")
    # shellcheck disable=SC2046 # numbers
    together $(seq "$n" | awk -v n="$n" '{ print ($1 * 19) % n + 1 }')
  done
}

@test "f32: order, frames and threads change no bit" {
  dtype=f32 model=$(golden models/bert-class) same_bits 48
}

@test "f32: heads of 12 in a width of 36" {
  dtype=f32 model=$(golden models/bert-model) same_bits 20
}

@test "bf16: order, frames and threads change no bit" {
  dtype=bf16 model=$(golden models/bert-class) same_bits 48
}

@test "f32 and bf16: all-MiniLM-L6-v2" {
  need_model
  dtype=f32 model=$(real_model) same_bits 12
  dtype=bf16 model=$(real_model) same_bits 12
}

# architecture NAME: its golden rows of ids, alone and turned round, with 3 threads.
architecture() {
  local model ids dtype i n
  model=$(golden "models/$1")
  ids=$(golden "encode/$1.ids")
  n=$(wc -l <"$ids")
  for ONEDNN_MAX_CPU_ISA in $(isas); do
    export ONEDNN_MAX_CPU_ISA
    for dtype in f32 bf16; do
      for i in $(seq "$n" -1 1); do
        sed -n "${i}p" "$ids" | tok --ids | encode -m "$model" -t "$dtype" -j 1
      done >want
      tac "$ids" | tok --ids | encode -m "$model" -t "$dtype" -j 3 >got
      allclose want got token.hidden 0
    done
  done
}

@test "padding, shared layers, norms first, a decoder, bias by distance" {
  local name
  for name in roberta albert gpt2 bart mbart t5 mt5 mpnet llama mistral qwen3 modernbert deberta-v2 deberta-v3; do architecture "$name"; done
}

@test "pool and head: order, frames and threads change no bit" {
  local i model
  model=$(golden models/bert-class)
  rows 30 >texts
  for i in $(seq 30); do sed -n "${i}p" texts | tok -q -m "$model" >"ids.$i"; done
  tok -q -m "$model" texts | encode >hidden
  head -j 1 <hidden >want
  cat ids.? ids.?? | encode -j 3 | head -j 3 >got
  allclose want got row.logit 0
  for i in $(seq 30); do encode <"ids.$i" | head; done >got
  allclose want got row.logit 0
  pool --mean -j 2 <hidden >want
  for i in $(seq 30); do encode <"ids.$i" | pool --mean; done >got
  allclose want got row.vector 0
}

@test "the test sees a bit that differs" {
  local model
  model=$(golden models/bert-class)
  rows 4 | tok -q -m "$model" | encode >a
  rows 4 | sed '1s/the/they/' | tok -q -m "$model" | encode >b
  run ! "$WEFT_UNIT/allclose" a b token.hidden 0
}
