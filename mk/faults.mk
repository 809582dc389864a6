# tests/faults/failing.so, which tests preload into a program to make one of its calls fail. Not
# with the sanitizers, which have their own malloc.
FAILING = $(BUILD)/tests/failing.so

ifeq ($(SANITIZE),)
unit: $(FAILING)
endif

$(FAILING): tests/faults/failing.c
	@mkdir -p $(@D)
	$(CC) -std=gnu17 $(WARN) $(CFLAGS) -shared -fPIC -o $@ $< -ldl
