# tests/cuda-on-cpu: the CUDA kernels compiled by g++ and run on the CPU: weft-cuda.so for tests,
# where the toolkit's headers and g++ are. Elsewhere its tests are skipped.
STANDIN_INC  := $(patsubst %/cublasLt.h,%,$(wildcard $(CUDA_HOME)/include/cublasLt.h))
STANDIN_CXX  := $(if $(STANDIN_INC),$(shell command -v g++))
STANDIN      = $(BUILD)/tests/standin
STANDIN_O    = $(patsubst tests/cuda-on-cpu/%.cc,$(STANDIN)/%.o,$(wildcard tests/cuda-on-cpu/*.cc))
STANDIN_CU_O = $(patsubst kernels/%.cu,$(STANDIN)/kernels/%.o,$(wildcard kernels/*.cu))
STANDIN_SAN  = $(if $(SANITIZE),-fsanitize=address -fno-omit-frame-pointer)

# Kernels pun types, as nvcc allows; an access off its type's boundary traps.
STANDIN_FLAGS = -std=c++17 $(WARN) -O2 -g -fPIC -DWEFT_CUDA_STANDIN -I. -Itests/cuda-on-cpu \
                -isystem $(STANDIN_INC) $(STANDIN_SAN)
STANDIN_CU    = $(STANDIN_FLAGS) -Wno-unknown-pragmas -fno-strict-aliasing -ffp-contract=off \
                -fsanitize=alignment -fsanitize-undefined-trap-on-error -x c++
STANDIN_LINK  = -shared -Wl,-Bsymbolic $(STANDIN_SAN)

ifneq ($(STANDIN_CXX),)
unit: $(STANDIN)/weft-cuda.so $(STANDIN)/faults
endif

# `flags` is for tests that compile a changed kernel (tests/standin.bats).
$(STANDIN)/weft-cuda.so: $(STANDIN_O) $(STANDIN_CU_O)
	@printf '%s\n' '$(STANDIN_CU)' '$(STANDIN_LINK)' >$(STANDIN)/flags
	g++ $(STANDIN_LINK) -o $@ $^

$(STANDIN)/faults: $(STANDIN)/faults.o $(STANDIN_O)
	g++ $(STANDIN_SAN) -o $@ $^

$(STANDIN)/%.o: tests/cuda-on-cpu/%.cc
	@mkdir -p $(@D)
	g++ $(STANDIN_FLAGS) -MMD -MP -c -o $@ $<

$(STANDIN)/faults.o: tests/cuda-on-cpu/faults.cu
	@mkdir -p $(@D)
	g++ $(STANDIN_CU) -MMD -MP -c -o $@ $<

$(STANDIN)/kernels/%.o: kernels/%.cu
	@mkdir -p $(@D)
	g++ $(STANDIN_CU) -MMD -MP -c -o $@ $<
