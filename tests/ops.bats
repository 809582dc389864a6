# ops.bats - every operation against double precision, on each kind of CPU (CUDA: standin.bats).
load helper

ops() { "$WEFT_UNIT/ops_test" "$@" || { echo "ops_test $* failed" >&2; return 1; }; }

@test "operations on every kind of CPU that this machine is" {
  for ONEDNN_MAX_CPU_ISA in $(isas); do
    export ONEDNN_MAX_CPU_ISA
    echo "$ONEDNN_MAX_CPU_ISA" >&2
    ops -D cpu -s 7
  done
}
