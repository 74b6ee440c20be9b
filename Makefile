# SPDX-License-Identifier: GPL-3.0-or-later
# snnsim. `make help` lists the targets; everything is built below $(BUILD).
SHELL := /bin/bash
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX ?= /usr/local
DESTDIR ?=
BUILD ?= build

# SNN_INSTRUMENTED: tests over thousands of recordings take a part of them there, being ten times slower.
# ---- variants: make SAN=1 (address and undefined-behaviour sanitizers), make COV=1 (line coverage), make FUZZ=1 (libFuzzer), make MPI=1 (ranks) ----
VARIANT_FLAGS :=
# mpicc is a wrapper around the compiler that OMPI_CC or MPICH_CC names.
ifdef MPI
BUILD := build-mpi
CC := mpicc
VARIANT_FLAGS := -DSNN_MPI
endif
# make MPI=1 OBJECTS_FROM=build: takes the objects that know nothing of MPI from a finished build (tests/check/check_mpi.sh).
OBJECTS_FROM ?=
ifdef SAN
BUILD := build-san
OPT ?= -O1
VARIANT_FLAGS := -DSNN_INSTRUMENTED -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
ifdef COV
BUILD := build-cov
OPT ?= -O1
VARIANT_FLAGS := -DSNN_INSTRUMENTED --coverage
endif
ifdef FUZZ
BUILD := build-fuzz
CC := clang
OPT ?= -O1
VARIANT_FLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
OPT ?= -O3

# ---- flags ----
# OpenBLAS stands before GSL, and GSL's own slow CBLAS is left out: cblas_sgemm must be OpenBLAS's.
PKGS := openblas libconfig gsl libsodium jansson hdf5 zlib yaml-0.1
ARCH := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null)))
WARN := -Wall -Wextra -Wpedantic -Werror=return-type $(if $(CI),-Werror)
CPPFLAGS += -Iinclude $(shell pkg-config --cflags $(PKGS) 2>/dev/null) -D_GNU_SOURCE
CFLAGS := -std=c11 -g $(OPT) $(WARN) -fPIC -ffp-contract=off -fno-math-errno -fopenmp $(VARIANT_FLAGS) $(EXTRA_CFLAGS)
LDFLAGS += -fopenmp $(VARIANT_FLAGS) $(EXTRA_LDFLAGS)
# SuiteSparse has no pkg-config module in Debian 12.
LDLIBS := $(filter-out -lgslcblas,$(shell pkg-config --libs $(PKGS) 2>/dev/null)) -lcholmod -lm
VERSION := $(shell sed -n 's/^.define SNN_VERSION "\(.*\)"/\1/p' include/snnsim/version.h)
SOVERSION := $(firstword $(subst ., ,$(VERSION)))

