# tests/faults: calls that fail, and programs that are killed, one moment after another
# (tests/faults.bats, tests/kills.bats; in `make check` a sample). `make faults` does all of them.
# A sanitizer's own allocator stands where these would stand.
FAULTS = $(BUILD)/tests/faults

ifeq ($(SANITIZE),)
unit: $(FAULTS)/inject.so $(FAULTS)/sweep
endif

$(FAULTS)/inject.so: tests/faults/inject.c tests/faults/inject.h
	@mkdir -p $(@D)
	$(CC) $(ALL_C) -MF $(@:.so=.d) -MT $@ -fPIC -shared -o $@ $< -ldl

$(FAULTS)/sweep: $(FAULTS)/sweep.o $(FAULTS)/tree.o $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

faults: all unit
	@FAULTS_ALL=1 WEFT_BIN=$(abspath $(BIN)) WEFT_UNIT=$(abspath $(BUILD))/tests \
	    tests/faults/run.sh

.PHONY: faults
