#!/bin/sh
# Makes models/nano: downloads the packages, trains, measures, exports, writes the card.
#   sh make.sh cpu     the bundled 3 M parameters, on two cores: two to four hours
#   sh make.sh gpu     30 M parameters on one GPU: about half an hour
# What is downloaded and made on the way lies in .cache/training of the checkout. Every step is skipped when what it makes is there
# already, so that it goes on where it was interrupted.
set -eu
cd "$(dirname "$0")"
PROFILE=${1:?cpu or gpu}
PYTHON=${PYTHON:-python3}
CORPUS=../.cache/training/corpus
UNITS=$CORPUS/units.pkl
RUN=../.cache/training/$PROFILE
mkdir -p "$CORPUS" "$RUN"

case $PROFILE in
cpu)
  VOCABULARY=4096
  SHAPE=
  BASE='--stages 256:28,512:14,1024:8:0.25 --decay 0.6'
  RECALL='--minutes 90 --rate 1e-3 --decay 1'
  DEVICE='--device cpu'
  ;;
gpu)
  VOCABULARY=8192
  SHAPE='--width 512 --intermediate 1408 --layers 10 --heads 8'
  BASE='--tokens 65536 --workers 12 --by tokens --rate 3e-3 --stages 256:60,512:250,1024:150:0.25'
  RECALL='--minutes 12 --rows 64 --memories 96 --rate 1e-3 --decay 1'
  DEVICE='--device cuda'
  ;;
*)
  echo "cpu or gpu, not $PROFILE" >&2
  exit 2
  ;;
esac

if [ ! -f "$UNITS" ]; then
  if [ ! -d "$CORPUS/wheels" ]; then
    # shellcheck disable=SC2046
    "$PYTHON" -m pip download --quiet --no-deps --only-binary :all: -d "$CORPUS/wheels" $(cat corpus/pypi-packages.txt)
  fi
  mkdir -p "$CORPUS/tarballs" "$CORPUS/debian"
  for name in $(cat corpus/npm-packages.txt); do
    (cd "$CORPUS/tarballs" && npm pack --silent "$name")
  done
  for name in $(cat corpus/debian-packages.txt); do
    [ -d "$CORPUS/debian/$name" ] ||
      (cd "$CORPUS/debian" && apt-get download "$name" && dpkg-deb -x "$name"_*.deb "$name" && rm "$name"_*.deb)
  done
  "$PYTHON" -m corpus.extraction --wheels "$CORPUS/wheels" --tarballs "$CORPUS/tarballs" --debian "$CORPUS/debian" \
    --standard-library "$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" --out "$UNITS"
fi

if [ ! -f "$RUN/tokenizer.json" ]; then
  "$PYTHON" -m model.tokenizer --units "$UNITS" --vocabulary "$VOCABULARY" --out "$RUN" --reference "$RUN/reference.json"
  node model/check-tokenizer.mjs "$RUN" "$RUN/reference.json"
fi

# $1: what is written, $RUN/$1.log its log; the rest: a module that trains, with its arguments, on a CPU in two processes
train() {
  STAGE=$1
  shift
  if [ "$PROFILE" = cpu ]; then
    export WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=29517 OMP_NUM_THREADS=1
    RANK=1 "$PYTHON" -m "$@" --units "$UNITS" --tokenizer "$RUN" --out "$RUN/$STAGE" > "$RUN/$STAGE-1.log" &
    RANK=0 "$PYTHON" -m "$@" --units "$UNITS" --tokenizer "$RUN" --out "$RUN/$STAGE" | tee "$RUN/$STAGE.log"
    wait
    unset WORLD_SIZE
  else
    "$PYTHON" -m "$@" --units "$UNITS" --tokenizer "$RUN" --out "$RUN/$STAGE" | tee "$RUN/$STAGE.log"
  fi
}

# shellcheck disable=SC2086
[ -d "$RUN/base/final" ] || train base train.base_training $DEVICE $SHAPE $BASE
if [ ! -f "$RUN/heads.safetensors" ]; then
  "$PYTHON" -m train.head_training --model "$RUN/base/final" --tokenizer "$RUN" --units "$UNITS" --out "$RUN/heads.safetensors" | tee "$RUN/heads.log"
fi

# The second stage learns behind memories that these heads keep, and the heads go on learning with it.
# shellcheck disable=SC2086
[ -d "$RUN/recall/final" ] || train recall train.recall_training --init "$RUN/base/final" --heads "$RUN/heads.safetensors" $DEVICE $RECALL

HEADS=$RUN/recall/final/retaining_heads.safetensors
"$PYTHON" -m release.evaluate --model "$RUN/recall/final" --tokenizer "$RUN" --heads "$HEADS" --units "$UNITS" --out "$RUN/accuracy.json"
"$PYTHON" -m release.export --checkpoint "$RUN/recall/final" --tokenizer "$RUN" --heads "$HEADS" --units "$UNITS" --out ../models/nano
"$PYTHON" -m release.card --model ../models/nano --units "$UNITS" --accuracy "$RUN/accuracy.json" --heads-log "$RUN/heads.log" \
  --log "$RUN/base.log" "$RUN/recall.log" --out ../models/nano/README.md
