# SPDX-License-Identifier: GPL-2.0-only
# The verbs. What is built is said in Kbuild and module/Kbuild, how kernels and
# guests come about in scripts/. `make help` lists what there is.

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

SOURCES := Kbuild uapi/linux/evfd.h module/Kbuild \
	   $(filter-out %.mod.c,$(wildcard module/*.[ch]))
KBUILD = $(MAKE) -C $(KDIR) M=$(OUT) $(ARCHFLAG)

PREFIX ?= /usr/local

.PHONY: all modules modules_install install clean demo test check verify bench clients fuzz help

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

modules_install:
	+$(KBUILD) modules_install

install: modules_install
	install -D -m 644 uapi/linux/evfd.h \
		$(DESTDIR)$(PREFIX)/include/linux/evfd.h

clean:
	+@if [ -e module/evfd.o ]; then $(MAKE) -C $(KDIR) M=$(CURDIR) clean; fi
	rm -rf build

demo:
	@scripts/deps build vm demo
	@$(MAKE) -s --no-print-directory KERNEL=stock modules
	@$(MAKE) -s -C demo
	@scripts/vm run --root host -- demo/run

test:
	@scripts/test

check:
	@scripts/check

verify:
	@scripts/verify

clients:
	@scripts/clients

T ?= 60
fuzz:
	@scripts/fuzz --time $(T)

bench:
	@QUICK=$(QUICK) scripts/bench

help:
	@echo 'make [modules]        build evfd.ko, for KDIR=, KERNEL= or the running kernel'
	@echo 'make install          install the module and its header (INSTALL_MOD_PATH=,'
	@echo '                      DESTDIR=, PREFIX= as usual); modules_install: only the module'
	@echo 'make clean            remove everything that was built here'
	@echo 'make demo             see it work: nine small programs in a test VM'
	@echo 'make test             KUnit (User Mode Linux) and kselftests (QEMU)'
	@echo 'make check            checkpatch, sparse, kernel-doc, the header, shellcheck'
	@echo 'make verify           prove the barriers (herd7) and the waiting (spin)'
	@echo 'make bench            evfd beside eventfd(2), at most 10 minutes; QUICK=1: one'
	@echo 'make fuzz T=60        look for differences from eventfd(2) with random calls'
	@echo 'make clients          programs written for eventfd(2), run on evfd'
	@echo 'scripts/vm --help     run anything in a VM with the module loaded'
	@echo 'scripts/kernel list   the kernels that there are'
	@echo 'W=1, C=1, LLVM=1, ARCH=, CROSS_COMPILE= are handed to kbuild.'
