# weft. `make` builds bin/*, `make check` runs the tests, `make demo` shows what it is for.
# Variables: PREFIX, DESTDIR, CC, CFLAGS, BUILD (where objects go), WERROR=1, SANITIZE=1 (ASan and
# UBSan) or SANITIZE=thread;
# WEFT_NO_CUDA=1, CUDA_HOME, CUDA_ARCH (mk/cuda.mk).

VERSION = 0.1.0
PREFIX  = /usr/local
BUILD   = build$(if $(SANITIZE),/$(if $(filter thread,$(SANITIZE)),threads,sanitize))
BIN     = $(if $(filter build,$(BUILD)),bin,$(BUILD)/bin)

# bin/NAME.c is one program each; bin/programs.h lists them. But `head` is head-choice.c, which
# becomes weft-head, that is head.c, where ours is meant, and head(1) where not.
PROGRAMS := ${shell sed -n 's/^    P(\([a-z0-9]*\),.*/\1/p' bin/programs.h} weft
HELPERS   = weft-head

CFLAGS   = -O2 -g
WARN     = -Wall -Wextra -Wswitch-enum $(if $(WERROR),-Werror)
SAN_MEM  = -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
SAN      = $(if $(SANITIZE),$(if $(filter thread,$(SANITIZE)),-fsanitize=thread,$(SAN_MEM)))
ALL_C    = -std=gnu17 $(WARN) -D_GNU_SOURCE -DWEFT_VERSION='"$(VERSION)"' -Icommon -I. -MMD -MP -pthread $(SAN) $(CFLAGS)
LIBS     = -Wl,--as-needed -lutf8proc -lpcre2-8 -lcsv -ljansson -lzip -lcurl -lcrypto -ldnnl -lgomp -ldl -lm -pthread

# kernels/NAME.c is compiled once, kernels of KERNELS_ISA once for each kind of CPU and chosen at
# run time (kernels/isa.h).
KERNELS_ISA = $(filter-out $(KERNELS_ONE),$(wildcard kernels/*.c))
KERNELS_ONE = $(addprefix kernels/,cpu.c cpu_linear.c cpu_thin.c cpu_weight.c hugemem.c matmul.c plugin.c pool.c)
ISAS        = $(if $(filter x86_64,$(shell uname -m)),v2 v3 v4,any)
isa_v2      = -march=x86-64-v2
isa_v3      = -march=x86-64-v3
isa_v4      = -march=x86-64-v4 -mprefer-vector-width=512
isa_any     =

LIB_C   = $(wildcard common/*/*.c common/*/*/*.c) $(KERNELS_ONE)
LIB_O   = $(LIB_C:%.c=$(BUILD)/%.o) $(foreach i,$(ISAS),$(KERNELS_ISA:%.c=$(BUILD)/%.$(i).o))
LIB     = $(BUILD)/libweft.a
UNIT    = $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*.c))

all: $(PROGRAMS:%=$(BIN)/%) $(HELPERS:%=$(BIN)/%)

$(BIN)/%: $(BUILD)/bin/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(SAN) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) $(LIBS)

$(BIN)/head: $(BUILD)/bin/head-choice.o $(LIB)
$(BIN)/weft-head: $(BUILD)/bin/head.o $(LIB)
$(BIN)/head $(BIN)/weft-head:
	@mkdir -p $(@D)
	$(CC) $(SAN) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) $(LIBS)

$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(SAN) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) $(LIBS)

$(LIB): $(LIB_O)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_C) -c -o $@ $<

define isa_rule
$(BUILD)/%.$(1).o: %.c
	@mkdir -p $$(@D)
	$$(CC) $$(ALL_C) -O3 -Wno-psabi $(isa_$(1)) -DWEFT_ISA=$(1) -c -o $$@ $$<
endef
$(foreach i,$(ISAS),$(eval $(call isa_rule,$(i))))

# Bytes are rounded alike on every kind of CPU: no product is fused with the sum behind it.
$(foreach i,$(ISAS),$(BUILD)/kernels/thin_fill.$(i).o $(BUILD)/kernels/thin_i8.$(i).o): \
    ALL_C += -ffp-contract=off

unit: $(UNIT)

# Everything. The last line is `N passed, M failed`.
check: all unit
	@WEFT_BIN=$(abspath $(BIN)) WEFT_UNIT=$(abspath $(BUILD))/tests tests/run.sh

# The filters live in libexec/weft, where `weft NAME` finds them and `weft env` puts them on PATH:
# one of them is called head. bin holds `weft` alone.
LIBEXEC = $(DESTDIR)$(PREFIX)/libexec/weft
BINDIR  = $(DESTDIR)$(PREFIX)/bin
MANDIR  = $(DESTDIR)$(PREFIX)/share/man
SHARE   = $(DESTDIR)$(PREFIX)/share/weft
PAGES   = $(wildcard man/*.[1-9])
SHARED := $(shell cd share && find default -type f) # the model that comes along

install: all
	install -d $(LIBEXEC) $(BINDIR)
	install -m 755 $(PROGRAMS:%=$(BIN)/%) $(HELPERS:%=$(BIN)/%) $(PLUGINS) $(LIBEXEC)
	ln -sf ../libexec/weft/weft $(BINDIR)/weft
	for f in $(SHARED); do \
	    install -d $(SHARE)/$$(dirname $$f) && install -m 644 share/$$f $(SHARE)/$$f || exit 1; \
	done
	for p in $(PAGES); do \
	    d=$(MANDIR)/man$${p##*.}; install -d $$d && install -m 644 $$p $$d || exit 1; \
	done

uninstall:
	rm -rf $(LIBEXEC) $(SHARE)
	rm -f $(BINDIR)/weft
	for p in $(PAGES); do rm -f $(MANDIR)/man$${p##*.}/$${p##*/}; done

# The version as a tag of what is committed, once CHANGELOG.md tells of it.
tag:
	@[ -z "$$(git status --porcelain)" ] || \
	    { echo "make tag: something is not committed: git status" >&2; exit 1; }
	@grep -q '^## \[$(VERSION)\] - ' CHANGELOG.md || \
	    { echo "make tag: CHANGELOG.md has no heading '## [$(VERSION)] - DATE'" >&2; exit 1; }
	git tag -a -m 'weft $(VERSION)' v$(VERSION)

clean:
	rm -rf build $(PROGRAMS:%=bin/%) $(HELPERS:%=bin/%) bin/weft-cuda.so

.PHONY: all unit check install uninstall tag clean
.SECONDARY:
-include mk/*.mk
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
