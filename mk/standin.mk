# tests/cuda-on-cpu: the CUDA kernels, compiled by g++ and run on the CPU. weft-cuda.so for tests,
# where the toolkit's headers and g++ are; without them its tests are skipped.
STANDIN_INC  := $(firstword $(patsubst %/cublasLt.h,%,$(wildcard $(CUDA_HOME)/include/cublasLt.h)))
STANDIN_CXX  := $(if $(STANDIN_INC),$(shell command -v g++))
STANDIN      = $(BUILD)/tests/standin
STANDIN_O    = $(patsubst tests/cuda-on-cpu/%.cc,$(STANDIN)/%.o,$(wildcard tests/cuda-on-cpu/*.cc))
STANDIN_CU_O = $(patsubst kernels/%.cu,$(STANDIN)/kernels/%.o,$(wildcard kernels/*.cu))
# What traps names the kernel's thread; ASan is for programs that have it too.
STANDIN_FLAGS = -std=c++17 $(WARN) -Wno-unknown-pragmas -fno-strict-aliasing -O2 -g -fPIC -DWEFT_CUDA_STANDIN -I. \
                -Itests/cuda-on-cpu -isystem $(STANDIN_INC) -ffp-contract=off -MMD -MP \
                $(if $(SANITIZE),-fsanitize=address)

ifneq ($(STANDIN_CXX),)
unit: $(STANDIN)/weft-cuda.so
endif

$(STANDIN)/weft-cuda.so: $(STANDIN_O) $(STANDIN_CU_O)
	g++ -shared -Wl,-Bsymbolic $(if $(SANITIZE),-fsanitize=address) -o $@ $^

$(STANDIN)/%.o: tests/cuda-on-cpu/%.cc
	@mkdir -p $(@D)
	g++ $(STANDIN_FLAGS) -c -o $@ $<

$(STANDIN)/kernels/%.o: kernels/%.cu
	@mkdir -p $(@D)
	g++ $(STANDIN_FLAGS) -fsanitize=alignment -fsanitize-undefined-trap-on-error -x c++ -c -o $@ $<
