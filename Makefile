# weir: one Makefile, no recursion between rooms. A variant (asan, tsan, fuzz, clang) is the same
# rules with another BUILD folder. V=1 shows commands.
BUILD     ?= build
CC        ?= cc
PREFIX    ?= /usr/local
DESTDIR   ?=
NODE_ARGS ?=
SECONDS   := 30
MINUTES   ?= 10
JOBS      ?= $(shell nproc)
Q         := $(if $(V),,@)
VERSION   := $(shell sed -n 's/^\#define WEIR_VERSION *"\(.*\)"/\1/p' base/version.h 2>/dev/null)
SOVERSION := 0

PACKAGES := libczmq libzmq libsodium lmdb jansson
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wformat=2 -Wundef -Wpointer-arith -Wvla -Wwrite-strings -Wcast-align -Wcast-qual \
            -Wmissing-declarations -Wredundant-decls -Wold-style-definition
HARDEN   := -fstack-protector-strong $(if $(SANITIZE),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
LDHARDEN := -Wl,-z,relro,-z,now,--as-needed
# Asked once, at the first compile: `make run` installs the packages before it comes to that.
PACKAGE_CFLAGS = $(eval PACKAGE_CFLAGS := $$(shell pkg-config --cflags $(PACKAGES)))$(PACKAGE_CFLAGS)
PACKAGE_LIBS   = $(eval PACKAGE_LIBS := $$(shell pkg-config --libs $(PACKAGES)))$(PACKAGE_LIBS)
# Instrumented code makes gcc guess at faults that are not there: the plain builds are the ones to warn.
ALL_CFLAGS = $(if $(SANITIZE),-w) -std=c11 -D_GNU_SOURCE $(WARNINGS) $(HARDEN) -I. -fPIC -fvisibility=hidden $(CFLAGS) \
             $(SANITIZE) $(PACKAGE_CFLAGS)
LINK       = $(CC) $(CFLAGS) $(SANITIZE) -pie $(LDHARDEN)
LIBS       = $(PACKAGE_LIBS) -lpthread
# What the program needs and the library does not. (--as-needed leaves it out of tests without it.)
PROGRAM_LIBS = $(LIBS) -lncursesw -ltinfo
# A file tells what else its program is linked with: /* link: -Wl,--wrap=mdb_put */
file_link  = $(shell sed -n 's|^/\* link: \(.*\) \*/$$|\1|p' $(1))

ROOMS    := base proto contracts store actors client
SOURCES  := $(wildcard $(ROOMS:%=%/*.c))
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o)
MAIN     := $(patsubst %.c,$(BUILD)/%.o,$(wildcard main/*.c))
PURE     := $(filter $(BUILD)/base/% $(BUILD)/proto/% $(BUILD)/contracts/%,$(OBJECTS))
# Of client/, what is the program's own and not the library's.
PROGRAM  := cli% chat% room_book% room_names% safe_text% config_path%
LIBWEIR  := $(PURE) $(filter-out $(PROGRAM:%=$(BUILD)/client/%),$(filter $(BUILD)/client/%,$(OBJECTS)))

TEST_SOURCES := $(wildcard tests/*/*.c)
TESTS    := $(patsubst %.c,$(BUILD)/%,$(filter %_test.c,$(TEST_SOURCES)))
SCRIPTS  := $(wildcard tests/*/*_test.sh)
SUPPORT  := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %_test.c %_fuzz.c tests/fuzz/replay.c tests/sim/sim.c tests/crash/recorder.c,$(TEST_SOURCES)))
FUZZ     := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_NAMES  = $(patsubst $(BUILD)/tests/fuzz/%_fuzz,%,$(FUZZ))
FUZZ_CHOSEN = $(if $(TARGETS),$(foreach name,$(TARGETS),$(or $(filter %/$(name)_fuzz,$(FUZZ)),\
              $(error TARGETS=$(name): there is no such target; there are: $(FUZZ_NAMES)))),$(FUZZ))
CRASH    := $(BUILD)/tests/crash/crash_images_test $(BUILD)/tests/integration/kill_at_call_test
DISK     := $(patsubst %,$(BUILD)/tests/%_test,fault/store_fault fault/store_read_fault integration/disk_full integration/bad_disk)
BENCH    := $(patsubst %.c,$(BUILD)/%,$(wildcard bench/*.c))
BENCH_COMMON := $(patsubst %.c,$(BUILD)/%.o,$(wildcard bench/common/*.c))
EXAMPLES := $(patsubst docs/examples/%.c,$(BUILD)/examples/%,$(wildcard docs/examples/*.c))
MAN      := $(wildcard docs/man/*.[1-8])

percent := %

# A setting that has to be a number, $(call number,NAME): what is none is refused before anything is
# built, since make reads a recipe whole. $(call numbers,NAME …): NAME=n of those that are set;
# $(call option,NAME,name): --name n if it is. $(call one_of,NAME,words): the first, if none is set.
bare   = $(subst 0,,$(subst 1,,$(subst 2,,$(subst 3,,$(subst 4,,$(1))))))
bald   = $(subst 5,,$(subst 6,,$(subst 7,,$(subst 8,,$(subst 9,,$(subst .,,$(1)))))))
number = $(if $(call bare,$(call bald,$($(1)))),$(error $(1)=$($(1)): wanted a number),$($(1)))
numbers = $(foreach name,$(1),$(if $($(name)),$(name)=$(call number,$(name))))
one_of = $(if $(filter-out $(2),$($(1))),$(error $(1)=$($(1)): one of $(2)),$(or $($(1)),$(firstword $(2))))
option = $(if $($(1)),--$(2) $(call number,$(1)))
# A sub-make takes all cores, unless whoever called make chose. (+ hands the choice on.)
SUB = $(MAKE) --no-print-directory $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

all: $(BUILD)/weir lib  ## build the binary and the library (the default)

help:  ## show this
	@sed -n 's/^\([a-z][a-z-]*\):.*  ## \(.*\)/  make \1	\2/p' Makefile | expand -t 22
	@echo "Variables: BUILD=$(BUILD) CC=$(CC) CFLAGS PREFIX=$(PREFIX) DESTDIR V=1 NODE_ARGS SECONDS"

run:  ## install what is missing, build, start a node in the foreground (NODE_ARGS="--data DIR …")
	@scripts/setup build
	+$(Q)$(SUB) $(BUILD)/weir
	$(Q)exec $(BUILD)/weir node $(NODE_ARGS)

check:  ## install what is missing, build, run every test; the last line is the total
	@scripts/setup build test
	+$(Q)$(SUB) tests
	@CC="$(CC)" SANITIZE="$(SANITIZE)" scripts/run-tests $(BUILD) $(TESTS) $(SCRIPTS) $(FUZZ:=_replay)

asan:  ## every test under AddressSanitizer, LeakSanitizer and UBSan
	+$(Q)$(SUB) check BUILD=build-asan CFLAGS="-O1 -g -fno-omit-frame-pointer" \
	    SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all"

tsan:  ## every test under ThreadSanitizer
	+$(Q)$(SUB) check BUILD=build-tsan CFLAGS="-O1 -g -fno-omit-frame-pointer" SANITIZE=-fsanitize=thread

fuzz:  ## each fuzz target for SECONDS=30 from its corpus, JOBS at once; TARGETS="merge room", MERGE=1
	@scripts/setup build fuzz
	+$(Q)$(SUB) $(FUZZ_CHOSEN:$(BUILD)/%=build-fuzz/%) BUILD=build-fuzz CC=clang CFLAGS="-O1 -g -fno-omit-frame-pointer" \
	    SANITIZE="-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all"
	@JOBS=$(call number,JOBS) MERGE=$(MERGE) scripts/fuzz $(call number,SECONDS) $(patsubst $(BUILD)/%,build-fuzz/%,$(FUZZ_CHOSEN))

sim:  ## many nodes on a virtual clock, with faults: SEEDS=100 FIRST=1 JOBS=1 NODES=0 (drawn), or one SEED=n
	@scripts/setup build test
	+$(Q)$(SUB) $(BUILD)/tests/sim/sim
	@$(BUILD)/tests/sim/sim $(call option,SEEDS,seeds) $(call option,FIRST,first) $(call option,JOBS,jobs) \
	    $(call option,NODES,nodes) $(call option,SEED,seed) $(SIM_ARGS)

crash:  ## disks as a loss of power may leave them: IMAGES=100000 (32 at least) SEED=n; and a kill at every call (KILLS=some: a sample)
	@scripts/setup build test
	+$(Q)$(SUB) $(BUILD)/weir $(CRASH)
	@for test in $(CRASH); do PROGRESS=1 KILLS=$(filter all,$(call one_of,KILLS,all some)) WEIR=$(abspath $(BUILD))/weir \
	    $(call numbers,IMAGES SEED) $$test || exit 1; done

netfaults:  ## real nodes and a relay that cuts and delays their packets: ROUNDS=3 SEED=n
	@scripts/setup build test
	+$(Q)$(SUB) $(BUILD)/weir $(BUILD)/tests/net/faults_test
	@NETFAULTS=all WEIR=$(abspath $(BUILD))/weir $(call numbers,ROUNDS SEED) $(BUILD)/tests/net/faults_test

soak:  ## five nodes, 200 contracts, churn and faults, their memory watched: MINUTES=60 (judged from 10 on) SEED=n
	@scripts/setup build test
	+$(Q)$(SUB) $(BUILD)/weir $(BUILD)/tests/soak/soak_test
	@PROGRESS=1 $(call numbers,MINUTES SEED) WEIR=$(abspath $(BUILD))/weir $(BUILD)/tests/soak/soak_test

disk:  ## a disk that is full, small or fails, under the real node; as root, with a loop device for ext4
	@scripts/setup build test
	+$(Q)$(SUB) $(BUILD)/weir $(DISK)
	@for test in $(DISK); do DISK=all WEIR=$(abspath $(BUILD))/weir $$test || exit 1; done

mutants:  ## plant bugs one at a time and see which test catches each: ONLY="name …" JOBS=n SEED=n
	@scripts/setup build test
	@$(call numbers,JOBS SEED) scripts/mutants $(ONLY)

coverage:  ## lines and branches that tests of functions reach; fails below 95 % in proto/, contracts/
	@scripts/setup build test
	+$(Q)$(SUB) covered BUILD=build-coverage CFLAGS="-O0 -g" SANITIZE="--coverage -fprofile-update=atomic"
	@scripts/coverage build-coverage

closes:  ## every close is reported once, by its reason, within 100 ms: CLOSES=5000
	@scripts/setup build test
	+$(Q)$(SUB) $(BUILD)/weir $(BUILD)/tests/integration/closes_test
	@CLOSES=$(or $(call number,CLOSES),5000) WITHIN_MS=100 WEIR=$(abspath $(BUILD))/weir $(BUILD)/tests/integration/closes_test

floods:  ## 10,000 strangers, then 10,000 greedy clients, for SECONDS=30 each; figures beside their bounds
	@scripts/setup build test
	+$(Q)$(SUB) $(BUILD)/weir $(BUILD)/tests/integration/floods_test
	@FLOOD_BOUNDS=1 FLOOD_SECONDS=$(call number,SECONDS) FLOOD_CONNECTIONS=$(or $(call number,CONNECTIONS),10000) FLOOD_A_SECOND=12500 \
	    WEIR=$(abspath $(BUILD))/weir $(BUILD)/tests/integration/floods_test

bench:  ## measure, next to Redis: `name: value unit` lines
	@scripts/setup build bench
	+$(Q)$(SUB) $(BUILD)/weir bench-programs
	@BUILD=$(abspath $(BUILD)) bench/run.sh

bench-net:  ## measure what goes between nodes, next to Redis with a replica, LMDB, libsodium
	@scripts/setup build bench
	+$(Q)$(SUB) $(BUILD)/weir bench-programs $(BUILD)/tests/sim/sim
	@BUILD=$(abspath $(BUILD)) bench/net.sh

lint:  ## format, clang-tidy, cppcheck, the rooms' rules, and a build with clang
	@scripts/setup build test lint
	+$(Q)$(SUB) check-compilers
	+$(Q)$(SUB) $(BUILD)/weir lib
	@scripts/lint $(BUILD)

check-compilers:  ## build everything with gcc and with clang, warnings are errors
	+$(Q)$(SUB) all tests BUILD=build-gcc CC=gcc
	+$(Q)$(SUB) all tests BUILD=build-clang CC=clang

demo:  ## a network of six nodes with every Debian package, a dictionary and a log
	@scripts/setup build demo
	+$(Q)$(SUB) $(BUILD)/weir examples
	@BUILD=$(BUILD) scripts/demo.sh

demo-chat:  ## three nodes and five people in a chat room, for CHAT_SECONDS=120
	@scripts/setup build demo
	+$(Q)$(SUB) $(BUILD)/weir
	@BUILD=$(BUILD) scripts/demo-chat.sh

lib: $(BUILD)/libweir.a $(BUILD)/libweir.so.$(SOVERSION)
tests: $(BUILD)/weir lib examples $(TESTS) $(FUZZ:=_replay)
fuzzers: $(FUZZ)
# For coverage: what calls functions, without processes. What was counted before is forgotten.
COVERING := $(filter $(addprefix $(BUILD)/tests/,unit/% property/% fault/%),$(TESTS)) $(FUZZ:=_replay)
covered: $(BUILD)/weir $(COVERING)
	$(Q)find $(BUILD) -name '*.gcda' -delete
	@CC="$(CC)" SANITIZE="$(SANITIZE)" scripts/run-tests $(BUILD) $(COVERING)
examples: $(EXAMPLES)
bench-programs: $(BENCH)

$(BUILD)/weir: $(MAIN) $(BUILD)/libweir-all.a
	@echo "  LINK $@"
	$(Q)$(LINK) -o $@ $^ $(PROGRAM_LIBS)

$(BUILD)/libweir-all.a: $(OBJECTS)
	$(Q)rm -f $@ && ar qcs $@ $^

# What apps link: one object in which everything but weir_* is local.
$(BUILD)/libweir.a: $(LIBWEIR)
	@echo "  AR   $@"
	$(Q)ld -r -o $(@:.a=.o) $^ && objcopy --localize-hidden $(@:.a=.o) && rm -f $@ && ar qcs $@ $(@:.a=.o)

$(BUILD)/libweir.so.$(SOVERSION): $(LIBWEIR)
	@echo "  LINK $@"
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) -shared $(LDHARDEN) -Wl,-soname,$(@F) -o $@ $^ $(LIBS)
	$(Q)ln -sf $(@F) $(BUILD)/libweir.so

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# What tests share, an archive a folder: a test takes from its own folder's first. Of the simulator's,
# whose disk stands before the C library's calls, others take the dice alone.
SHARED := $(patsubst %,$(BUILD)/tests/%,soak/support.a net/support.a sim/dice.a crash/support.a unit/support.a \
          property/support.a support/support.a)
$(BUILD)/tests/sim/dice.a: $(BUILD)/tests/sim/dice.o
	$(Q)rm -f $@ && ar qcs $@ $^

.SECONDEXPANSION:
$(BUILD)/tests/%/support.a: $$(filter $(BUILD)/tests/$$*/$$(percent),$(SUPPORT))
	@mkdir -p $(@D)
	$(Q)rm -f $@ && ar qcs $@ $^

$(BUILD)/tests/%_test: $(BUILD)/tests/%_test.o $(BUILD)/tests/$$(dir $$*)support.a \
                       $(SHARED) $(BUILD)/libweir-all.a
	@echo "  LINK $@"
	$(Q)$(LINK) -o $@ $^ $(call file_link,tests/$*_test.c) -lcmocka $(PROGRAM_LIBS)

# Preloaded into the node that a test records. It takes no sanitizer: those must come first.
$(BUILD)/tests/crash/recorder.so: tests/crash/recorder.c tests/crash/trace.c tests/crash/trace.h
	@mkdir -p $(@D)
	@echo "  LINK $@"
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) -O2 -g -I. -fPIC -fvisibility=hidden -shared -o $@ $(filter %.c,$^) -ldl
$(BUILD)/tests/crash/crash_images_test: | $(BUILD)/tests/crash/recorder.so

$(BUILD)/tests/sim/sim: $(BUILD)/tests/sim/sim.o $(BUILD)/tests/sim/support.a $(SHARED) $(BUILD)/libweir-all.a
	@echo "  LINK $@"
	$(Q)$(LINK) -o $@ $^ -lcmocka $(PROGRAM_LIBS)

FUZZ_WITH = $(BUILD)/tests/fuzz/support.a $(BUILD)/main/node_settings.o $(BUILD)/libweir-all.a
$(BUILD)/tests/fuzz/%_fuzz: $(BUILD)/tests/fuzz/%_fuzz.o $(FUZZ_WITH)
	@echo "  LINK $@"
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(call file_link,tests/fuzz/$*_fuzz.c) $(PROGRAM_LIBS)

$(BUILD)/tests/fuzz/%_fuzz_replay: $(BUILD)/tests/fuzz/%_fuzz.o $(BUILD)/tests/fuzz/replay.o $(FUZZ_WITH)
	@echo "  LINK $@"
	$(Q)$(LINK) -o $@ $^ $(call file_link,tests/fuzz/$*_fuzz.c) $(PROGRAM_LIBS)

$(BUILD)/bench/%: $(BUILD)/bench/%.o $(BENCH_COMMON) $(BUILD)/libweir-all.a
	@echo "  LINK $@"
	$(Q)$(LINK) -o $@ $^ $(call file_link,bench/$*.c) $(LIBS)

# An example is built as an app is: <weir.h> and the library, nothing of the rooms.
$(BUILD)/examples/%: docs/examples/%.c $(BUILD)/libweir.a client/weir.h client/weir_room.h
	@mkdir -p $(@D)
	@echo "  LINK $@"
	$(Q)$(CC) -std=c11 -Wall -Wextra -Werror $(CFLAGS) $(SANITIZE) -Iclient -o $@ $< $(BUILD)/libweir.a $(LIBS)

INSTALL   = install -D -m
TEMPLATES = pkgconfig/libweir.pc systemd/system/weir.service
install: all  ## install under $(DESTDIR)$(PREFIX)
	$(INSTALL) 755 $(BUILD)/weir $(DESTDIR)$(PREFIX)/bin/weir
	for header in weir.h weir_room.h; do \
	    $(INSTALL) 644 client/$$header $(DESTDIR)$(PREFIX)/include/$$header || exit 1; done
	$(INSTALL) 644 $(BUILD)/libweir.a $(DESTDIR)$(PREFIX)/lib/libweir.a
	$(INSTALL) 755 $(BUILD)/libweir.so.$(SOVERSION) $(DESTDIR)$(PREFIX)/lib/libweir.so.$(SOVERSION)
	ln -sf libweir.so.$(SOVERSION) $(DESTDIR)$(PREFIX)/lib/libweir.so
	for file in $(TEMPLATES); do \
	    sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' scripts/$$(basename $$file).in > $(BUILD)/packaged && \
	    $(INSTALL) 644 $(BUILD)/packaged $(DESTDIR)$(PREFIX)/lib/$$file || exit 1; done
	$(INSTALL) 644 $(firstword $(wildcard docs/completion/*)) $(DESTDIR)$(PREFIX)/share/bash-completion/completions/weir
	for page in $(MAN); do section=$${page##*.}; \
	    dir=$(DESTDIR)$(PREFIX)/share/man/man$$section; mkdir -p $$dir && \
	    gzip -9nc $$page > $$dir/$$(basename $$page).gz || exit 1; done
	$(if $(DESTDIR),,ldconfig)

uninstall:  ## take away what install put there
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,bin/weir include/weir.h include/weir_room.h lib/libweir.a lib/libweir.so \
	    lib/libweir.so.$(SOVERSION) $(TEMPLATES:%=lib/%) \
	    share/bash-completion/completions/weir $(foreach page,$(notdir $(MAN)),share/man/man$(patsubst .%,%,$(suffix $(page)))/$(page).gz))

clean:  ## remove what was built
	rm -rf build build-*

-include $(wildcard $(BUILD)/*/*.d $(BUILD)/tests/*/*.d $(BUILD)/bench/*/*.d)
.PHONY: all help run check asan tsan fuzz sim crash disk netfaults soak closes floods mutants coverage covered bench bench-net lint \
        check-compilers demo demo-chat lib tests fuzzers examples bench-programs install uninstall clean
.SECONDARY:
.DELETE_ON_ERROR:
