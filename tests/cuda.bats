# cuda.bats - -D cuda where it is not to be had: what is said, and that the CPU does it unasked.
# That CUDA computes the right thing is ops.bats, and every other file under WEFT_DEVICE=cuda.
load helper
PATH=$WEFT_UNIT:$PATH

each_setup() {
  mkstream >ids <<END
meta model $(golden models/bert-class)
ids 2 17 3 | text a | label yes
ids 2 30 40 3 | text b | label no
END
  unset WEFT_DEVICE WEFT_CUDA_LIB
}

# refused TEXT COMMAND...: exit 1, TEXT and the way out on standard error, no result.
refused() {
  local text=$1
  shift
  fails_with 1 "$text" "$@"
  [[ "$stderr" == *"-D cpu computes without CUDA"* ]]
  [ "$(wc -l <<<"$stderr")" -eq 1 ]
}

# no_gpu: skips the test where a GPU answers.
no_gpu() {
  [ ! -e /dev/nvidiactl ] && [ ! -e /dev/dxg ] || skip "this machine has a GPU"
}

@test "no plug-in: where it was looked for, and what to do" {
  export WEFT_CUDA_LIB=$PWD/weft-cuda.so
  refused "$PWD/weft-cuda.so: No such file" encode -D cuda ids
  refused "build weft where nvcc is" encode --device cuda:1 ids
  refused "weft-cuda.so" env WEFT_DEVICE=cuda encode ids
}

@test "a plug-in that is none" {
  export WEFT_CUDA_LIB=$PWD/weft-cuda.so
  echo nonsense >weft-cuda.so
  refused "weft-cuda.so" encode -D cuda ids
  cp "$(ldd "$(command -v encode)" | awk '$1 ~ /^libm\.so/ { print $3 }')" weft-cuda.so
  refused "weft_cuda_open" encode -D cuda ids
}

# plugin DECLARATIONS [BEFORE]: weft-cuda.so with those, and an open that says so; BEFORE stands
# between the table and what is known of it.
plugin() {
  command -v cc >/dev/null || skip "no C compiler"
  cat >plugin.c <<END
#include <stdio.h>
#include "kernels/device.h"
$2
#include "kernels/plugin.h"
Device *weft_cuda_open(int index, int threads, char *why, size_t n)
{
    (void)(index + threads);
    snprintf(why, n, "was opened");
    return NULL;
}
$1
END
  cc -std=gnu17 -D_GNU_SOURCE -Wall -Werror -shared -fPIC -I"$TOP" -o weft-cuda.so plugin.c
}

@test "a plug-in of another build is not opened" {
  export WEFT_CUDA_LIB=$PWD/weft-cuda.so
  local other="$PWD/weft-cuda.so is of another build than this program: \`make\` builds both"
  local build="TableBuild weft_cuda_build(void)"
  plugin "$build { return table_build(); }"
  refused "was opened" encode -D cuda ids
  plugin ""
  refused "$other" encode -D cuda ids
  plugin "$build { TableBuild b = table_build(); b.version++; return b; }"
  refused "$other" encode -D cuda ids
  plugin "$build { TableBuild b = table_build(); b.hash ^= 1; return b; }"
  refused "$other" encode -D cuda ids
  plugin "$build { return table_build(); }" '
    typedef struct Larger { Step step; void *more; } Larger;
    #define Step Larger'
  refused "$other" encode -D cuda ids
}

@test "the plug-in lies beside the programs" {
  mkdir bin
  cp "$(command -v encode)" bin/
  refused "$PWD/bin/weft-cuda.so: No such file" bin/encode -D cuda ids
}

@test "the plug-in, but no GPU" {
  no_gpu
  [ -e "$WEFT_BIN/weft-cuda.so" ] || skip "built without nvcc"
  refused "no CUDA device answers" encode -D cuda ids
  refused "-D cuda:3" encode -D cuda:3 ids
  refused "no CUDA device answers" train -D cuda -o out <(encode ids | pool)
  [ ! -e out ]
  show --machine | grep -q '^cuda     none: .*no CUDA device answers'
}

@test "unasked, the CPU computes where no GPU is in sight" {
  no_gpu
  encode -D cpu ids >want
  WEFT_CUDA_LIB=/nonexistent encode ids >got
  cmp want got
}

@test "no such device" {
  fails_with 2 "cpu, cuda or cuda:N" encode -D gpu ids
  fails_with 2 "-D" encode -D cuda:x ids
  fails_with 2 "-D" encode -D cuda:-1 ids
}
