# Miji. GNU make, one file, no recursion; everything that is made goes below .build/.
#
#   make             the three programs, in .build/bin
#   make deps        installs what is missing (Debian 12; root or sudo); starts nothing
#   make demo        real mail through a private Postfix, slapd and Miji
#   make check       all tests
#   make bench       ratios against a filter that does nothing
#   make install     DESTDIR= PREFIX=; also uninstall
#   make check-asan  the tests under the address and undefined behaviour sanitizers; also check-tsan (threads)
#   make cov         lines that the tests run, for each folder
#   make lint        layers, closed top level, one place for each foreign header
#   make compdb      .build/compile_commands.json for editors
#   VARIANT=asan|tsan|cov|fault with any of them: another set of objects, below .build/asan …; all of these have the places at
#   which tests make a step fail or end the process (milter/conf/fault.h), fault has nothing else

VARIANT ?= default
ifeq ($(filter default asan tsan cov fault,$(VARIANT)),)
$(error VARIANT=$(VARIANT): there are default, asan, tsan, cov, fault)
endif
PREFIX  ?= /usr/local
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

B    := .build$(if $(filter-out default,$(VARIANT)),/$(VARIANT))
CC   := $(if $(filter default undefined,$(origin CC)),gcc,$(CC))
AR   := ar

PACKAGES  := milter ldap lber libpcre2-8 openssl glib-2.0 gmime-3.0 libxml-2.0 libutf8proc libidn2 libseccomp libsystemd sqlite3 libzstd
# Asked once, and only by a target that compiles: `make deps` and `make lint` do without.
pkg-config = $(or $(shell pkg-config $(1) $(PACKAGES)),$(error libraries are missing: run "make deps"))
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(call pkg-config,--cflags))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $$(call pkg-config,--libs) -lpthread)$(PKG_LIBS)

WARN     := -Wall -Wextra -Wswitch-enum -Wshadow -Wformat=2 -Wno-unused-parameter
HARDEN   := -fPIE -fstack-protector-strong $(if $(filter default,$(VARIANT)),-D_FORTIFY_SOURCE=2)
SANITIZE := $(if $(filter asan,$(VARIANT)),-fsanitize=address -fsanitize=undefined -fno-omit-frame-pointer) \
            $(if $(filter tsan,$(VARIANT)),-fsanitize=thread) $(if $(filter cov,$(VARIANT)),--coverage)
VERSION  := $(shell sed -n 's/^\#define MIJI_VERSION "\(.*\)"/\1/p' policy/version.h)

CFLAGS   ?= $(if $(filter cov fault,$(VARIANT)),-O0,-O2) -g
override CFLAGS += -std=gnu11 $(WARN) $(WERROR) $(HARDEN) $(SANITIZE)
override CPPFLAGS += -I. -D_GNU_SOURCE $(if $(filter-out default,$(VARIANT)),-DMIJI_FAULTS) -DG_LOG_DOMAIN=\"miji\" $(PKG_CFLAGS)
override LDFLAGS += -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE)

# The thread sanitizer is told of GLib's containers by wrappers; see tests/tsan/wrap.c.
WRAP_DEF := $(if $(filter tsan,$(VARIANT)),tests/tsan/wrap.def tests/tsan/wrap.c)
WRAP_OBJ := $(if $(WRAP_DEF),$(B)/obj/tests/tsan/wrap.o)
WRAPPED  := $(if $(WRAP_DEF),$(shell sed -nE 's/^((READ|WRITE).[^,]*, |ITER_WRITE.|\w+ __wrap_)(g_\w+).*/\3/p' $(WRAP_DEF) | sort -u))
override LDFLAGS += $(WRAPPED:%=-Wl,--wrap=%)

# Leaks and lines of a process that ends by _exit; see tests/asan/exit.c.
EXIT_OBJ := $(if $(filter asan cov,$(VARIANT)),$(B)/obj/tests/asan/exit.o)

