# weft-cuda.so, the device behind -D cuda, where nvcc and g++ are; `make` includes it there.
# Variables: CUDA_HOME, CUDA_ARCH (the driver compiles the last one's PTX for newer cards),
# WEFT_NO_CUDA=1 leaves it out.

CUDA_HOME := $(or $(CUDA_HOME),$(patsubst %/bin/nvcc,%,$(shell command -v nvcc)),/usr/local/cuda)
CUDA_ARCH  = sm_80 sm_90
NVCC      := $(if $(WEFT_NO_CUDA),,$(if $(shell command -v g++),$(wildcard $(CUDA_HOME)/bin/nvcc)))
CUDA_LIB  := $(firstword $(wildcard $(CUDA_HOME)/lib64 $(CUDA_HOME)/lib))

cuda_arch  = $(CUDA_ARCH:sm_%=%)
CUDA_CODE  = $(foreach a,$(cuda_arch),-gencode arch=compute_$(a),code=sm_$(a)) \
             -gencode arch=compute_$(lastword $(cuda_arch)),code=compute_$(lastword $(cuda_arch))
CUDA_FLAGS = -std=c++17 -O3 -I. $(CUDA_CODE) $(if $(WERROR),-Werror all-warnings) \
             -Xcompiler=-Wall,-Wextra,-fPIC,-fvisibility=hidden

# Neither CC nor SANITIZE has a say in these: one set of objects serves every build.
CUDA_BUILD = build/cuda
CUDA_O     = $(patsubst kernels/%.cu,$(CUDA_BUILD)/%.o,$(wildcard kernels/*.cu))

ifneq ($(NVCC),)
PLUGINS = $(BIN)/weft-cuda.so
endif
all: $(PLUGINS)

$(BIN)/weft-cuda.so: $(CUDA_BUILD)/weft-cuda.so
	@mkdir -p $(@D)
	cp $< $@

$(CUDA_BUILD)/weft-cuda.so: $(CUDA_O)
	$(NVCC) -shared -o $@ $(CUDA_O) -L$(CUDA_LIB) -Xlinker -rpath,$(CUDA_LIB) \
	    -Xlinker --exclude-libs,ALL -Xlinker --as-needed -lcublasLt

$(CUDA_BUILD)/%.o: kernels/%.cu
	@mkdir -p $(@D)
	$(NVCC) $(CUDA_FLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c -o $@.new $<
	@mv $@.new $@

# For a machine with a GPU: the tests with every program on it, and what it reaches.
check-gpu: all unit
	@$(cuda_there)
	@WEFT_DEVICE=cuda WEFT_CUDA_LIB=$(abspath $(BIN))/weft-cuda.so \
	    WEFT_BIN=$(abspath $(BIN)) WEFT_UNIT=$(abspath $(BUILD))/tests tests/run.sh

bench-gpu: all $(if $(NVCC),$(BUILD)/tests/gpu)
	@$(cuda_there)
	@WEFT_CUDA_LIB=$(abspath $(BIN))/weft-cuda.so WEFT_BIN=$(abspath $(BIN)) \
	    WEFT_UNIT=$(abspath $(BUILD))/tests tests/bench/gpu.sh

cuda_there = $(BIN)/show --machine && if $(BIN)/show --machine | grep -q '^cuda  *none'; then \
	echo "$@: wants a GPU that answers" >&2; exit 1; fi

GPU_O = $(addprefix $(BUILD)/tests/bench/,gpu.o gpu_tweets.o)
$(BUILD)/tests/gpu: $(GPU_O) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(SAN) $(CFLAGS) $(LDFLAGS) -o $@ $(GPU_O) $(LIB) $(LIBS) -L$(CUDA_LIB) \
	    -Wl,-rpath,$(CUDA_LIB) -lcudart

$(BUILD)/tests/bench/gpu.o: ALL_C += -I$(CUDA_HOME)/include

-include $(wildcard $(CUDA_BUILD)/*.d)
.PHONY: check-gpu bench-gpu
