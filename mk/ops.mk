# tests/ops: the operations of kernels/device.h against double precision. One program, run by
# tests/run.sh as a unit test and by tests/ops.bats for each kind of CPU and device.
OPS_O = $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/ops/*.c))

$(BUILD)/tests/ops_test: $(OPS_O) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(SAN) $(CFLAGS) $(LDFLAGS) -o $@ $(OPS_O) $(LIB) $(LIBS)

unit: $(BUILD)/tests/ops_test
