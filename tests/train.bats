# train: labelled vectors to the folder of a head.
load helper

mkstream() {
  "$WEFT_UNIT/mkstream"
}

# toy N [SEED]: N rows of three classes that a plane can tell apart, six numbers a vector.
toy() {
  awk -v n="$1" -v seed="${2:-1}" "$DRAW"' BEGIN {
    split("neg neu pos", name, " ")
    print "meta model /encoder"; print "meta encoder e1"; print "meta vocab v1"
    print "meta layer 2"; print "meta pool mean,normalize"
    for (i = 0; i < n; i++) {
      c = i % 3; row = "vector"
      for (j = 0; j < 6; j++) row = row sprintf(" %.5f", draw() - 0.5 + (j % 3 == c))
      print row " | label " name[c + 1]
      if (i % 50 == 49) print "frame"
    }
  }'
}

# mixed N: two thirds "common", the rest "rare", which no head can tell apart fully.
mixed() {
  awk -v n="$1" -v seed=7 "$DRAW"' BEGIN {
    for (i = 0; i < n; i++) {
      c = i % 3 == 0
      printf "vector %.5f %.5f | label %s\n", draw() + c * 0.4, draw(), c ? "rare" : "common"
    }
  }'
}

# column NAME FILE: that column of a log, without its header.
column() {
  awk -F '\t' -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) k = i; next }
    { print $k }' "$2"
}

# told FOLDER KEY: the value of a key that stands alone on its line of config.json.
told() {
  sed -n 's/^ *"'"$2"'": "\{0,1\}\([^",]*\)"\{0,1\},\{0,1\}$/\1/p' "$1/config.json"
}

each_setup() {
  toy 300 | mkstream >toy.weft
}

same_bits() {
  cmp "$1/model.safetensors" "$2/model.safetensors"
}

@test "classes that a plane tells apart are all found" {
  for how in "--head linear" "--head mlp:8" "--head mlp:8,5 --optim adam" \
    "--optim sgd --momentum 0.9 --lr 0.1" "--head mlp:16 --dropout 0.1 --label-smoothing 0.1" \
    "--schedule constant --warmup 0.1" "--schedule cosine --weight-decay 0.01 --decay-all" \
    "--schedule polynomial --clip 0"; do
    rm -rf out
    # shellcheck disable=SC2086 # options are words
    train -o out --lr 0.02 -e 10 -v toy.weft --log log $how toy.weft
    [ "$(column valid_accuracy log | tail -n 1)" = 1 ] || { echo "$how" >&2; cat log >&2; false; }
  done
}

@test "what it evaluates is what head and score say" {
  toy 90 9 | mkstream >valid.weft
  train -o out --lr 0.01 --head mlp:7 -v valid.weft --log log toy.weft
  weft-head -m out valid.weft | score --eval | tee report
  for name in loss accuracy macro_f1 micro_f1; do
    awk -v a="$(column "valid_$name" log | tail -n 1)" -v b="$(sed -n "s/^$name	//p" report)" \
      'BEGIN { d = a - b; exit !(d < 2e-6 && d > -2e-6) }'
  done
}

@test "a seed gives the same bits whatever the threads and frames; another seed does not" {
  train -o a -j 1 --head mlp:9 --dropout 0.2 -v toy.weft toy.weft
  train -o b -j 2 --head mlp:9 --dropout 0.2 -v toy.weft <toy.weft
  toy 300 | grep -v frame | mkstream | train -o c -j 3 --head mlp:9 --dropout 0.2 -s 42
  train -o d -s 43 --head mlp:9 --dropout 0.2 toy.weft
  same_bits a b
  same_bits a c
  cmp <(grep -v '"command"' a/config.json) <(grep -v '"command"' b/config.json)
  run ! cmp -s a/model.safetensors d/model.safetensors
}

