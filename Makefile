# SPDX-License-Identifier: GPL-3.0-or-later
# snnsim. `make help` lists the targets.
SHELL := /bin/bash
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
BUILD ?= build
PREFIX ?= /usr/local
OPT ?= -O3
PKGS := libconfig gsl libsodium jansson hdf5 openblas

ARCH := $(shell $(CC) -dumpmachine | cut -d- -f1)
WARN := -Wall -Wextra -Wpedantic $(if $(CI),-Werror)
CPPFLAGS += -Iinclude $(shell pkg-config --cflags $(PKGS) 2>/dev/null) -D_GNU_SOURCE -DSNN_CONFIG_DIR='"$(PREFIX)/share/snnsim/configs"' \
            -DSNN_MODEL_DIR='"$(PREFIX)/share/snnsim/models"'
CFLAGS := -std=c11 -g $(OPT) $(WARN) -fPIC -ffp-contract=off -fno-math-errno -fopenmp $(EXTRA_CFLAGS)
LDFLAGS += -fopenmp $(EXTRA_LDFLAGS)
LDLIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm
ifdef SAN
BUILD := build-san
CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS += -fsanitize=address,undefined
endif
ifdef COV
BUILD := build-cov
OPT := -O1
CFLAGS += --coverage
LDFLAGS += --coverage
endif

LIB_SRC := $(wildcard base/*.c datasets/*.c sim/*.c hw/*.c crypto/*.c)
ifneq ($(ARCH),x86_64)
LIB_SRC := $(filter-out %_avx2.c %_avx512.c,$(LIB_SRC))
endif
CLI_SRC := $(wildcard cli/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(BUILD)/%.o)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/%)

.PHONY: all lib unit clean
all: $(BUILD)/snnsim
lib: $(BUILD)/libsnnsim.a
unit: $(UNIT_BIN)

# SIMD kernels are units of their own, compiled for their instruction set and chosen at run time.
$(BUILD)/%_avx2.o: CFLAGS += -mavx2
$(BUILD)/%_avx512.o: CFLAGS += -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libsnnsim.a: $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/snnsim: $(CLI_OBJ) $(BUILD)/libsnnsim.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/libsnnsim.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Itests/unit $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< $(BUILD)/libsnnsim.a $(LDLIBS) -lcmocka

clean:
	rm -rf build build-*

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
