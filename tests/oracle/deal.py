"""Which of ten rows `deal -s 42 1:a 1:b` puts in a, worked out from weft-deal(1)'s words alone
-> tests/golden/deal/ten-half-seed42.txt."""
from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "golden" / "deal"
MASK = (1 << 64) - 1


def splitmix64(x):
    while True:
        x = x + 0x9E3779B97F4A7C15 & MASK
        z = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        yield z ^ z >> 31


def rotate(x, k):
    return (x << k | x >> 64 - k) & MASK


def xoshiro256ss(seed):
    mix = splitmix64(seed)
    s = [next(mix) for _ in range(4)]
    while True:
        yield rotate(s[1] * 5 & MASK, 7) * 9 & MASK
        t = s[1] << 17 & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotate(s[3], 45)


def below(draws, n):
    while True:
        product = next(draws) * n
        if product & MASK >= (1 << 64) % n:
            return product >> 64


draws = xoshiro256ss(42)
order = list(range(10))
for i in range(9, 0, -1):
    j = below(draws, i + 1)
    order[i], order[j] = order[j], order[i]
OUT.mkdir(parents=True, exist_ok=True)
(OUT / "ten-half-seed42.txt").write_text("".join(f"t{row + 1} " for row in sorted(order[:5])))