@test "what the folder says" {
  train -o out --head mlp:8,5 --dropout 0.25 toy.weft
  [ "$(ls out)" = "config.json
model.safetensors" ]
  [ "$(told out model_type)" = weft-head ]
  [ "$(told out model)" = /encoder ]
  [ "$(told out fingerprint)" = e1 ]
  [ "$(told out vocab)" = v1 ]
  [ "$(told out layer)" = 2 ]
  [ "$(told out hidden_size)" = 6 ]
  grep -q '"pool": "mean,normalize"' out/config.json
  [ "$(told out dropout | uniq)" = 0.25 ] # of the head, of the training
  [ "$(told out num_labels)" = 3 ]
  [ "$(told out 0) $(told out 1) $(told out 2)" = "neg neu pos" ]
  [ "$(told out neg) $(told out neu) $(told out pos)" = "0 1 2" ]
  [ "$(told out steps)" = 200 ]
  grep -q '"command": "train -o out --head mlp:8,5 --dropout 0.25 toy.weft"' out/config.json
  for name in 0.weight 0.bias 2.weight 2.bias 4.weight 4.bias; do
    grep -qa "\"head.$name\"" out/model.safetensors
  done
}

@test "classes stand in tok's order where it gave one" {
  { echo 'meta labels ["pos","neu","neg","none"]'; toy 30; } | mkstream | train -o out
  [ "$(told out 0) $(told out 1) $(told out 2) $(told out 3)" = "pos neu neg none" ]
  { echo 'meta labels ["pos","neg"]'; toy 30; } | mkstream >bad.weft
  fails_with 1 "stdin: record 2: label 'neu' is none of the classes pos, neg" \
    train -o bad <bad.weft
  { echo 'meta labels yes'; toy 30; } | mkstream >bad.weft
  fails_with 1 "no list of classes" train -o bad <bad.weft
  [ ! -e bad ]
}

@test "before the first step it says what is to come" {
  run --separate-stderr train -o out --head mlp:4 -e 2 toy.weft
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [[ "$stderr" == *"classes by name: neg, neu, pos"* ]]
  [[ "$stderr" == *"43 parameters of 43 are trained, on 300 rows in 20 steps"* ]]
  [[ "$stderr" == *"majority class neg 33.3 %; about "* ]]
  [[ "$stderr" == *"epoch 1, step 10 of 20: loss "* ]]
  [[ "$stderr" == *"epoch 2, step 20 of 20: loss "* ]]
  run --separate-stderr train -q -o quiet toy.weft
  [ -z "$output$stderr" ]
}

@test "the log's columns" {
  train -o out -e 2 -b 100 --lr 0.1 -v toy.weft --eval-first --log-every 2 --log log toy.weft
  [ "$(sed -n 1p log)" = "$(printf '%s\t' step epoch loss lr grad_norm rows_per_s tokens_per_s \
    seconds valid_loss valid_accuracy valid_macro_f1)valid_micro_f1" ]
  [ "$(column step log | tr '\n' ' ')" = "0 2 3 4 6 " ]
  [ "$(column epoch log | tr '\n' ' ')" = "0 0.666666667 1 1.33333333 2 " ]
  [ "$(column valid_accuracy log | grep -c .)" -eq 3 ]
  [ -z "$(column tokens_per_s log | tr -d '\n')" ]
  [ "$(column loss log | sed -n 1p)" = "" ]
  # Linear from 0.1 at the first step to 0 behind the sixth.
  [ "$(column lr log | tr '\n' ' ')" = " 0.0833333333 0.0666666667 0.05 0.0166666667 " ]
  awk -F '\t' 'NF != 12 { exit 1 }' log
}

@test "without --log-every the loss is the epoch's mean" {
  train -o a -e 1 -b 100 --log each --log-every 1 toy.weft
  train -o b -e 1 -b 100 --log epoch toy.weft
  [ "$(column step epoch)" = 3 ]
  awk -v want="$(column loss each | awk '{ s += $1 } END { printf "%.9g", s / NR }')" \
    -v got="$(column loss epoch)" 'BEGIN { d = want - got; exit !(d < 1e-6 && d > -1e-6) }'
}

@test "steps: --max-steps, --batch, --accumulate, --eval-every" {
  train -o a --max-steps 50 -b 7 -v toy.weft --eval-every 20 --log log toy.weft
  [ "$(column step log | tr '\n' ' ')" = "20 40 50 " ]
  train -o b -e 1 -b 7 --accumulate 6 --log log toy.weft
  [ "$(column step log)" = 8 ]
  train -o c -e 2 -b 1000 --log log toy.weft
  [ "$(column step log | tr '\n' ' ')" = "1 2 " ]
}

@test "an accumulated step is that of one large batch" {
  train -o a -e 3 -b 48 --lr 0.01 --head mlp:5 toy.weft
  train -o b -e 3 -b 16 --accumulate 3 --lr 0.01 --head mlp:5 toy.weft
  for name in head.0.weight head.0.bias head.2.weight head.2.bias; do
    "$WEFT_UNIT/allclose" {a,b}/model.safetensors "$name" 1e-5
  done
}

@test "--best keeps the best evaluation's parameters" {
  mixed 60 | mkstream >mixed.weft
  mixed 200 | tail -n 90 | mkstream >valid.weft
  for what in loss accuracy f1; do
    rm -rf out
    train -o out --optim sgd --lr 8 --schedule constant --clip 0 -e 12 -v valid.weft \
      --best $what --log log mixed.weft
    case $what in
    loss) want=$(paste <(column valid_loss log) <(column step log) | sort -s -g | sed -n 1p) ;;
    accuracy) want=$(paste <(column valid_accuracy log) <(column step log) |
      sort -s -k1,1gr | sed -n 1p) ;;
    f1) want=$(paste <(column valid_macro_f1 log) <(column step log) |
      sort -s -k1,1gr | sed -n 1p) ;;
    esac
    [ "$(told out kept_step)" = "${want#*	}" ]
    [ "$(told out kept_step)" != 96 ] # the test is one only if the last is not the best
    weft-head -m out valid.weft | score --eval >report
    [ "$what" != loss ] || awk -v a="${want%	*}" -v b="$(sed -n 's/^loss	//p' report)" \
      'BEGIN { d = a - b; exit !(d < 2e-6 && d > -2e-6) }'
  done
}

