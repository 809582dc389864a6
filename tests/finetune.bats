# train on rows of ids: whole models. How its numbers compare with PyTorch's is elsewhere.
load helper

# rows N: labelled texts that two words tell apart.
rows() {
  echo text,label
  awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++)
    print (i % 2 ? "the cat sat on mat " : "a dog ran ") i % 7 "," (i % 2 ? "good" : "bad") }'
}

each_setup() {
  M=$(golden models)
  rows 40 >rows.csv
  tok -q -m "$M/bert-class" -c text -l label rows.csv >rows
}

# column NAME FILE: that column of a log, without its header.
column() {
  awk -F '\t' -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) k = i; next }
    { print $k }' "$2"
}

same_bits() {
  cmp "$1/model.safetensors" "$2/model.safetensors"
}

# accuracy FOLDER STREAM: what the pipeline says of its rows.
accuracy() {
  encode -q -m "$1" "$2" | head -m "$1" | score -e | sed -n 's/^accuracy	//p'
}

@test "a model learns, and its folder is one" {
  train -q -o out -e 30 --lr 3e-3 -v rows --log log rows
  [ "$(column valid_accuracy log | tail -n 1)" = 1 ]
  [ "$(accuracy out rows)" = 1.000000 ]
  [ "$(printf 'the cat sat on mat 3\n' | tok -q -m out | encode -q | head | score | cut -f 1)" = good ]
  grep -q '"architectures": \["BertForSequenceClassification"\]' <(tr -d '\n' <out/config.json |
    sed 's/  */ /g; s/\[ /[/g; s/ \]/]/g')
  cmp "$M/bert-class/vocab.txt" out/vocab.txt
  grep -qa '"__metadata__":{"format":"pt"}' out/model.safetensors
}

@test "heads of Linear layers stand beside the model" {
  for how in "linear --pool pooler" "mlp:8 --pool cls" "mlp:8,4 --pool mean"; do
    # shellcheck disable=SC2086 # options are words
    train -q --force -o out -e 30 --lr 5e-3 --head $how rows
    [ "$(accuracy out rows)" = 1.000000 ] || { echo "$how" >&2; false; }
    [ -e out/head.safetensors ]
  done
  sed -i.old 's/"relu"/"swish"/' out/config.json
  encode -q -m out rows >hidden
  said() { weft-head -m out hidden >/dev/null; }
  fails_with 1 "out/config.json: weft_head: activation 'swish' is not known" said
  mv out/config.json.old out/config.json
  rm out/head.safetensors
  fails_with 1 "out/head.safetensors" said
}

@test "the same bits whatever the threads and frames" {
  train -q -o a -j 1 --max-steps 12 rows
  train -q -o b -j 3 --max-steps 12 rows
  deal 50:x 50:y <rows
  cat x y | train -q -o c -j 2 --max-steps 12
  same_bits a b
  train -q -o d -s 7 --max-steps 12 rows
  run ! cmp -s a/model.safetensors d/model.safetensors
}

@test "accumulated batches are one large one" {
  train -q -o a -b 16 --max-steps 5 --log-every 1 --log a.log rows
  train -q -o b -b 4 --accumulate 4 --max-steps 5 --log-every 1 --log b.log rows
  paste <(column loss a.log) <(column loss b.log) <(column grad_norm a.log) <(column grad_norm b.log) |
    awk '{ x = $1 - $2; y = ($3 - $4) / $3; if (x * x > 1e-12 || y * y > 1e-10) exit 1 }
      END { exit NR != 5 }'
}

