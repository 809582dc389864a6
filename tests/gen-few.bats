# gen-few.bats - a few of gen's answers, quick enough for a device that is played on the CPU.
load helper
load gen_cases

@test "one of each family, by the likeliest token or by beams" {
  all 'gpt2-(scores|beams-2-never-2|repetition)|t5-beams-2-never-2|bart-first|mbart-greedy|flan-greedy|mt5-own'
}

@test "weights of 16 and of 8 bits: the same answers as on the CPU" {
  folder gpt2
  printf '%s\n' '19 26 35' 7 '5 6 7 8' | tok --ids >in
  local form
  for form in bf16 int8; do
    gen -m m -t $form --beams 1 --max-new 4 in | digest 'row.tokens|token.id' >got
    gen -D cpu -m m -t $form --beams 1 --max-new 4 in | digest 'row.tokens|token.id' | cmp - got
  done
}

@test "drawn tokens: as on the CPU" {
  folder gpt2
  printf '%s\n' '19 26 35' 7 | tok --ids >in
  gen -m m --sample -r 2 --max-new 4 in | digest 'row.tokens|token.id' >got
  gen -D cpu -m m --sample -r 2 --max-new 4 in | digest 'row.tokens|token.id' | cmp - got
}