@test "--patience ends it" {
  train -o out --lr 0 -e 50 -v toy.weft --best loss --patience 3 --log log toy.weft
  [ "$(column step log | tr '\n' ' ')" = "10 20 30 40 " ]
  [ "$(told out kept_step)" = 10 ]
}

@test "--class-weight balanced is the weights that it stands for" {
  mixed 90 | mkstream >mixed.weft
  train -o none -e 9 --lr 0.05 mixed.weft
  train -o balanced -e 9 --lr 0.05 --class-weight balanced mixed.weft
  train -o listed -e 9 --lr 0.05 --class-weight 0.75,1.5 mixed.weft
  same_bits balanced listed
  # It answers the rare class more often.
  rare() { weft-head -m "$1" mixed.weft | score | grep -c ^rare; }
  [ "$(rare balanced)" -gt "$(rare none)" ]
  fails_with 2 "3 weights for 2 classes (common, rare)" \
    train -o bad --class-weight 1,2,3 mixed.weft
  fails_with 2 "'x' is not a number" train -o bad --class-weight 1,x mixed.weft
  [ ! -e bad ]
}

@test "row weights count: a row of weight 0 is as if it were not there" {
  mixed 40 | sed 's/$/ | weight 1/' >rows
  { cat rows; echo 'vector 9 9 | label rare | weight 0'; } | mkstream >more.weft
  mixed 40 | mkstream >plain.weft
  train -o a -e 5 -b 100 --optim sgd --lr 0.1 plain.weft
  train -o b -e 5 -b 100 --optim sgd --lr 0.1 more.weft
  for name in head.0.weight head.0.bias; do
    "$WEFT_UNIT/allclose" {a,b}/model.safetensors "$name" 1e-6
  done
  sed '3s/weight 1/weight -1/' rows | mkstream >bad.weft
  fails_with 1 "bad.weft: record 3: its weight is -1" train -o bad bad.weft
}

@test "--init-only writes what training would begin with" {
  train -o a --init-only --head mlp:3 toy.weft
  train -o b --lr 0 --head mlp:3 toy.weft
  same_bits a b
  [ "$(told a kept_step)" = 0 ]
}

@test "rows without a label" {
  toy 90 | sed '20s/ | label .*//' | mkstream >gap.weft
  fails_with 1 "gap.weft: record 15: it has no label: --skip-unlabelled" train -o out gap.weft
  [ ! -e out ]
  run --separate-stderr train -o out --skip-unlabelled gap.weft
  [ "$status" -eq 0 ]
  [[ "$stderr" == *"gap.weft: 1 row without a label left out"* ]]
  [[ "$stderr" == *"on 89 rows"* ]]
  toy 30 | sed 's/ | label .*//' | mkstream >none.weft
  fails_with 1 "none.weft: the rows have no labels: tok -l" train -o none none.weft
  toy 30 | sed 's/label .*/label /' | mkstream >empty.weft
  fails_with 1 "no row has a label" train -o none --skip-unlabelled empty.weft
}