@test "what is frozen stays as it is" {
  # changed NAMES: the tensors of out that are not the start's.
  changed() {
    for name in bert.embeddings.word_embeddings.weight bert.encoder.layer.0.output.dense.weight \
      bert.encoder.layer.1.output.dense.weight bert.pooler.dense.weight classifier.weight; do
      cmp -s <(tensor "$M/bert-class" $name) <(tensor out $name) || printf '%s ' "${name#bert.}"
    done
  }
  # The bytes of a tensor of a folder.
  tensor() {
    local file=$1/model.safetensors head at
    head=$(od -An -t u8 -N 8 "$file" | tr -d ' ')
    at=$(tail -c +9 "$file" | command head -c "$head" |
      sed 's/.*"'"$2"'":{[^}]*"data_offsets":\[\([0-9]*\),\([0-9]*\)\].*/\1 \2/')
    tail -c +$((9 + head + ${at% *})) "$file" | command head -c $((${at#* } - ${at% *}))
  }
  train -q --force -o out --max-steps 5 rows
  [ "$(changed)" = "embeddings.word_embeddings.weight encoder.layer.0.output.dense.weight \
encoder.layer.1.output.dense.weight pooler.dense.weight classifier.weight " ]
  train -q --force -o out --max-steps 5 --freeze embeddings rows
  [ "$(changed)" = "encoder.layer.0.output.dense.weight encoder.layer.1.output.dense.weight \
pooler.dense.weight classifier.weight " ]
  train -q --force -o out --max-steps 5 --freeze 1 rows
  [ "$(changed)" = "encoder.layer.1.output.dense.weight pooler.dense.weight classifier.weight " ]
  train -q --force -o out --max-steps 5 --freeze encoder rows
  [ "$(changed)" = "classifier.weight " ]
}

@test "a frozen encoder runs once a row" {
  run --separate-stderr train -o out -e 3 --freeze encoder -v rows rows
  [ "$status" -eq 0 ]
  [ "$(grep -c 'runs once over 40 rows' <<<"$stderr")" -eq 2 ]
}

@test "from scratch" {
  train -q -o out --scratch "$M/bert-class/config.json" -e 40 --lr 3e-3 -v rows --log log rows
  [ "$(column valid_accuracy log | tail -n 1)" = 1 ]
  [ "$(accuracy out rows)" = 1.000000 ]
  train -q -o one --init-only --scratch "$M/bert-class/config.json" rows
  train -q -o two --init-only --scratch "$M/bert-class/config.json" rows
  same_bits one two
}

@test "a checkpoint's head goes on where the labels are its own" {
  sed 's/good/positive/; s/bad/negative/' rows.csv | awk 'NR < 4 || NR > 5 { print } NR == 4 {
    print "so so,neutral" }' | tok -q -m "$M/bert-class" -c text -l label >own
  run --separate-stderr train -o a --max-steps 1 own
  [[ "$stderr" == *"of the checkpoint, whose head goes on"* ]]
  run --separate-stderr train -o b --max-steps 1 rows
  [[ "$stderr" == *"by name, for a new head"* ]]
}

@test "words under masks, and the next word" {
  tok -q -m "$M/bert-mask" -c text rows.csv >plain
  train -q -o mlm --objective mlm --mask-ratio 0.3 -e 60 --lr 5e-3 -v plain --log log plain
  column valid_loss log | awk 'NR == 1 { a = $1 } END { exit !($1 < a / 2) }'
  echo 'the cat [MASK] on mat 3' | tok -q -m mlm | encode -q | head | score -k 1 >guess
  [ "$(wc -l <guess)" -eq 1 ]
  tok -q -m "$M/gpt2-lm" -c text rows.csv >plain
  train -q -o clm --objective clm -e 20 --lr 5e-3 -v plain --log log plain
  awk -v a="$(column valid_loss log | tail -n 1)" -v b="$(ppl -q -m clm plain | sed -n 's/^all	//p' |
    cut -f 2)" 'BEGIN { exit !((a - b) * (a - b) < 1e-10) }'
}

@test "classes of tokens, answers, numbers, several classes" {
  awk 'BEGIN { for (i = 0; i < 12; i++) print "the\tO\ncat\tB-A\nsat\tO\n" }' |
    tok -q -m "$M/bert-token" --conll >conll
  train -q -o token -e 30 --lr 5e-3 -v conll --log log conll
  [ "$(column valid_micro_f1 log | tail -n 1)" = 1 ]
  { echo q,c,a,s; for _ in 1 2 3 4 5 6; do
    echo "who,the cat sat on the mat,the cat,0"; echo "where,the cat sat on the mat,the mat,15"
  done; } | tok -q -m "$M/bert-span" -c q -p c -l a --start s >answers
  train -q -o span -e 60 --lr 5e-3 -v answers --log log answers
  [ "$(column valid_accuracy log | tail -n 1)" = 1 ]
  { echo text,y; for _ in 1 2 3 4 5 6; do echo "the cat,1.5"; echo "a dog,-0.5"; done; } |
    tok -q -m "$M/bert-regression" -c text -l y >numbers
  train -q -o number --objective regression -e 60 --lr 5e-3 -v numbers --log log numbers
  column valid_loss log | tail -n 1 | awk '{ exit !($1 < 0.05) }'
  { echo text,y; for _ in 1 2 3 4 5 6; do echo "the cat,a|b"; echo "a dog,b"; echo "the,";
  done; } | tok -q -m "$M/bert-class" -c text -l y >several
  train -q -o several.d --objective multi --skip-unlabelled -e 60 --lr 5e-3 -v several --log log several
  [ "$(column valid_micro_f1 log | tail -n 1)" = 1 ]
}

@test "an answer that does not stand where it is said to" {
  printf 'q,c,a,s\nwho,the cat sat,the dog,0\n' |
    tok -q -m "$M/bert-span" -c q -p c -l a --start s >answers
  fails_with 1 "its answer does not stand at character 0 of the second text" \
    train -o out answers
  fails_with 2 "--start is about the answer" tok -m "$M/bert-span" -c q -l a --start s /dev/null
  printf 'q,c,a,s\nwho,the cat sat,the cat,first\n' >bad.csv
  said() { tok -q -m "$M/bert-span" -c q -p c -l a --start s bad.csv >/dev/null; }
  fails_with 1 "start: 'first'" said
}

# goes_on STEPS: told to stop behind so many, it goes on to the bits of a run that was let be.
goes_on() {
  local status=0
  train -q -o cut -j 1 -e 300 --log cut.log --log-every 1 rows 3>&- &
  for _ in $(seq 500); do
    [ "$(wc -l 2>/dev/null <cut.log || echo 0)" -gt "$1" ] && break
    sleep 0.01
  done
  kill -TERM $!
  wait $! || status=$?
  [ "$status" -eq 143 ]
  run --separate-stderr train --resume -o cut -j 2 -e 300 --log cut.log --log-every 1 rows
  [ "$status" -eq 0 ]
  [[ "$stderr" == *"goes on from cut/checkpoint-"* ]]
}

@test "told to stop, it goes on to the same bits" {
  train -q -o whole -e 300 --log whole.log --log-every 1 rows
  for steps in 3 300; do
    rm -rf cut cut.log
    goes_on $steps
    same_bits whole cut
    cmp <(cut -f 1-5 whole.log) <(cut -f 1-5 cut.log)
  done
  run --separate-stderr train --resume -o cut -e 300 rows
  [ "$status" -eq 0 ]
  [[ "$stderr" == *"cut is finished"* ]]
}

@test "killed, it goes on from the last whole checkpoint" {
  train -q -o whole -e 100 --best loss -v rows --eval-every 9 rows
  train -q -o cut -e 100 --best loss -v rows --eval-every 9 --checkpoint 20 rows 3>&- &
  for _ in $(seq 200); do
    [ -e cut/checkpoint-60 ] && break
    sleep 0.02
  done
  kill -KILL $!
  wait $! || true
  [ ! -e cut/config.json ]
  train -q --resume -o cut -e 100 --best loss -v rows --eval-every 9 --checkpoint 20 rows
  same_bits whole cut
  checkpoints=(cut/checkpoint-*)
  [ "${#checkpoints[@]}" -eq 2 ]
}

@test "what cannot be gone on with is told" {
  fails_with 1 "out has no checkpoint to go on from" train -q -o out --resume rows
  train -q -o out -e 2 --checkpoint 3 rows
  fails_with 1 "other --epochs, --lr: --force begins anew" \
    train -q -o out -e 3 --lr 1 --resume rows
  command head -n 30 rows.csv | tok -q -m "$M/bert-class" -c text -l label >fewer
  fails_with 1 "other the rows" train -q -o out -e 2 --resume fewer
  fails_with 2 "one of them" train -o out --force --resume rows
  rm out/*.*
  fails_with 1 "out holds checkpoints: --resume goes on from the newest" train -q -o out rows
  train -q -o out --force -e 1 rows
  [ ! -e out/checkpoint-3 ]
}

@test "rows of another vocabulary are refused" {
  tok -q -m "$M/roberta-class" -c text -l label rows.csv >other
  fails_with 1 "vocabulary" train -q -o out -m "$M/bert-class" other
  [ ! -e out ]
}

@test "a rate that is too high ends with the step" {
  fails_with 1 "the loss is not finite at step" train -q -o out --clip 0 --optim sgd --lr 1e6 \
    --weight-decay 1e6 rows
  [ ! -e out ]
}

# answers MODEL [OPTION...]: questions, some of whose contexts are several windows long.
answers() {
  local model=$1
  shift
  awk 'BEGIN { print "q,c,a"; for (i = 0; i < 24; i++) {
    what = i % 2 ? "good cat" : "mat"; n = i % 5 * 7
    c = "The"; for (k = 0; k < n; k++) c = c " " (k % 3 ? "dog" : "ran")
    print (i % 2 ? "who" : "where") "," c " " what "! sat on it," (i % 6 == 5 ? "" : what) } }' >answers.csv
  tok -q -m "$model" -n 24 -S 4 -c q -p c -l a "$@" answers.csv
}

@test "answers are measured by their texts, as score --eval does" {
  local model how
  for model in bert-span roberta-span; do
    answers "$M/$model" >all
    awk 'NR == 1 || NR % 6 != 1' answers.csv >some.csv
    tok -q -m "$M/$model" -n 24 -S 4 -c q -p c -l a some.csv >some
    [ "$(show all | awk '$1 == "rows" { print $2 }')" -gt 24 ] # there are windows
    for how in "all --impossible" some; do
      # shellcheck disable=SC2086
      set -- $how
      train -q --force -o out --objective span -e 6 --lr 3e-3 -v "$1" --log log all
      encode -q -m "$PWD/out" "$1" | weft-head -m "$PWD/out" | score --eval "${@:2}" >want
      awk -F '\t' 'NR == FNR { want[$1] = $2; next } { exact = $10; f1 = $11 }
        END { d = exact - want["exact"]; e = f1 - want["f1"]
          if (d * d > 1e-11 || e * e > 1e-11) { print exact, f1, want["exact"], want["f1"]; exit 1 } }' \
        want log
    done
  done
  awk -F '\t' 'NR > 1 && $10 > 0.2 && $11 < 1 { ok = 1 } END { exit !ok }' log # it says something
}
