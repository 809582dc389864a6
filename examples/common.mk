# common.mk - what every experiment has: the programs on PATH, its data and its model or what stands
# in for them, and variables whose change counts. A Makefile says, before it includes this:
#     NAME           what it is called; all that it makes lies in OUT, TOP/build/NAME
#     DATA_FROM      where its data is to be had; then DATA=path (spaces and all) is the real one,
#                    and STANDIN_DATA, a file that the Makefile makes of VADER's STANDIN_SAYS (tweets),
#                    stands in without it
#     MODEL_FROM     the notebook's model, taken where it is in the cache, and
#     STANDIN_MODEL  what stands in for it, a folder, and STANDIN_IS what that is (all-MiniLM-L6-v2)
# and then depends on $(OUT)/data and $(MODEL_FILE), and by $(call var,SEED TRAIN) on the values of
# variables: what was made with other ones is made anew, and nothing else is.
.DELETE_ON_ERROR:
.SUFFIXES:

# What fails in a pipe fails the recipe.
SHELL       = /bin/bash
.SHELLFLAGS = -o pipefail -c

# In arguments of $(call).
, := ,

TOP  := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/..)
OUT   = $(TOP)/build/$(NAME)
SEED  = 42
ROWS ?=
VADER = $(TOP)/data/vader
STANDIN_SAYS ?= tweets

BIN  := $(or $(WEFT_BIN),$(TOP)/bin)
export PATH := $(BIN):$(PATH)

ifeq ($(wildcard $(BIN)/tok),)
$(error $(NAME): no programs yet: make -C $(TOP))
endif

all:

# $(call quoted,TEXT): a word of the shell.
quoted = '$(subst ','\'',$1)'

# $(call there,PATH): its whole path, as the caller's shell sees it, though make -C works here, else as
# seen from here; empty if there is nothing.
there = $(shell { cd $(call quoted,$(PWD)) 2>/dev/null && realpath -e -- $(call quoted,$1) || \
    { cd $(call quoted,$(CURDIR)) && realpath -e -- $(call quoted,$1); }; } 2>/dev/null)

# $(call given,VARIABLE): the whole path of what it names, empty where it has no value.
given = $(if $(strip $($1)),$(or $(call there,$($1)),$(error $(NAME): no such file: $($1))))

# A file a variable, which is written when its value is another one.
var = $(addprefix $(OUT)/var/,$1)
$(OUT)/var/%: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(call quoted,$($*)) | cmp -s - $@ || printf '%s\n' $(call quoted,$($*)) > $@

.PRECIOUS: $(OUT)/var/%

FORCE:
.PHONY: all FORCE

# $(OUT)/data is a link to the data: the rules know one name for it, which has no spaces.
ifneq ($(DATA_FROM),)
ifneq ($(strip $(DATA)),)
DATA_PATH := $(call given,DATA)
else
$(info $(NAME): no DATA=path, so VADER's $(STANDIN_SAYS) stand in; the real data: $(DATA_FROM))
DATA_PATH = $(STANDIN_DATA)
$(OUT)/data: $(STANDIN_DATA)
endif
endif

$(OUT)/data: FORCE
	@mkdir -p $(@D)
	@[ "$$(readlink $@)" = $(call quoted,$(DATA_PATH)) ] || ln -sfn $(call quoted,$(DATA_PATH)) $@

# VADER's texts with the moods that people heard, by ../vader.awk in the layout of the real data.
vader = awk -F '\t' -v layout=$1 -f $(TOP)/examples/vader.awk
$(VADER)/%.txt:
	$(MAKE) -C $(TOP) tweets

# MODEL as -m takes it: a folder, or a name in the cache.
MINILM = $(TOP)/model/all-MiniLM-L6-v2
STANDIN_MODEL ?= $(MINILM)
STANDIN_IS ?= all-MiniLM-L6-v2
ifneq ($(MODEL_FROM),)
ifeq ($(strip $(MODEL)),)
MODEL := $(shell HF_HUB_OFFLINE=1 $(BIN)/get -q $(MODEL_FROM) 2>/dev/null)
ifeq ($(MODEL),)
$(info $(NAME): $(MODEL_FROM) is not in the cache (weft get $(MODEL_FROM)): $(STANDIN_IS) stands in)
MODEL := $(STANDIN_MODEL)
endif
else
override MODEL := $(or $(call there,$(MODEL)),$(MODEL))
endif
endif
M = $(call quoted,$(MODEL))
MODEL_FILE = $(if $(filter $(MINILM),$(MODEL)),$(MINILM)/model.safetensors)

$(MINILM)/model.safetensors:
	$(MAKE) -C $(TOP) model

# $(call some,FILE): rows of the pipe into FILE; ROWS=N: N of them, by the seed.
some = $(if $(ROWS),deal -s $(SEED) -n $(ROWS):$1 1:-,cat > $1)

# Equal texts stand on one side of a split.
GROUP = --group text

# The report of a trained folder on rows of ids; of several reports a line each; a picture, in whose
# legend the files of OUT go by their names.
measure = encode -m $1 $2 | weft head -m $1 | score --eval > $@
table   = { printf 'way\taccuracy\tmacro_f1\n'; for way in $1; do \
    awk -v way=$$way '$$1 == "accuracy" { a = $$2 } $$1 == "macro_f1" { f = $$2 } \
        END { printf "%s\t%.3f\t%.3f\n", way, a, f }' $(OUT)/$$way.txt; done; } > $@
picture = cd $(OUT) && plot -o $@ $1