@test "a record's number is that of its file" {
  toy 30 | sed '$s/label pos/label /' | mkstream >b.weft
  fails_with 1 "b.weft: record 30: it has no label" train -o out toy.weft b.weft
}

@test "-v: another label, other vectors, no file" {
  toy 30 | sed '9s/label .*/label angry/' | mkstream >valid.weft
  fails_with 1 "valid.weft: record 4: label 'angry' is none of the classes neg, neu, pos" \
    train -o out -v valid.weft toy.weft
  toy 30 | sed 's/^meta pool .*/meta pool cls/' | mkstream >valid.weft
  fails_with 1 "valid.weft: its vectors come from pool 'cls', those to train on from 'mean" \
    train -o out -v valid.weft toy.weft
  toy 30 | sed 's/^meta encoder .*/meta encoder e2/' | mkstream >valid.weft
  fails_with 1 "encoder 'e2'" train -o out -v valid.weft toy.weft
  mixed 9 | mkstream >valid.weft
  fails_with 1 "have width 2, those to train on 6" train -o out -v valid.weft toy.weft
  fails_with 1 "absent.weft" train -o out -v absent.weft toy.weft
  [ ! -e out ]
}

@test "vectors that do not go together, or are none" {
  toy 30 | sed 's/^meta pool .*/meta pool cls/' | mkstream >cls.weft
  fails_with 1 "vectors of pool 'cls' behind those of 'mean,normalize'" \
    train -o out toy.weft cls.weft
  mixed 9 | sed '1i meta model /encoder\nmeta encoder e1\nmeta vocab v1' | mkstream >narrow.weft
  fails_with 1 "vectors of width 2 behind those of 6" train -o out toy.weft narrow.weft
  printf 'vector 1 nan | label a\nvector 1 2 | label b\n' | mkstream >nan.weft
  fails_with 1 "nan.weft: record 1: its vector is not finite" train -o out nan.weft
  printf 'vector 1 2 | label a\nvector 2 1 | label a\n' | mkstream >one.weft
  fails_with 1 "one class" train -o out one.weft
  printf 'end\n' | mkstream >empty.weft
  fails_with 1 "there are no rows" train -o out empty.weft
  printf 'text good | label a\n' | mkstream >text.weft
  fails_with 1 "row.vector" train -o out text.weft
  seq 5000 | sed 's/.*/vector 1 2 | label &/' | mkstream >many.weft
  fails_with 1 "record 4097: more than 4096 different labels" train -o out many.weft
  [ ! -e out ]
}

@test "a loss that is lost is an error" {
  fails_with 1 "the loss is not finite at step" \
    train -o out --optim sgd --lr 1e6 --clip 0 --head mlp:8,8,8 -e 99 toy.weft
  [ ! -e out ]
}

@test "input without its end makes nothing" {
  size=$(stat -c %s toy.weft)
  for n in 0 5 100 $((size / 2)) $((size - 1)); do
    dd if=toy.weft of=cut.weft bs=1 count="$n" status=none
    run --separate-stderr train -o out --log log cut.weft
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"cut.weft: "* ]]
  done
  { toy 60; echo fail; } | mkstream >failed.weft || true
  run --separate-stderr train -o out --log log < <(cat failed.weft)
  [ "$status" -eq 1 ]
  [ -z "$stderr" ] # who failed has said so
  [ ! -e out ] && [ ! -e log ]
  fails_with 1 "failed.weft: the program that wrote it failed" train -o out --log log failed.weft
  [ ! -e out ] && [ ! -e log ]
  [ -z "$(ls -Ad .out* out* 2>/dev/null)" ]
}

@test "an output that is there; --force" {
  train -q -o out toy.weft
  cp out/model.safetensors before
  fails_with 1 "out is there already: remove it, or --force" train -o out -s 7 toy.weft
  cmp before out/model.safetensors
  echo mine >out/notes
  train -q -o out/ -s 7 --force toy.weft
  run ! cmp -s before out/model.safetensors
  [ "$(cat out/notes)" = mine ]
  train -q -o fresh --force toy.weft
  mkdir data
  echo '{}' >data/config.json
  fails_with 1 "no folder that train made" train -o data --force toy.weft
  echo text >file
  fails_with 1 "file is there already" train -o file toy.weft
  fails_with 1 "no folder that train made" train -o file --force toy.weft
  fails_with 1 "nowhere: no folder can be made there" train -o nowhere/out toy.weft
  ln -s out link
  train -q -o link -s 8 --force toy.weft
  [ -L link ]
  [ "$(told out seed)" = 8 ]
  [ "$(files)" = \
    "$(printf '%s\n' before data file fresh link out toy.weft)" ]
}

# stopped SIGNAL FOLDER: train is sent that once it has taken some steps.
stopped() {
  local status=0
  train -q -o "$2" --force --max-steps 100000000 --log log toy.weft 3>&- &
  pid=$!
  for _ in $(seq 100); do
    [ "$(wc -l 2>/dev/null <log || echo 0)" -gt 3 ] && break
    sleep 0.05
  done
  kill "-$1" $pid
  wait $pid || status=$?
  [ "$status" -gt 128 ]
  rm log
}

@test "killed while it trains it leaves no folder, or the old one" {
  train -q -o old toy.weft
  cp old/config.json before
  stopped KILL new
  stopped KILL old
  [ ! -e new ]
  cmp before old/config.json
  [ "$(ls -A)" = "$(printf '%s\n' before old toy.weft)" ]
}

# bats starts jobs with SIGINT ignored, nohup with SIGHUP.
@test "told to stop it leaves a checkpoint, beside the old head where there is one" {
  train -q -o old toy.weft
  cp old/config.json before
  stopped TERM new
  stopped TERM old
  [[ "$(ls -A new)" =~ ^checkpoint-[0-9]+$ ]]
  [ "$(ls -A new/checkpoint-*)" = "$(printf '%s\n' config.json model.safetensors state.json \
    state.safetensors)" ]
  cmp before old/config.json
  [[ "$(cd old && echo -- *)" =~ ^--\ checkpoint-[0-9]+\ config.json\ model.safetensors$ ]]
}

@test "--force keeps the modes of the folder and of its files" {
  umask 022
  train -q -o out toy.weft
  [ "$(stat -c %a out out/config.json out/model.safetensors | tr '\n' ' ')" = "755 644 644 " ]
  chmod 700 out; chmod 600 out/config.json; chmod 640 out/model.safetensors
  train -q -o out -s 7 --force toy.weft
  [ "$(stat -c %a out out/config.json out/model.safetensors | tr '\n' ' ')" = "700 600 640 " ]
  train -q -o new --force toy.weft
  [ "$(stat -c %a new new/config.json | tr '\n' ' ')" = "755 644 " ]
}

# whole: out is one of the two heads, with all that lay beside it.
whole() {
  weft head -m out toy.weft | frames -d | cmp -s - "$1" && [ "$(cat out/notes out/more/notes)" = $'mine\nmine' ]
}

@test "killed or failing while it saves: the old head or the new one, and what lies beside it" {
  need_failing
  PATH=$WEFT_UNIT:$PATH
  local k n kind
  for k in 1 2; do
    train -q -e 1 -s $k -o out --force toy.weft
    weft head -m out toy.weft | frames -d >head$k
  done
  run ! cmp -s head1 head2
  train -q -e 1 -s 1 -o old toy.weft
  mkdir old/more
  echo mine | tee old/notes >old/more/notes
  for kind in kill file; do
    rm -rf out*; cp -r old out
    n=$(calls $kind train -q -e 1 -s 2 -o out --force toy.weft)
    for k in $(seq "$n"); do
      rm -rf out*; cp -r old out
      run --separate-stderr failing "$kind:$k" train -q -e 1 -s 2 -o out --force toy.weft
      if [ $kind = file ]; then
        [ "$status" -eq 0 ] || { [ "$status" -eq 1 ] && [ -n "$stderr" ]; }
      else
        [ "$status" -eq 137 ]
      fi
      # A folder is in one place at a time: it may have stayed behind, which then is told.
      if [ ! -e out/more ]; then
        [ $kind = kill ] || [[ "$stderr" == *"stays in $PWD/out.tmp."* ]]
        mv out.tmp.*/more out
      fi
      whole head1 || whole head2 || { echo "$kind $k: $(ls -AR)" >&2; false; }
      train -q -e 1 -s 2 -o out --force toy.weft # what is left is in nobody's way
      whole head2
    done
  done
}

