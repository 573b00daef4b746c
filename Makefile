# weir: one Makefile. A variant (asan, tsan, fuzz) is the same rules with another BUILD folder.
BUILD  ?= build
CC     ?= cc
PREFIX ?= /usr/local
Q      := $(if $(V),,@)

PACKAGES := libczmq libzmq libsodium lmdb jansson
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wformat=2 -Wundef -Wpointer-arith -Wvla -Wwrite-strings
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE $(WARNINGS) -I. -fPIC -fvisibility=hidden $(CFLAGS) $(SANITIZE) \
            $(shell pkg-config --cflags $(PACKAGES))
LIBS     = $(shell pkg-config --libs $(PACKAGES)) -lpthread

ROOMS    := base proto contracts store actors client
SOURCES  := $(wildcard $(ROOMS:%=%/*.c))
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o)
MAIN     := $(patsubst %.c,$(BUILD)/%.o,$(wildcard main/*.c))
TESTS    := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*_test.c tests/property/*_test.c \
            tests/fault/*_test.c tests/integration/*_test.c))

all: $(BUILD)/weir  ## build the binary

$(BUILD)/weir: $(MAIN) $(BUILD)/libweir-all.a
	@echo "  LINK $@"
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) -o $@ $^ $(LIBS)

$(BUILD)/libweir-all.a: $(OBJECTS)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/libweir-all.a
	@echo "  LINK $@"
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) -o $@ $^ $(LIBS) -lcmocka

tests: $(TESTS)

clean:  ## remove what was built
	rm -rf build build-*

-include $(OBJECTS:.o=.d) $(MAIN:.o=.d) $(TESTS:=.d)
.PHONY: all tests clean
.SECONDARY:
