# SPDX-License-Identifier: GPL-2.0-only
# The verbs. What is built is said in Kbuild and module/Kbuild, how kernels and
# guests come about in scripts/. `make help` lists what there is.

include scripts/place.mk

# Which kernel to build for: KDIR (a folder with a kernel's build files) if it
# is given, else KERNEL (a name that scripts/kernel knows), else the running
# kernel if its headers are installed, else the kernel of the test VM.
RUNNING := /lib/modules/$(shell uname -r)/build
ifndef KDIR
ifndef KERNEL
ifneq ($(wildcard $(RUNNING)),)
KDIR := $(RUNNING)
else
KERNEL := stock
endif
endif
endif

# For a KERNEL the module is built in a folder of links, so that several
# kernels' objects do not meet.
ifdef KDIR
OUT := $(CURDIR)
else
OUT := $(CURDIR)/build/$(KERNEL)
# Asked when a recipe runs, by then the kernel is there.
KDIR := $$(scripts/kernel path $(KERNEL) build)
ARCHFLAG := $(if $(filter uml native,$(KERNEL)),ARCH=um)
endif

SOURCES := Kbuild uapi/linux/evfd.h module/Kbuild samples/Kbuild \
	   $(filter-out %.mod.c,$(wildcard module/*.[ch] samples/*.[ch]))
KBUILD = $(MAKE) -C $(KDIR) M=$(OUT) $(ARCHFLAG)

PREFIX ?= /usr/local

.PHONY: all modules samples modules_install install clean demo test test-all test-kernel check verify bench clients fuzz tour matrix stress lab mutants coverage help

all: modules

modules:
ifdef KERNEL
	@scripts/deps build
	@scripts/kernel get $(KERNEL)
	@mkdir -p $(addprefix $(OUT)/,$(sort $(dir $(SOURCES))))
	@$(foreach f,$(SOURCES),ln -sf $(CURDIR)/$f $(OUT)/$f &&) true
endif
	+@flock $(OUT) $(KBUILD) modules
	@echo "evfd.ko is $(OUT)/module/evfd.ko" >&2

# The same, with the modules that show how to use it from inside the kernel.
samples:
	+@$(MAKE) --no-print-directory EVFD_SAMPLES=m modules
	@echo "the samples are $(OUT)/samples/*.ko" >&2

modules_install:
	+$(KBUILD) modules_install

install: modules_install
	install -D -m 644 uapi/linux/evfd.h \
		$(DESTDIR)$(PREFIX)/include/linux/evfd.h

clean:
	+@if [ -e module/evfd.o ]; then $(MAKE) -C $(KDIR) M=$(CURDIR) clean; fi
	rm -rf build

demo:
	@demo/run

test:
	@scripts/test

test-all:
	@scripts/test --all

test-kernel:
	@scripts/test --kernel $(or $(KERNEL),stock)

check:
	@scripts/check

verify:
	@proof/run

clients:
	@tests/clients/run

matrix:
	@tests/matrix/run

T ?= 60
fuzz:
	@tests/fuzz/run --time $(T)

tour:
	@tour/run $(CHAPTER)

stress:
	@tests/stress/run --time $(T)

lab:
	@labs/run $(N) $(if $(HINT),--hint $(HINT),$(if $(CHECK),--check,\
		$(if $(SOLUTION),--solution,$(if $(RESET),--reset))))

mutants:
	@tests/mutants/run

coverage:
	@tests/coverage/run

bench:
	@QUICK=$(QUICK) bench/run

help:
	@echo 'make [modules]        build evfd.ko, for KDIR=, KERNEL= or the running kernel'
	@echo 'make install          install the module and its header (INSTALL_MOD_PATH=,'
	@echo '                      DESTDIR=, PREFIX= as usual); modules_install: only the module'
	@echo 'make samples          evfd.ko and the modules of samples/, which use it'
	@echo 'make clean            remove everything that was built here'
	@echo 'make demo             see it work: nine small programs in a test VM'
	@echo 'make tour [CHAPTER=N] how it works inside, watched while it does'
	@echo 'make lab N=1          twelve bugs to find; HINT=1, CHECK=1, see labs/README.md'
	@echo 'make test             the tests, on a stock kernel and on a debug kernel'
	@echo 'make test-all         and those that take long: what CI runs'
	@echo 'make test-kernel KERNEL=NAME  those that run on any kernel, on that one'
	@echo 'make check            checkpatch, sparse, kernel-doc, the header, shellcheck'
	@echo 'make verify           prove the barriers (herd7) and the waiting (spin)'
	@echo 'make bench            evfd beside eventfd(2), at most 10 minutes; QUICK=1: one'
	@echo 'make fuzz T=60        look for differences from eventfd(2) with random calls'
	@echo 'make stress T=60      everything at once: counts, wakeups and memory are kept'
	@echo 'make mutants          break the module on purpose: the tests have to notice'
	@echo 'make coverage         which lines and branches of the module the tests run'
	@echo 'make clients          programs written for eventfd(2), run on evfd'
	@echo 'make matrix           build and test on every kernel that a user may have'
	@echo 'scripts/vm --help     run anything in a VM with the module loaded'
	@echo 'scripts/kernel list   the kernels that there are'
	@echo 'W=1, C=1, LLVM=1, ARCH=, CROSS_COMPILE= are handed to kbuild.'