@test "a full disk under the log is an error" {
  fails_with 1 "/dev/full" train -o out --log /dev/full toy.weft
  fails_with 1 "nowhere/log" train -o out --log nowhere/log toy.weft
  [ ! -e out ]
}

@test "a stream made through a trained folder names the encoder behind it" {
  train -o first toy.weft
  toy 30 | sed "s,^meta model .*,meta model $PWD/first," | mkstream | train -o second
  [ "$(told second model)" = /encoder ]
}

@test "the command line is checked" {
  fails_with 2 "-o DIR" train toy.weft
  fails_with 2 "--best needs something to evaluate on: -v" train -o out --best f1 toy.weft
  fails_with 2 "--eval-first needs" train -o out --eval-first toy.weft
  fails_with 2 "--eval-every needs" train -o out --eval-every 3 toy.weft
  fails_with 2 "--best loss|accuracy|f1" train -o out -v toy.weft --patience 2 toy.weft
  fails_with 2 "--momentum is of --optim sgd" train -o out --momentum 0.9 toy.weft
  fails_with 2 "not family, linear or mlp" train -o out --head round toy.weft
  for bad in "--head mlp:" "--head mlp:0" "--head mlp:3,x" "--head mlp:1,1,1,1,1,1,1,1,1" \
    "-e 0" "-b 0" "-b 8x" "--lr -1" "--lr nan" "--warmup -1" "--warmup 1.5" "--dropout 1" \
    "--label-smoothing 2" "--max-steps 0" "--optim sdg" "--schedule flat" "--best worst" \
    "--patience 0" "--accumulate 0" "--clip -1" "--weight-decay x"; do
    # shellcheck disable=SC2086 # options are words
    run train -o out -v toy.weft --best loss $bad toy.weft
    [ "$status" -eq 2 ] || { echo "$bad: $status" >&2; false; }
  done
  [ ! -e out ]
}

@test "options of whole models are refused where the stream has vectors" {
  for option in "--scratch config.json" "--freeze encoder" "--pool cls" \
    "--head family" "-m model" "-t bf16" --whole-word "--lr-decay 0.9"; do
    # shellcheck disable=SC2086 # an option and its argument
    fails_with 2 "for whole models" train -o out $option toy.weft
  done
  fails_with 1 "--objective mlm wants ids" train -o out --objective mlm toy.weft
  fails_with 2 "-t bf16 is made for them" train -o out -t f16 toy.weft
  [ ! -e out ]
  train -q -o out --objective class toy.weft
}

@test "a folder that is broken is refused with the reason" {
  train -q -o out --head mlp:4 toy.weft
  # broken MESSAGE SED_SCRIPT: what head says of a config.json changed so.
  # weft-head's stream says that it failed; only the reason is of interest.
  said() { weft-head -m bad toy.weft >/dev/null; }
  broken() {
    rm -rf bad
    cp -r out bad
    sed "$2" out/config.json >bad/config.json
    fails_with 1 "$1" said
  }
  broken "bad/config.json: num" 's/"num_labels": 3/"num_labels": "three"/'
  broken "does not name num_labels = 4 classes" 's/"num_labels": 3/"num_labels": 4/'
  broken "hidden_size is no width" 's/"hidden_size": 6/"hidden_size": -6/'
  broken "head.0.weight is not F32 of config.json's shape" 's/"hidden_size": 6/"hidden_size": 7/'
  broken "activation 'swish' is not known" 's/"relu"/"swish"/'
  broken "no name for class 2" 's/"2": "pos"/"3": "pos"/'
  broken "problem_type 'regression'" 's/single_label_classification/regression/'
  broken "it has no encoder" 's/"encoder"/"encoded"/'
  broken "bad/config.json: line" '$d'
  rm -rf bad
  cp -r out bad
  train -q -o linear toy.weft
  cp linear/model.safetensors bad/
  fails_with 1 "bad/model.safetensors: " said
  dd if=out/model.safetensors of=bad/model.safetensors bs=1 count=200 status=none
  fails_with 1 "bad/model.safetensors" said
  rm bad/model.safetensors
  fails_with 1 "bad/model.safetensors" said
}
