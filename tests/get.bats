# get - from a hub that runs here (tests/unit/hub.c), which also breaks off, redirects, refuses and
# lies.
load helper

COMMIT=0123456789abcdef0123456789abcdef01234567

each_setup() {
  unset HF_TOKEN HF_TOKEN_PATH HF_HUB_OFFLINE
  export HF_HOME=$PWD/home
  REPO=$HF_HOME/hub/models--org--tiny
  mkdir -p hub/org
  cp -r "$(golden models/bert-class)" hub/org/tiny
  chmod -R u+w hub
  echo 'not for us' >hub/org/tiny/tf_model.h5
  echo 'nor this' >hub/org/tiny/README.md
}

teardown() {
  if [ -n "${HUB:-}" ]; then kill "$HUB" 2>/dev/null || true; fi
}

# serve [FAULT...]: the hub, with these faults.
serve() {
  printf '%s\n' "$@" >hub/faults
  if [ -n "${HUB:-}" ]; then kill "$HUB"; wait "$HUB" 2>/dev/null || true; fi
  rm -f port
  "$WEFT_UNIT/hub" hub >port 3>&- &
  HUB=$!
  until [ -s port ]; do sleep 0.02; done
  HF_ENDPOINT=http://127.0.0.1:$(cat port)
  export HF_ENDPOINT
  : >hub/log
}

@test "a model comes into the cache in Hugging Face's layout, and nothing else of it" {
  serve
  run --separate-stderr get org/tiny
  [ "$status" -eq 0 ]
  [ "$output" = "$REPO/snapshots/$COMMIT" ]
  [ "$(cat "$REPO/refs/main")" = $COMMIT ]
  local f
  for f in config.json model.safetensors; do
    [ -L "$output/$f" ]
    cmp "$output/$f" "hub/org/tiny/$f"
  done
  [ "$(readlink "$output/model.safetensors")" = "../../blobs/$(sha256sum <hub/org/tiny/model.safetensors | cut -d' ' -f1)" ]
  [ ! -e "$output/README.md" ] && [ ! -e "$output/tf_model.h5" ]
  [ -z "$(find "$HF_HOME" -name '*.incomplete')" ]
}