# ---------------------------------------------------------------- what is compiled
PROGRAMS := miji-milter miji-inspect miji
MAINS    := milter/daemon/main.c milter/inspect/main.c milter/cli/main.c
SOURCES  := $(wildcard policy/*.c policy/*/*.c rules/*.c milter/*/*.c)
LIB_SRC  := $(filter-out $(MAINS),$(SOURCES))
LIB_OBJ  := $(LIB_SRC:%.c=$(B)/obj/%.o)

UNIT_SRC  := $(wildcard tests/unit/*_test.c tests/unit/*/*_test.c tests/unit/*/*/*_test.c)
UNIT      := $(UNIT_SRC:tests/%.c=$(B)/tests/%)
# Other test programs, each one file of its own name, linked with the test library of its folder.
WIRE_SRC  := $(wildcard tests/wire/*_test.c)
WIRE      := $(WIRE_SRC:tests/%.c=$(B)/tests/%)
CASE_SRC  := $(wildcard tests/cases/*_test.c)
CASE      := $(CASE_SRC:tests/%.c=$(B)/tests/%)
GOLD_SRC  := $(wildcard tests/golden/*_test.c)
GOLD      := $(GOLD_SRC:tests/%.c=$(B)/tests/%)
FUZZ_SRC  := $(wildcard tests/fuzz/*_fuzz.c)
FUZZ      := $(FUZZ_SRC:tests/%.c=$(B)/tests/%)
RACE      := $(if $(filter tsan,$(VARIANT)),$(B)/tests/tsan/race)
BENCH_SRC := $(wildcard tests/bench/bench_*.c)
BENCH     := $(BENCH_SRC:tests/%.c=$(B)/tests/%)
TEST_SUPPORT := $(filter-out $(WIRE_SRC) $(CASE_SRC) $(GOLD_SRC) $(FUZZ_SRC) $(BENCH_SRC) tests/fuzz/replay.c,\
                 $(wildcard tests/wire/*.c tests/cases/*.c tests/golden/*.c tests/bench/*.c tests/support/*.c))
SUPPORT_OBJ  := $(TEST_SUPPORT:%.c=$(B)/obj/%.o)

.PHONY: all
all: $(PROGRAMS:%=$(B)/bin/%)

$(B)/bin/miji-milter:  $(B)/obj/milter/daemon/main.o  $(B)/libmiji.a
$(B)/bin/miji-inspect: $(B)/obj/milter/inspect/main.o $(B)/libmiji.a
$(B)/bin/miji:         $(B)/obj/milter/cli/main.o     $(B)/libmiji.a
$(PROGRAMS:%=$(B)/bin/%): $(WRAP_OBJ) $(EXIT_OBJ) $(B)/link.list
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) $(EXIT_OBJ:%=-Wl,--wrap=_exit) -o $@ $(filter %.o %.a,$^) $(PKG_LIBS)

$(B)/libmiji.a: $(LIB_OBJ) $(B)/libmiji.list
	@rm -f $@
	$(AR) rcs $@ $(LIB_OBJ)

$(B)/libtest.a: $(SUPPORT_OBJ) $(B)/libtest.list
	@rm -f $@
	$(AR) rcs $@ $(SUPPORT_OBJ)

# Files that change when what they say does: other options compile anew, a source that is gone leaves the library.
$(B)/compile.list: SAYS = $(CC) $(filter-out -Werror,$(CPPFLAGS) $(CFLAGS))
$(B)/link.list:    SAYS = $(CC) $(LDFLAGS) $(PKG_LIBS)
$(B)/libmiji.list: SAYS = $(LIB_OBJ)
$(B)/libtest.list: SAYS = $(SUPPORT_OBJ)
$(B)/%.list: .FORCE
	@mkdir -p $(@D)
	@echo '$(SAYS)' | cmp -s - $@ || echo '$(SAYS)' >$@
.PHONY: .FORCE
.FORCE:

$(B)/obj/%.o: %.c $(B)/compile.list
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

TEST_LIBS = $(if $(SUPPORT_OBJ),$(B)/libtest.a) $(B)/libmiji.a
$(UNIT) $(WIRE) $(CASE) $(GOLD) $(BENCH) $(RACE): $(B)/tests/%: $(B)/obj/tests/%.o $(if $(SUPPORT_OBJ),$(B)/libtest.a) $(B)/libmiji.a $(WRAP_OBJ) \
    $(B)/link.list
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(WRAP_OBJ) $(TEST_LIBS) $(PKG_LIBS)

# Preloaded into the daemon by the wire tests: what libmilter says to syslog.
SPY := $(B)/tests/wire/syslog_spy.so
$(SPY): tests/wire/preload/syslog_spy.c
	@mkdir -p $(@D)
	$(CC) -O2 -g -std=gnu11 $(WARN) $(WERROR) -fPIC -shared -o $@ $<
$(WIRE): | $(SPY)

# Preloaded into tests of what lasts: every call that changes a file, and which of them fail.
DISK_SPY := $(B)/tests/support/disk_spy.so
$(DISK_SPY): tests/support/preload/disk_spy.c tests/support/preload/disk_spy.h
	@mkdir -p $(@D)
	$(CC) -O2 -g -std=gnu11 $(WARN) $(WERROR) -I. -fPIC -shared -o $@ $<
$(B)/tests/unit/milter/store/cut_test $(B)/tests/unit/milter/store/log_file_test: | $(DISK_SPY)

# Fuzz targets define LLVMFuzzerTestOneInput; with replay.c they run a corpus, with clang they fuzz.
$(FUZZ): $(B)/tests/%: $(B)/obj/tests/%.o $(B)/obj/tests/fuzz/replay.o $(B)/libmiji.a $(WRAP_OBJ) $(B)/link.list
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(PKG_LIBS)

.PHONY: fuzz-%
fuzz-%:
	@mkdir -p .build/fuzz/corpus-$*
	clang -g -O1 -std=gnu11 -fsanitize=fuzzer,address,undefined -w $(CPPFLAGS) -o .build/fuzz/$* \
	    tests/fuzz/$*_fuzz.c $(filter-out milter/cli/%,$(LIB_SRC)) $(PKG_LIBS)
	G_SLICE=always-malloc .build/fuzz/$* -max_total_time=$(or $(SECONDS),60) -timeout=10 \
	    .build/fuzz/corpus-$* tests/fuzz/corpus/$*

# ---------------------------------------------------------------- tests
TESTS := $(UNIT) $(GOLD) $(CASE) $(FUZZ) $(WIRE)
# Those of number 0 are about the build and the tools of the tests, not about Miji's programs: once is enough.
SYSTEM := $(filter-out $(if $(filter default,$(VARIANT)),,tests/system/0%),$(wildcard tests/system/*.t)) \
          $(if $(RACE),tests/tsan/wrap.t)

.PHONY: check check-fast check-asan check-tsan cov tests
check: as-root
	@$(MAKE) --no-print-directory WERROR=-Werror lint check-run

tests: all $(TESTS) $(RACE)

.PHONY: check-run
check-run: tests $(if $(filter default,$(VARIANT)),fault)
	tests/prove $(B) $(TESTS) $(SYSTEM)

# The programs that crash where tests want it: those of the other variants do so themselves.
.PHONY: fault
fault:
	@$(MAKE) --no-print-directory VARIANT=fault all

# Everything but the tests that start Postfix and slapd.
check-fast: tests
	tests/prove $(B) $(TESTS)

check-asan check-tsan: as-root
	@$(MAKE) --no-print-directory VARIANT=$(@:check-%=%) WERROR=-Werror check-run

# The lines that the tests run, for each folder. What earlier runs have counted is forgotten; the books lie open for the daemon, which
# is another user when it writes into them.
cov:
	@$(MAKE) --no-print-directory VARIANT=cov tests
	@find .build/cov -name '*.gcno' | sed 's/gcno$$/gcda/' | while read -r f; do : >"$$f"; chmod 666 "$$f"; done
	@$(MAKE) --no-print-directory VARIANT=cov check-fast; failed=$$?; find .build/cov -name '*.gcda' -empty -delete; \
	    tests/coverage .build/cov; exit $$failed

.PHONY: golden-update
golden-update: $(GOLD)
	for t in $(GOLD); do MIJI_GOLDEN_UPDATE=1 $$t >/dev/null; done; true

.PHONY: bench
bench: deps
	@$(MAKE) --no-print-directory bench-run
.PHONY: bench-run
bench-run: all $(BENCH)
	tests/bench/run $(B)

# ---------------------------------------------------------------- for people
.PHONY: deps as-root demo lint compdb install clean
deps:
	@contrib/deps/install

# For what starts a Postfix: said before anything is installed or built.
as-root:
	@[ "$$(id -u)" -eq 0 ] || \
	    { echo '$(MAKECMDGOALS): Postfix can only be started by root: run it as root, or through sudo' >&2; exit 1; }
	@contrib/deps/install

demo: as-root
	@$(MAKE) --no-print-directory -s all
	@contrib/demo/run $(B)

lint:
	@tests/lint/run

compdb:
	@mkdir -p .build
	@{ comma='['; for f in $(SOURCES) $(sort $(wildcard tests/*/*.c tests/unit/*/*.c tests/unit/*/*/*.c)); do \
	  printf '%s\n{"directory": "%s", "file": "%s", "command": "%s %s"}' "$$comma" '$(CURDIR)' "$$f" \
	    '$(subst ",\",$(subst \,\\,$(CC) $(CPPFLAGS) $(CFLAGS) -c))' "$$f"; comma=,; done; echo; echo ']'; \
	} >.build/compile_commands.json
	@echo .build/compile_commands.json

# What goes where below PREFIX. Texts name the place of the scheme files and of the programs, by default /usr/local.
INSTALL_PROGRAMS := sbin:$(B)/bin/miji-milter sbin:$(B)/bin/miji-inspect bin:$(B)/bin/miji
INSTALL_TEXTS    := $(patsubst %,share/miji/schemes:%,$(wildcard policy/schemes/*.scheme)) \
                    $(patsubst %,share/miji/ldap-schema:%,$(wildcard ldap-schema/*)) \
                    share/man/man1:milter/cli/miji.1 share/man/man5:milter/conf/miji.conf.5 \
                    share/man/man5:policy/label/miji.scheme.5 share/man/man8:milter/daemon/miji-milter.8 \
                    lib/systemd/system:contrib/systemd/miji.service
.PHONY: uninstall
install: all
	@set -eu; to='$(DESTDIR)$(PREFIX)'; \
	for item in $(INSTALL_PROGRAMS); do \
	    install -D -m 0755 "$${item#*:}" "$$to/$${item%%:*}/$${item##*/}"; done; \
	for item in $(INSTALL_TEXTS); do \
	    file="$$to/$${item%%:*}/$${item##*/}"; install -D -m 0644 "$${item#*:}" "$$file"; \
	    sed 's|/usr/local/|$(PREFIX)/|g' "$${item#*:}" >"$$file"; done
	@echo 'installed below $(DESTDIR)$(PREFIX)'

uninstall:
	@for item in $(INSTALL_PROGRAMS) $(INSTALL_TEXTS); do rm -f '$(DESTDIR)$(PREFIX)'/"$${item%%:*}/$${item##*/}"; done
	@for folder in schemes ldap-schema ''; do \
	    rmdir '$(DESTDIR)$(PREFIX)'/share/miji/$$folder 2>/dev/null || true; done

# A demo's lab may lie below /tmp, with a link to it (contrib/lab/Lab.pm).
clean:
	@for lab in .build/demo .build/*/demo; do \
	    place=$$(readlink $$lab); case $$place in /tmp/miji-lab-*/*) ;; /tmp/miji-lab-*) rm -rf "$$place" ;; esac; \
	done
	rm -rf .build

.PRECIOUS: $(B)/obj/%.o
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
