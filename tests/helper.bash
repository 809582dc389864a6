# helper.bash - what every .bats file loads: paths, a folder of its own, golden files.
bats_require_minimum_version 1.5.0
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
WEFT_BIN=${WEFT_BIN:-$TOP/bin}
WEFT_UNIT=${WEFT_UNIT:-$TOP/build/tests} # programs that only tests use
PATH=$WEFT_BIN:$PATH
export TOP WEFT_BIN WEFT_UNIT PATH
unset WEFT_MODEL WEFT_THREADS HF_HOME HF_HUB_CACHE XDG_CACHE_HOME
export LC_ALL=C.UTF-8

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  if declare -F each_setup >/dev/null; then each_setup; fi
}

# programs: their names, as bin/programs.h lists them; `weft` itself is not among them.
programs() {
  sed -n 's/^    P(\([a-z0-9]*\),.*/\1/p' "${1:-$TOP}/bin/programs.h"
}

# golden NAME: the path of a file or folder that tests/oracle made.
golden() {
  printf '%s\n' "$TOP/tests/golden/$1"
}

# need_shared NAME...: skips the test unless the real data lies beside the checkout.
need_shared() {
  local f
  for f; do
    [ -e "$TOP/../shared/data/$f" ] || skip "no ../shared/data/$f"
  done
}

# shared NAME: the path of a file of real data.
shared() {
  printf '%s\n' "$TOP/../shared/data/$1"
}

# real_model: the folder of all-MiniLM-L6-v2, or skips (`make model` brings it).
need_model() {
  [ -e "$TOP/model/all-MiniLM-L6-v2/model.safetensors" ] || skip "no model: make model"
}
real_model() {
  printf '%s\n' "$TOP/model/all-MiniLM-L6-v2"
}

# files: what this folder holds, but for what bats makes there.
files() {
  find . -mindepth 1 -maxdepth 1 ! -name 'separate-stderr*' -printf '%f\n' | sort
}

# need_limit KIB: skips the test where no program runs in so little address space (under ASan).
need_limit() {
  (ulimit -v "$1"; tok --version) >/dev/null 2>&1 || skip "memory cannot be limited here"
}

# draw(), of awk programs that are given a `seed` from 1 on: numbers between 0 and 1, from every
# awk the same. awk's rand() is another in each, and in mawk does not repeat what srand() began.
# Park and Miller, CACM 31 (1988).
# shellcheck disable=SC2034 # a test's
DRAW='function draw() { seed = seed * 16807 % 2147483647; return seed / 2147483647 }'

# fails_with STATUS TEXT COMMAND...: the command exits so and says so on standard error.
fails_with() {
  local want=$1 text=$2
  shift 2
  run --separate-stderr "$@"
  [ "$status" -eq "$want" ] || { echo "exit $status, not $want; stderr: $stderr" >&2; return 1; }
  [[ "$stderr" == *"$text"* ]] || { echo "stderr lacks '$text': $stderr" >&2; return 1; }
}

# header JSON: a frame's first bytes, its length and its header.
header() {
  local n=${#1} pad
  pad=$(((8 - n % 8) % 8))
  n=$((n + pad))
  printf '%b' "\\x$(printf %02x $((n % 256)))\\x$(printf %02x $((n / 256)))\\0\\0\\0\\0\\0\\0"
  printf "%s%${pad}s" "$1" ""
}

# isas: the kinds of CPU, as ONEDNN_MAX_CPU_ISA names them, that oneDNN knows and this machine has.
isas() {
  local flags
  if [ "${WEFT_DEVICE:-cpu}" != cpu ]; then echo DEFAULT; return; fi
  flags=" $(grep -m1 '^flags' /proc/cpuinfo || true) "
  echo SSE41
  if [[ $flags == *" avx "* ]]; then echo AVX; fi
  if [[ $flags == *" avx2 "* ]]; then echo AVX2; fi
  if [[ $flags == *" avx512bw "* && $flags == *" avx512vl "* ]]; then echo AVX512_CORE; fi
  if [[ $flags == *" avx512_bf16 "* ]]; then echo AVX512_CORE_BF16; fi
  if [[ $flags == *" amx_bf16 "* ]]; then echo AVX512_CORE_AMX; fi
}

# need_failing: skips the test where no call can be made to fail (under ASan: tests/faults).
need_failing() {
  [ -e "$WEFT_UNIT/failing.so" ] || skip "no failing calls here"
}

# failing KIND:N COMMAND...: the Nth call of that kind fails, or kills the command (tests/faults).
failing() {
  FAIL=$1 LD_PRELOAD=$WEFT_UNIT/failing.so "${@:2}"
}

# calls KIND COMMAND...: how many calls of that kind the command makes.
calls() {
  FAIL_COUNT=$BATS_TEST_TMPDIR/calls failing "$1:0" "${@:2}" >/dev/null
  cat "$BATS_TEST_TMPDIR/calls"
}

# hub_for_faults: a hub that serves org/tiny, whose process is $HUB, and an empty ./given.
hub_for_faults() {
  mkdir -p hub/org
  cp -r "$(golden models/bert-class)" hub/org/tiny
  : >hub/faults
  "$WEFT_UNIT/hub" hub >port 3>&- &
  # shellcheck disable=SC2034 # its tests end it
  HUB=$!
  until [ -s port ]; do sleep 0.02; done
  HF_ENDPOINT=http://127.0.0.1:$(cat port)
  export HF_ENDPOINT HF_HOME=home
  unset HF_TOKEN HF_TOKEN_PATH HF_HUB_OFFLINE HF_HUB_CACHE
  rm given/*
}