@test "the files of marian's tokenizer come, too" {
  cp "$(golden models/marian-spm)"/*.spm "$(golden models/marian-spm)/vocab.json" hub/org/tiny
  echo '{}' >hub/org/tiny/generation_config.json
  serve
  get -q org/tiny >folder
  local f
  for f in source.spm target.spm vocab.json generation_config.json; do cmp "$(cat folder)/$f" "hub/org/tiny/$f"; done
}

@test "modules in folders of their own, the transformer's too" {
  local to=hub/org/tiny f
  rm -r "$to"
  mkdir -p "$to/0_Transformer"
  cp -r "$(golden models/sentence)"/* "$to/0_Transformer"
  cp -r "$(golden folders/dense)"/files/* "$to"
  chmod -R u+w hub
  sed -i '0,/"path": ""/s//"path": "0_Transformer"/' "$to/modules.json"
  serve
  get -q org/tiny >folder
  for f in 0_Transformer/config.json 0_Transformer/model.safetensors 0_Transformer/tokenizer.json \
    2_Dense/model.safetensors 3_LayerNorm/config.json; do
    cmp "$(cat folder)/$f" "$to/$f"
  done
  tok -q -m org/tiny "$(golden folders/dense)/texts" | encode | pool >got
  "$WEFT_UNIT/allclose" "$(golden folders/dense)/want.safetensors" got row.vector 1e-4
}

@test "what get brought is found by its name" {
  serve
  get -q org/tiny
  tok -m org/tiny --ids <<<'2 17 3' | encode | weft head | score >got
  tok -m hub/org/tiny --ids <<<'2 17 3' | encode | weft head | score | cmp - got
}

@test "the second time nothing is fetched again" {
  serve
  get -q org/tiny
  : >hub/log
  get -q org/tiny
  [ "$(wc -l <hub/log)" -eq 1 ]
  grep -q '^GET /api/models/org/tiny/revision/main ' hub/log
}

@test "a file that another commit has already is linked, not fetched" {
  serve
  get -q org/tiny
  rm -r "$REPO/snapshots"
  : >hub/log
  get -q org/tiny
  [ "$(grep -c '^GET .*model.safetensors' hub/log)" -eq 0 ]
  cmp "$REPO/snapshots/$COMMIT/model.safetensors" hub/org/tiny/model.safetensors
}

@test "@REV: a branch has its own ref, a commit none" {
  serve
  get -q org/tiny@refs/pr/1
  [ "$(cat "$REPO/refs/refs/pr/1")" = $COMMIT ]
  grep -q '/revision/refs%2Fpr%2F1 ' hub/log
  get -q org/tiny@$COMMIT
  [ ! -e "$REPO/refs/main" ] && [ ! -e "$REPO/refs/$COMMIT" ]
}

@test "shards: those that the index names" {
  rm -r hub/org/tiny
  cp -r "$(golden models/bert-sharded)" hub/org/tiny
  chmod -R u+w hub
  serve
  get -q org/tiny
  local f
  for f in hub/org/tiny/*.safetensors; do
    cmp "$f" "$REPO/snapshots/$COMMIT/$(basename "$f")"
  done
}

@test "a sentence-transformers folder comes with its modules" {
  rm -r hub/org/tiny
  cp -r "$(golden models/sentence)" hub/org/tiny
  chmod -R u+w hub
  serve
  get -q org/tiny
  cmp hub/org/tiny/1_Pooling/config.json "$REPO/snapshots/$COMMIT/1_Pooling/config.json"
  [ -L "$REPO/snapshots/$COMMIT/1_Pooling/config.json" ]
}

@test "pytorch_model.bin only where there is no model.safetensors" {
  cp hub/org/tiny/model.safetensors hub/org/tiny/pytorch_model.bin
  serve
  get -q org/tiny
  [ ! -e "$REPO/snapshots/$COMMIT/pytorch_model.bin" ]
  rm -r "$HF_HOME" hub/org/tiny/model.safetensors
  get -q org/tiny
  [ -e "$REPO/snapshots/$COMMIT/pytorch_model.bin" ]
}

@test "a connection that breaks: it goes on where it was" {
  serve '/cdn/ break:5000 2'
  get -q org/tiny
  cmp hub/org/tiny/model.safetensors "$REPO/snapshots/$COMMIT/model.safetensors"
  [ "$(grep '^GET /cdn' hub/log | cut -d' ' -f3 | tr '\n' ' ')" = '- 5000 10000 ' ]
}

@test "a fetch that failed goes on the next time" {
  serve '/cdn/ break:5000 1' '/cdn/ 403'
  fails_with 1 '403' get -q org/tiny
  [ "$(stat -c %s "$REPO"/blobs/*.incomplete)" -eq 5000 ]
  [ ! -e "$REPO/refs/main" ]
  serve
  get -q org/tiny
  grep -q '^GET /cdn/.* 5000 ' hub/log
  cmp hub/org/tiny/model.safetensors "$REPO/snapshots/$COMMIT/model.safetensors"
}

@test "a server that knows no parts: from the beginning again" {
  serve '/cdn/ break:5000 1' '/cdn/ norange'
  get -q org/tiny
  cmp hub/org/tiny/model.safetensors "$REPO/snapshots/$COMMIT/model.safetensors"
}

@test "a damaged file is told and thrown away" {
  serve '/cdn/ garble'
  fails_with 1 'get: org/tiny: model.safetensors: it came damaged: its SHA-256 is' get org/tiny
  [ -z "$(find "$HF_HOME" -name '*.incomplete')" ]
  [ ! -e "$REPO/snapshots/$COMMIT/model.safetensors" ]
  serve 'config.json garble'
  rm -r "$HF_HOME"
  fails_with 1 'config.json: it came damaged: its git hash is' get org/tiny
}

@test "a hub that lies about sizes" {
  serve 'resolve size:100'
  fails_with 1 'org/tiny: ' get org/tiny
  [ ! -e "$REPO/refs/main" ]
  serve '/model.safetensors size:99999999'
  fails_with 1 'model.safetensors: ' get org/tiny
  [[ $stderr == *'instead of 99999999'* ]]
  serve '/cdn/ size:3'
  rm -r "$HF_HOME"
  fails_with 1 'bytes came instead of' get org/tiny
  [ ! -e "$REPO/refs/main" ]
}

@test "429 and 500: another try, after the time that is asked for" {
  serve 'config.json 429:0 2' '/cdn/ 500 1'
  get -q org/tiny
  cmp hub/org/tiny/model.safetensors "$REPO/snapshots/$COMMIT/model.safetensors"
  serve '/api/ 429:0'
  fails_with 1 'asks for fewer requests (429)' get org/tiny
  [ "$(wc -l <hub/log)" -eq 5 ]
}

@test "a model that was renamed" {
  mv hub/org/tiny hub/org/new
  serve '/org/tiny/ rename:/org/new/'
  get -q org/tiny
  cmp hub/org/new/config.json "$REPO/snapshots/$COMMIT/config.json"
}

@test "no such model, none to be read, refused: the message says what to do" {
  serve
  fails_with 1 'get: org/none: http://127.0.0.1:' get org/none
  [[ $stderr == *'401: Invalid username or password.'*'HF_TOKEN'* ]]
  rm hub/org/tiny/model.safetensors
  fails_with 1 'no weights that weft can read' get org/tiny
  rm hub/org/tiny/config.json
  fails_with 1 'no config.json' get org/tiny
  serve '/api/ 403'
  fails_with 1 "accept the model's terms" get org/tiny
  serve '/api/ 404'
  fails_with 1 '404' get org/tiny
}

@test "a hub that answers nonsense" {
  serve 'config.json notag'
  fails_with 1 'gives it no ETag' get org/tiny
  serve 'config.json commit'
  fails_with 1 'answers with commit fedcba9' get org/tiny
  serve 'api/models mute'
  fails_with 1 "is no JSON: '[' or '{' expected near end of file" get org/tiny
  serve 'api/models long:1000000'
  get org/tiny
  rm -r "$HF_HOME"
  serve 'api/models long:16777216'
  fails_with 1 'says more than 16 MB of it' get org/tiny
}

@test "no hub there" {
  export HF_ENDPOINT=ftp://127.0.0.1/
  fails_with 1 'get: org/tiny: ftp://127.0.0.1: ' get org/tiny
}

@test "the token goes to the hub" {
  serve
  HF_TOKEN=hf_secret get -q org/tiny
  grep -q '^GET /api/.* Bearer hf_secret$' hub/log
  rm -r "$HF_HOME"
  mkdir -p "$HF_HOME"
  echo hf_login >"$HF_HOME/token"
  get -q org/tiny
  grep -q '^HEAD /org/tiny/resolve/.* Bearer hf_login$' hub/log
}

@test "HF_HUB_OFFLINE: what is there, else a message; no request" {
  serve
  HF_HUB_OFFLINE=1 fails_with 1 'HF_HUB_OFFLINE is set' get org/tiny
  [ ! -s hub/log ]
  get -q org/tiny
  : >hub/log
  [ "$(HF_HUB_OFFLINE=1 get org/tiny)" = "$REPO/snapshots/$COMMIT" ]
  [ ! -s hub/log ]
}

@test "names that are none are refused" {
  serve
  local name
  for name in ../x /etc a/b/c 'a b' 'x@' 'org/tiny@../../x'; do
    fails_with 1 "get: " get "$name"
  done
  [ ! -s hub/log ]
  fails_with 2 'which model?' get
}

@test "several models: the others come though one does not" {
  serve
  run --separate-stderr get org/none org/tiny
  [ "$status" -eq 1 ]
  [ "$output" = "$REPO/snapshots/$COMMIT" ]
}

# brought: the snapshot is all of the model that is wanted, and nothing else.
brought() {
  local f
  [ "$(find "$REPO/snapshots/$COMMIT" -mindepth 1 -printf '%f\n' | sort)" = \
    "$(find hub/org/tiny -mindepth 1 ! -name README.md ! -name tf_model.h5 -printf '%f\n' | sort)" ]
  for f in "$REPO/snapshots/$COMMIT"/*; do
    cmp "$f" "hub/org/tiny/$(basename "$f")"
  done
}

# refuses TEXT: get fails, says so, and has changed nothing of the victim's.
refuses() {
  fails_with 1 "$1" get -q org/tiny
  cmp victim before
  [ "$(ls -A other)" = "" ]
}

@test "nothing in the cache leads what is written out of it" {
  serve
  local etag path
  etag=$(git hash-object hub/org/tiny/config.json)
  head -c 5000 /dev/zero >victim
  cp victim before
  mkdir other
  mkdir -p "$REPO/blobs" "$REPO/refs" "$HF_HOME/hub/.locks/models--org--tiny"
  path=$REPO/blobs/$etag.incomplete
  ln -s "$PWD/victim" "$path"
  refuses "config.json: $path is a symbolic link: remove it"
  ln -f victim "$path"
  refuses "$path is no file of its own: remove it"
  rm "$path"; mkfifo "$path"
  refuses "$path is no file of its own"
  rm "$path"; mkdir "$path"
  refuses "$path: Is a directory"
  rmdir "$path"
  path=$HF_HOME/hub/.locks/models--org--tiny/$etag.lock
  ln -sf "$PWD/victim" "$path"
  refuses "$path is a symbolic link"
  rm "$path"
  for path in "$REPO/blobs" "$REPO/snapshots" "$REPO/snapshots/$COMMIT" "$REPO/refs"; do
    rm -rf "$path"
    mkdir -p "$(dirname "$path")"
    ln -s "$PWD/other" "$path"
    refuses "$path is no folder: remove it"
    rm "$path"
  done
  mkdir "$REPO/refs"
  ln -s "$PWD/victim" "$REPO/refs/main"
  refuses "$REPO/refs/main is no file: remove it"
  rm "$REPO/refs/main"
  get -q org/tiny
  cmp "$REPO/snapshots/$COMMIT/config.json" hub/org/tiny/config.json
}

@test "the model's own folder, and those above it, may be links" {
  serve
  mkdir -p disk/models--org--tiny home
  ln -s "$PWD/disk" home/hub
  get -q org/tiny
  cmp "disk/models--org--tiny/snapshots/$COMMIT/config.json" hub/org/tiny/config.json
}

@test "a link that leads nowhere is made anew, and nothing is left beside it" {
  serve
  get -q org/tiny
  local f=$REPO/snapshots/$COMMIT/config.json
  ln -sf nowhere "$f"
  get -q org/tiny
  cmp "$f" hub/org/tiny/config.json
  brought
}

@test "killed at whatever point: the next get brings what is missing" {
  need_failing
  serve
  local k n
  n=$(calls kill get -q org/tiny)
  [ "$n" -gt 60 ]
  for k in $(seq 1 $((n / 15 + 1)) "$n"); do
    rm -rf "$HF_HOME"
    run -137 failing "kill:$k" get -q org/tiny
    if [ -e "$REPO/refs/main" ]; then # the ref is written last
      brought
    fi
    get -q org/tiny
    brought
    [ -z "$(find "$HF_HOME" -name '*.incomplete')" ]
  done
}

@test "a call that fails is told, and the ref is not there before all is" {
  need_failing
  serve
  local k n kind
  for kind in memory file write read; do
    rm -rf "$HF_HOME"
    n=$(calls $kind get -q org/tiny)
    for k in $(seq 1 $((n / 8 + 1)) "$n"); do
      rm -rf "$HF_HOME"
      run --separate-stderr failing "$kind:$k" get -q org/tiny
      if [ "$status" -eq 0 ]; then
        brought
      else
        [ "$status" -eq 1 ] && [ -n "$stderr" ] || { echo "$kind $k: $status" >&2; false; }
      fi
    done
  done
}

@test "a token that cannot be read is told" {
  serve
  mkdir -p "$HF_HOME/token"
  fails_with 1 "$HF_HOME/token: " get -q org/tiny
}

@test "nobody there: five tries, each of which is told, in the 15 s that the page says" {
  local before=$SECONDS
  export HF_ENDPOINT=http://127.0.0.1:1
  run --separate-stderr get org/tiny
  [ "$status" -eq 1 ] && [ $((SECONDS - before)) -le 30 ]
  [ "$(grep -c '^get: http://127.0.0.1:1: .*: again in [1248] s (try [2345] of 5)$' <<<"$stderr")" -eq 4 ]
  [ "$(wc -l <<<"$stderr")" -eq 5 ]
}
