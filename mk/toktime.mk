# tests/bench/toktime: tokenizers alone, in memory.
bench: $(BUILD)/tests/toktime

$(BUILD)/tests/toktime: $(BUILD)/tests/bench/toktime.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(SAN) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) $(LIBS)