# ---- files ----
LIB_SRC := $(wildcard base/*.c datasets/*.c sim/*.c hw/*.c crypto/*.c)
ifneq ($(ARCH),x86_64)
LIB_SRC := $(filter-out %_avx2.c %_avx512.c,$(LIB_SRC))
endif
CLI_SRC := $(wildcard cli/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(BUILD)/%.o)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
# What unit tests link (mutation testing takes the shared library, so that it need not link them again).
UNITLIB ?= $(BUILD)/libsnnsim.a
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/%)
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/fuzz/%)
REPLAY_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/replay/%)
# Programs of checks and benchmarks.
TOOL_SRC := $(wildcard tests/check/*.c tests/bench/*.c)
TOOL_BIN := $(addprefix $(BUILD)/tools/,$(notdir $(TOOL_SRC:.c=)))
SOLIB := libsnnsim.so.$(VERSION)
# Only these see the installation folders, so that another PREFIX compiles just them again.
DIR_SRC := $(shell grep -ls -e SNN_CONFIG_DIR -e SNN_MODEL_DIR -e SNN_DEVICE_DIR -e SNN_SYNTHESIS_DIR $(LIB_SRC) $(CLI_SRC))
DIR_OBJ := $(DIR_SRC:%.c=$(BUILD)/%.o)

JOBS := -j$(shell nproc)
SETUP := tests/setup/packages.sh

# ---- build (make V=1 shows the commands) ----
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) '$(patsubst $(BUILD)/%,%,$@)')
.PHONY: all lib shared unit replay tools fuzzers
all: $(BUILD)/snnsim shared $(BUILD)/snnsim.pc ## build the program, the library (static and shared) and its pkg-config file (default); MPI=1: for mpirun, in build-mpi
lib: $(BUILD)/libsnnsim.a ## build only the static library
shared: $(BUILD)/libsnnsim.so
unit: $(UNIT_BIN) ## build the unit tests
replay: $(REPLAY_BIN)
tools: $(TOOL_BIN)
fuzzers: $(FUZZ_BIN)

# SIMD kernels are units of their own, compiled for their instruction set and chosen at run time.
$(BUILD)/%_avx2.o: private CFLAGS += -mavx2
$(BUILD)/%_avx512.o: private CFLAGS += -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni

# No floating-point flags are read: comparisons may be computed where they are not needed, so that selections vectorise. Values do not change.
$(BUILD)/hw/analog_kernels_%.o: private CFLAGS += -fno-trapping-math

$(DIR_OBJ): private CPPFLAGS += -DSNN_CONFIG_DIR='"$(PREFIX)/share/snnsim/configs"' -DSNN_MODEL_DIR='"$(PREFIX)/share/snnsim/models"' -DSNN_DEVICE_DIR='"$(PREFIX)/share/snnsim/devices"' -DSNN_VERILOG_DIR='"$(PREFIX)/share/snnsim/verilog"' -DSNN_SYNTHESIS_DIR='"$(PREFIX)/share/snnsim/synthesis"'
$(DIR_OBJ): $(BUILD)/stamp/prefix

$(BUILD)/%.o: %.c $(BUILD)/stamp/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

ifneq ($(OBJECTS_FROM),)
MPI_SRC := $(shell grep -ls SNN_MPI $(LIB_SRC) $(CLI_SRC))
MPI_COPIES := $(patsubst $(OBJECTS_FROM)/%,$(BUILD)/%,$(wildcard $(patsubst %.c,$(OBJECTS_FROM)/%.o,$(filter-out $(MPI_SRC),$(LIB_SRC) $(CLI_SRC)))))
$(MPI_COPIES): $(BUILD)/%.o: $(OBJECTS_FROM)/%.o
	@mkdir -p $(@D)
	$(Q)cp $< $@
endif

$(BUILD)/libsnnsim.a: $(LIB_OBJ) $(BUILD)/stamp/files
	@rm -f $@
	$(call say,AR)
	$(Q)ar rcs $@ $(LIB_OBJ)

$(BUILD)/$(SOLIB): $(LIB_OBJ) $(BUILD)/stamp/files
	$(call say,LINK)
	$(Q)$(CC) -shared -Wl,-soname,libsnnsim.so.$(SOVERSION) $(LDFLAGS) -o $@ $(LIB_OBJ) $(LDLIBS)

$(BUILD)/libsnnsim.so: $(BUILD)/$(SOLIB)
	$(Q)ln -sf $(SOLIB) $(BUILD)/libsnnsim.so.$(SOVERSION)
	$(Q)ln -sf $(SOLIB) $@

$(BUILD)/snnsim: $(CLI_OBJ) $(BUILD)/libsnnsim.a
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/%: tests/unit/%.c $(UNITLIB) $(BUILD)/stamp/flags
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(CPPFLAGS) -Itests/unit $(CFLAGS) -MMD -MP -MT $@ -MF $@.d $(LDFLAGS) -o $@ $< $(UNITLIB) $(LDLIBS) -lcmocka

vpath %.c tests/check tests/bench
$(TOOL_BIN): $(BUILD)/tools/%: %.c $(BUILD)/libsnnsim.a $(BUILD)/stamp/flags
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MT $@ -MF $@.d $(LDFLAGS) -o $@ $< $(BUILD)/libsnnsim.a $(LDLIBS)

# A fuzz target with libFuzzer's main (make FUZZ=1 fuzzers), and with one that only replays files (in make test).
$(BUILD)/fuzz/%: tests/fuzz/%.c $(BUILD)/libsnnsim.a $(BUILD)/stamp/flags
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MT $@ -MF $@.d $(LDFLAGS) -fsanitize=fuzzer -o $@ $< $(BUILD)/libsnnsim.a $(LDLIBS)
$(BUILD)/replay/%: tests/fuzz/%.c tests/fuzz/replay.c $(BUILD)/libsnnsim.a $(BUILD)/stamp/flags
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< tests/fuzz/replay.c $(BUILD)/libsnnsim.a $(LDLIBS)

$(BUILD)/snnsim.pc: tests/setup/snnsim.pc.in $(BUILD)/stamp/prefix $(BUILD)/stamp/flags
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@PKGS@|$(PKGS)|' $< >$@

# Stamps hold what a build depends on besides its files; they change only when that changes.
quote = '$(subst ','\'',$(1))'
$(BUILD)/stamp/flags: STAMP = $(shell $(CC) --version 2>/dev/null | head -n 1) $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(LDLIBS)
$(BUILD)/stamp/prefix: STAMP = $(PREFIX)
$(BUILD)/stamp/files: STAMP = $(LIB_OBJ)
$(BUILD)/stamp/%: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(call quote,$(STAMP)) | cmp -s - $@ || printf '%s\n' $(call quote,$(STAMP)) >$@
.PHONY: FORCE
FORCE:

-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(UNIT_BIN:=.d) $(FUZZ_BIN:=.d) $(TOOL_BIN:=.d)

# ---- use ----
.PHONY: setup demo test bench
setup: ## install the Debian packages that a build needs
	@bash $(SETUP) build
demo: ## install what is missing, build, and run the gesture network: plain, then encrypted on RRAM chips without and with its key
	@bash $(SETUP) build
	@$(MAKE) --no-print-directory $(JOBS) all
	@SNNSIM=$(BUILD)/snnsim bash docs/examples/demo.sh $(BUILD)/demo
test: ## install what is missing, build, and run all tests; ends in `N passed, N failed` (SAN=1: under sanitizers)
	@bash $(SETUP) test
	@$(MAKE) --no-print-directory $(JOBS) all unit replay tools
	@BUILD=$(BUILD) $(if $(SAN),SAN=1) bash tests/run.sh $(ONLY)
bench: ## measure speed, beside the same networks in PyTorch when it is there
	@bash $(SETUP) build
	@$(MAKE) --no-print-directory $(JOBS) all tools
	@BUILD=$(BUILD) bash tests/bench/run.sh

# ---- checks beyond the tests ----
.PHONY: lint format coverage fuzz hw-synth mutate valgrind
lint: ## formatting, clang-tidy, cppcheck, shellcheck, Verilator's lint
	@bash $(SETUP) lint
	@BUILD=$(BUILD) bash tests/lint/run.sh
format: ## reformat all C files
	clang-format -i $(wildcard $(addsuffix /*.[ch],base datasets sim hw crypto cli include/snnsim tests/unit tests/fuzz tests/check tests/bench))
coverage: ## line coverage of base, datasets, sim, hw and crypto by the unit tests; fails below 85 %
	@bash $(SETUP) test coverage
	@$(MAKE) --no-print-directory COV=1 $(JOBS) unit
	@BUILD=build-cov bash tests/check/coverage.sh
SECONDS ?= 60
fuzz: ## libFuzzer on every reader: make fuzz SECONDS=600 [TARGET=name]
	@bash $(SETUP) build fuzz
	@$(MAKE) --no-print-directory FUZZ=1 $(JOBS) fuzzers
	@bash tests/fuzz/run.sh build-fuzz $(SECONDS) $(TARGET)
LIBERTY ?= osu018
DESIGNS ?=
hw-synth: ## synthesis, timing and energy of the decryptors: make hw-synth [LIBERTY=osu018|sky130hd|sg13g2|asap7|FILE] [DESIGNS="pass table50"] [TILES=1]
	@bash $(SETUP) build synth
	@$(MAKE) --no-print-directory $(JOBS) $(BUILD)/snnsim
	@/usr/bin/python3 verilog/syn/flow.py --library "$(LIBERTY)" --designs "$(DESIGNS)" --work $(abspath $(BUILD))/syn --snnsim $(abspath $(BUILD))/snnsim $(if $(TILES),--tiles)
SEED ?= 1
COUNT ?= 50
mutate: ## seeded one-line mutations that the tests must catch: make mutate [SEED=1] [COUNT=50]
	@bash $(SETUP) test mutate
	@python3 tests/mutate/mutate.py --seed $(SEED) --count $(COUNT)
valgrind: ## one small run under valgrind
	@bash $(SETUP) build valgrind
	@$(MAKE) --no-print-directory $(JOBS) BUILD=build-valgrind OPT=-O1 all
	@BUILD=build-valgrind bash tests/check/valgrind.sh

# ---- installation ----
.PHONY: install uninstall
INSTALL_DIR := $(DESTDIR)$(PREFIX)
CONFIGS := $(wildcard configs/*.cfg)
MODELS := $(wildcard models/*.h5)
DEVICES := $(wildcard hw/devices/*.cfg)
SYNTHESES := $(wildcard verilog/syn/results/*.json)
DOCS := README.md LICENSE $(filter-out docs/README.md,$(wildcard docs/*.md))
EXAMPLES := $(wildcard docs/examples/*.sh docs/examples/*.py)
install: all ## install below PREFIX (default /usr/local; DESTDIR for packaging)
	install -d $(addprefix $(INSTALL_DIR)/,bin include/snnsim lib/pkgconfig share/snnsim/configs share/snnsim/models share/snnsim/devices share/snnsim/synthesis share/snnsim/verilog/rtl share/doc/snnsim/examples)
	install -m 755 $(BUILD)/snnsim $(INSTALL_DIR)/bin/
	install -m 644 include/snnsim/*.h $(INSTALL_DIR)/include/snnsim/
	install -m 644 $(BUILD)/libsnnsim.a $(INSTALL_DIR)/lib/
	install -m 755 $(BUILD)/$(SOLIB) $(INSTALL_DIR)/lib/
	ln -sf $(SOLIB) $(INSTALL_DIR)/lib/libsnnsim.so.$(SOVERSION)
	ln -sf $(SOLIB) $(INSTALL_DIR)/lib/libsnnsim.so
	install -m 644 $(BUILD)/snnsim.pc $(INSTALL_DIR)/lib/pkgconfig/
	install -m 644 $(CONFIGS) $(INSTALL_DIR)/share/snnsim/configs/
	install -m 644 $(DEVICES) $(INSTALL_DIR)/share/snnsim/devices/
	install -m 644 $(wildcard verilog/rtl/*.v) $(INSTALL_DIR)/share/snnsim/verilog/rtl/
	install -m 644 hw/rtl_bridge.cpp hw/rtl_bridge.h verilog/README.md $(INSTALL_DIR)/share/snnsim/verilog/
	install -m 755 verilog/cosim.sh $(INSTALL_DIR)/share/snnsim/verilog/
	$(if $(SYNTHESES),install -m 644 $(SYNTHESES) $(INSTALL_DIR)/share/snnsim/synthesis/)
	$(if $(MODELS),install -m 644 $(MODELS) $(INSTALL_DIR)/share/snnsim/models/)
	install -m 644 $(DOCS) $(INSTALL_DIR)/share/doc/snnsim/
	install -m 755 $(EXAMPLES) $(INSTALL_DIR)/share/doc/snnsim/examples/
uninstall: ## remove what install wrote
	rm -f $(INSTALL_DIR)/bin/snnsim $(INSTALL_DIR)/lib/libsnnsim.* $(INSTALL_DIR)/lib/pkgconfig/snnsim.pc
	rm -rf $(addprefix $(INSTALL_DIR)/,include/snnsim share/snnsim share/doc/snnsim)

.PHONY: help clean
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
clean: ## remove everything that was built
	rm -rf build build-*
