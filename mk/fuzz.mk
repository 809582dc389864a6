# tests/fuzz: all that takes bytes from outside, fed with any bytes. `make fuzz` has libFuzzer think
# them up; `make check` replays what was found so far (tests/fuzz.bats).
# Variables: FUZZ_S, seconds a harness (60); FUZZ_JOBS, harnesses at a time (the cores); FUZZ, which.
FUZZ_S    = 60
FUZZ_JOBS = $(shell nproc)
FUZZ_ALL := $(filter-out build fuzz replay,$(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c)))
FUZZ      = $(FUZZ_ALL)
FUZZ_CC   = clang
FUZZ_SAN  = -fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow \
            -fno-sanitize-recover=undefined,float-cast-overflow -fno-omit-frame-pointer

FUZZ_O  = $(BUILD)/tests/fuzz/build.o $(BUILD)/tests/fuzz/fuzz.o
REPLAYS = $(FUZZ_ALL:%=$(BUILD)/tests/fuzz/%)
unit: $(REPLAYS)

$(REPLAYS): %: %.o $(FUZZ_O) $(BUILD)/tests/fuzz/replay.o $(LIB)
	$(CC) $(SAN) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# In a make of their own, with another compiler and its sanitizers.
FUZZERS = $(FUZZ:%=$(BUILD)/fuzzers/%)
fuzzers: $(FUZZERS)

$(FUZZERS): $(BUILD)/fuzzers/%: $(BUILD)/tests/fuzz/%.o $(FUZZ_O) $(LIB)
	@mkdir -p $(@D)
	$(CC) -fsanitize=fuzzer $(SAN) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

fuzz_there = printf 'int LLVMFuzzerTestOneInput(void) { return 0; }' | \
    $(FUZZ_CC) -fsanitize=fuzzer,address,undefined -x c -o /dev/null - 2>/dev/null

fuzz: all unit
	@if $(fuzz_there); then \
	    $(MAKE) BUILD=build/fuzz CC=$(FUZZ_CC) WEFT_NO_CUDA=1 SAN='$(FUZZ_SAN)' \
	        FUZZ='$(FUZZ)' fuzzers && \
	    WEFT_BIN=$(abspath $(BIN)) WEFT_UNIT=$(abspath $(BUILD))/tests \
	        tests/fuzz/run.sh $(FUZZ_S) $(FUZZ_JOBS) $(FUZZ); \
	else \
	    echo "make fuzz: skipped: no clang with libFuzzer and sanitizers (./deps ci)"; \
	fi

.PHONY: fuzz fuzzers
