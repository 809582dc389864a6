#!/bin/bash
# gpu.sh: what this machine's GPU reaches, as Markdown: the operations (gpu.c), then tokens a
# second of `encode` on all-MiniLM-L6-v2, beside PyTorch where python3 has it with CUDA.
#
# The time to start (CUDA's own half second, the weights) is left out: it is what N copies of the
# input and 3 N take that differs. COPIES (8), WEFT_DEVICE (cuda).
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH=${WEFT_BIN:-$PWD/bin}:$PATH WEFT_DEVICE=${WEFT_DEVICE:-cuda}
copies=${COPIES:-8} model=model/all-MiniLM-L6-v2

show --machine
echo
"${WEFT_UNIT:-$PWD/build/tests}/gpu" -D "$WEFT_DEVICE"
echo
if [ ! -e $model/model.safetensors ]; then
    echo "gpu.sh: no $model: make model; encode is not measured" >&2
    exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# About 200,000 tokens of the manual's sentences.
for _ in 1 2 3 4 5 6; do cat man/*.[1-9] README.md; done | grep -E '.{20}' >"$work/texts"
tok -q -m $model "$work/texts" >"$work/ids"
tokens=$(show --lengths "$work/ids" | awk '
    $1 == "rows" { rows = $2 }
    $1 == "mean" { print int(rows * $2 + 0.5) }')

# seconds COPIES TYPE
seconds() {
    local begin=$EPOCHREALTIME i
    for ((i = 0; i < $1; i++)); do cat "$work/ids"; done | encode -t "$2" >/dev/null
    awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'
}

echo "| all-MiniLM-L6-v2, $(wc -l <"$work/texts") rows | type | tokens/s |"
echo "|---|---|---|"
for type in f32 bf16 f16; do
    few=$(seconds "$copies" $type) many=$(seconds $((3 * copies)) $type)
    awk -v n="$((2 * copies * tokens))" -v a="$few" -v b="$many" -v t=$type \
        'BEGIN { printf "| encode, from pipe to /dev/null | %s | %.0f |\n", t, n / (b - a) }'
done
if python3 -c 'import torch, transformers, sys; sys.exit(not torch.cuda.is_available())' \
    2>/dev/null; then
    python3 tests/bench/gpu_torch.py $model "$work/texts"
else
    echo
    echo "PyTorch: python3 has none with CUDA, or no transformers"
fi
