# standin.bats - the CUDA kernels on the CPU: that the stand-in (tests/cuda-on-cpu) stops what is
# wrong, that the kernels are right on it, and that they are not if a barrier or mask is missing.
load helper

STANDIN=$WEFT_UNIT/standin

need_standin() {
  [ -e "$STANDIN/weft-cuda.so" ] || skip "no CUDA headers to compile the stand-in with"
  export WEFT_CUDA_LIB=$STANDIN/weft-cuda.so
}

# stops CASE TEXT: the case ends with 99 and says so.
stops() { fails_with 99 "$2" "$STANDIN/faults" "$1"; }

@test "what is right runs: barriers, shuffles, votes, atomics, threads that leave" {
  local seed
  need_standin
  for seed in 1 2 3 4 5; do
    WEFT_STANDIN_SEED=$seed "$STANDIN/faults" right
    WEFT_STANDIN_SEED=$seed "$STANDIN/faults" lazy
    WEFT_STANDIN_SEED=$seed "$STANDIN/faults" event
  done
  "$STANDIN/faults" barriers
}

@test "what is wrong is stopped, with kernel, block and thread" {
  need_standin
  stops barrier "two_barriers, block (0, 0, 0), thread ("
  stops barrier "divergent barrier: some threads of the block wait at line"
  stops half "barrier_in_warp, block (0, 0, 0), thread ("
  stops half "divergent barrier: waits in __shfl_sync with mask ffffffff"
  stops lane "is not in its own mask 0000ffff"
  stops masks "divergent warp: lanes meet in __shfl_xor_sync with mask"
  stops half-mma "half_product, block (0, 0, 0), thread ("
  stops half-mma "mma bf16: only the lanes 0000ffff of the warp are there"
  stops odd-row "ldmatrix: a row's address is not one of shared memory on 16 bytes"
  stops past "write_at, block (1, 0, 0), thread (3, 0, 0): out of bounds: byte 256 of"
  stops before "byte -32 of an allocation of 256 was written"
  stops odd-end "byte 244 of an allocation of 244 was written"
  stops shared "past_shared, block (0, 0, 0), thread (2, 0, 0): out of bounds"
  stops misaligned "by_four, block (0, 0, 0), thread (1, 0, 0): misaligned access"
  stops host "the host touches device memory, byte 4 of 16"
  fails_with 2 "invalid configuration argument" "$STANDIN/faults" too-many
}

@test "shared memory begins as NaN, and a missing barrier or event shows" {
  local seed
  need_standin
  fails_with 1 "nan, not 0" "$STANDIN/faults" poison
  fails_with 1 "nan, not 64" "$STANDIN/faults" missing
  for seed in 1 2 3; do
    WEFT_STANDIN_SEED=$seed fails_with 1 ", not 7" "$STANDIN/faults" no-event
  done
}

@test "every operation on CUDA, in two orders of threads" {
  need_standin
  WEFT_STANDIN_SEED=1 "$WEFT_UNIT/ops_test" -D cuda
  WEFT_STANDIN_SEED=2 "$WEFT_UNIT/ops_test" -D cuda -s 7
}

# groups FILE: the groups of ops_test that run the kernels of kernels/FILE.
groups() {
  case $1 in
  attend.cu | attend_far.cu | attend_mma.cu) echo attend ;;
  attend_bwd*.cu) echo attend_bwd ;;
  colsum.cu | norm_dw.cu) echo sums ;;
  cuda_memory.cu) echo memory ;;
  linear_thin.cu) echo thin ;;
  gather.cu) echo rows ;;
  lse.cu | topk.cu) echo vocab ;;
  norm.cu) echo norm ;;
  recall.cu) echo recall ;;
  sqnorm.cu) echo learn ;;
  xent.cu) echo losses ;;
  esac
}

# mutant FILE LINE SED USER: kernels/USER.cu compiled with kernels/FILE changed in that line.
mutant() {
  local user=$4
  rm -rf mutant && mkdir -p mutant/kernels
  sed "$2$3" "$TOP/kernels/$1" >"mutant/kernels/$1"
  if cmp -s "$TOP/kernels/$1" "mutant/kernels/$1"; then
    echo "kernels/$1:$2 is as before" >&2
    return 1
  fi
  [ -e "mutant/kernels/$user" ] || cp "$TOP/kernels/$user" mutant/kernels
  local out=$PWD/mutant objects=()
  mapfile -t flags <"$STANDIN/flags"
  for o in "$STANDIN"/*.o "$STANDIN"/kernels/*.o; do
    case ${o##*/} in
    faults.o | "${user%.cu}.o") ;;
    *) objects+=("$o") ;;
    esac
  done
  # shellcheck disable=SC2086 # flags are words
  (cd "$TOP" && g++ -I"$out" ${flags[0]} -w -O1 -c "$out/kernels/$user" -o "$out/user.o" &&
    g++ ${flags[1]} -o "$out/weft-cuda.so" "$out/user.o" "${objects[@]}")
}

# survives FILE GROUPS: do the tests pass on the mutant, whatever the order of threads?
survives() {
  local seed
  for seed in 1 2 3; do
    # shellcheck disable=SC2086 # groups are words
    WEFT_STANDIN_SEED=$seed WEFT_CUDA_LIB=$PWD/mutant/weft-cuda.so \
      "$WEFT_UNIT/ops_test" -D cuda -x $1 >/dev/null 2>&1 || return 1
  done
}

# The mutations: FILE:LINE SED USER, a line each.
mutations() {
  local at
  (cd "$TOP/kernels" && grep -n '__sync[a-z]*();' ./*.cu) | while IFS=: read -r file at _; do
    echo "${file#./} $at s/__sync[a-z]*();// ${file#./}"
  done
  (cd "$TOP/kernels" && grep -n '0xffffffffu' ./*.cu) | while IFS=: read -r file at _; do
    echo "${file#./} $at s/0xffffffffu/0x0fffffffu/ ${file#./}"
  done
  (cd "$TOP/kernels" && grep -n ' after(c, ' cuda_memory.cu) | while IFS=: read -r at _; do
    echo "cuda_memory.cu $at s/after([^)]*)/true/ cuda_memory.cu"
  done
  (cd "$TOP/kernels" && grep -n 'EventSynchronize(' cuda_memory.cu) | while IFS=: read -r at _; do
    echo "cuda_memory.cu $at s/cudaEventSynchronize([^)]*)/cudaSuccess/ cuda_memory.cu"
  done
  grep -n '0xffffffffu' "$TOP/kernels/cuda.h" | while IFS=: read -r at _; do
    echo "cuda.h $at s/0xffffffffu/0x0fffffffu/ attend.cu"
  done
  grep -n '__syncthreads();' "$TOP/kernels/cuda_sums.h" | while IFS=: read -r at _; do
    echo "cuda_sums.h $at s/__syncthreads();// colsum.cu"
  done
}

@test "without any one of the barriers, masks and events, a test of operations fails" {
  local file line change user alive=() dead=0
  need_standin
  while read -r file line change user; do
    mutant "$file" "$line" "$change" "$user"
    if survives "$(groups "$user")"; then
      alive+=("kernels/$file:$line $change in $user")
    else
      dead=$((dead + 1))
    fi
  done < <(mutations)
  printf 'survived: %s\n' "${alive[@]}" >&2
  echo "$dead failed" >&2
  [ "$dead" -ge 6 ] && [ ${#alive[@]} -eq 0 ]
}
