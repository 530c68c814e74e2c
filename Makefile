# SPDX-License-Identifier: GPL-2.0-only
# The verbs, which `make help` lists. Kbuild and module/Kbuild say what is built; the
# other verbs call the rooms' run, or scripts/.

include scripts/place.mk

# The kernel to build for: KDIR (a folder with a kernel's build files), else KERNEL (a
# name of scripts/kernel), else the running kernel if its headers are installed, else
# the stock kernel of the test VM.
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

# Each KERNEL has a folder of links, so that the objects of several do not mix.
ifdef KDIR
OUT := $(CURDIR)
else
OUT := $(CURDIR)/build/$(KERNEL)
# Expanded when a recipe runs: by then the kernel is ready.
KDIR := $$(scripts/kernel path $(KERNEL) build)
ARCHFLAG := $(if $(filter uml native,$(KERNEL)),ARCH=um)
endif

SOURCES := Kbuild uapi/linux/evfd.h module/Kbuild samples/Kbuild \
	   $(filter-out %.mod.c,$(wildcard module/*.[ch] samples/*.[ch]))
KBUILD = $(MAKE) -C $(KDIR) M=$(OUT) $(ARCHFLAG)

# A staged install stages the modules, too.
INSTALL_MOD_PATH ?= $(DESTDIR)
export INSTALL_MOD_PATH

VERBS := all modules samples modules_install install clean demo test test-all \
	 test-kernel check verify bench clients fuzz tour matrix stress lab mutants \
	 coverage help
VERBS += tools uninstall sign dist deb
.PHONY: $(VERBS)

# ---- the variables that a verb takes, as NAME=VALUE ----

# For the verb alone.
$(foreach v,test test-all test-kernel check verify clients matrix mutants,\
	$(eval only-$v := ONLY))
only-fuzz := T SEED
only-stress := T SEED
only-tour := CHAPTER
only-lab := N HINT CHECK SOLUTION RESET
only-bench := QUICK

# Passed on to every make below it: the kernel, and what Kbuild knows.
kbuild := KERNELRELEASE W C V CC LLVM LLVM_IAS CHECK CF KCFLAGS KAFLAGS KCPPFLAGS \
	  ARCH CROSS_COMPILE LD AR NM STRIP OBJCOPY OBJDUMP READELF HOSTCC HOSTLD \
	  KBUILD_% CONFIG_% GCOV_PROFILE EVFD_SAMPLES OUT
$(foreach v,all modules samples modules_install install clean,\
	$(eval also-$v := KDIR KERNEL $(kbuild)))
also-modules_install += INSTALL_MOD_%
also-install += INSTALL_MOD_% DESTDIR PREFIX INSTALL
also-test := W V CC LLVM
also-test-all := $(also-test)
$(foreach v,test-kernel demo fuzz stress,$(eval also-$v := KERNEL $(also-test)))
also-tools := $(kbuild) PREFIX LIBDIR
also-install += LIBDIR
also-uninstall := $(also-install)
only-sign := KEY CERT
also-sign := KDIR KERNEL $(kbuild)

# For all verbs, as in the environment.
anywhere := HOME PATH SHELL TMPDIR XDG_CACHE_HOME EVFD_MIRROR EVFD_SKIP_DEPS

goals := $(or $(MAKECMDGOALS),all)
given := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$v))
ours := $(foreach g,$(goals),$(only-$g))
$(foreach g,$(filter $(VERBS),$(goals)),$(foreach v,\
	$(filter-out $(only-$g) $(also-$g) $(anywhere),$(given)),\
	$(error make $g does not take $v=$(if $(only-$g)$(also-$g),; it takes \
		$(if $(filter ARCH,$(also-$g)),$(filter-out $(kbuild),$(also-$g)) \
		and what kbuild does,$(only-$g) $(also-$g))))))

# make passes its variables on to every make below it; keep the verb's own here.
empty :=
space := $(empty) $(empty)
MAKEOVERRIDES := $(foreach v,$(filter-out $(ours),$(given)),\
	$v=$(subst $(space),\ ,$(subst \,\\,$(value $v))))
unexport $(ours)

# ---- the verbs ----

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

# evfd.ko and the modules of samples/.
samples:
	+@$(MAKE) --no-print-directory EVFD_SAMPLES=m modules
	@echo "the samples are $(OUT)/samples/*.ko" >&2

# modules_install skips depmod without System.map, which Debian's headers lack. A
# staged folder without modules.dep stays without.
MODLIB = $(INSTALL_MOD_PATH)/lib/modules/$$($(KBUILD) -s --no-print-directory kernelrelease)
define depmod
	@dir="$(MODLIB)" && $(if $(INSTALL_MOD_PATH),{ [ ! -e "$$dir/modules.dep" ] || \
		depmod -b $(INSTALL_MOD_PATH) "$${dir##*/}"; },depmod "$${dir##*/}")
endef

modules_install:
	+$(KBUILD) modules_install
	$(depmod)

# libevfd, evfd-run and evfdctl. kbuild alone derives CC from CROSS_COMPILE.
TOOLS = $(if $(CROSS_COMPILE),CC=$(CROSS_COMPILE)gcc AR=$(CROSS_COMPILE)ar)
tools:
	+@for tool in lib run ctl; do $(MAKE) -s -C tools/$$tool $(TOOLS) || exit; done

install: modules_install
	+@for tool in lib run ctl; do $(MAKE) -C tools/$$tool $(TOOLS) install || exit; done

uninstall:
	@lib="$(MODLIB)"; for dir in extra updates $(INSTALL_MOD_DIR); do \
		rm -f "$$lib/$$dir"/module/evfd.ko* "$$lib/$$dir"/module/evfd_kunit.ko* \
			"$$lib/$$dir"/samples/evfd_*.ko*; \
		rmdir --ignore-fail-on-non-empty "$$lib/$$dir"/module \
			"$$lib/$$dir"/samples "$$lib/$$dir" 2>/dev/null; done; true
	$(depmod)
	+@for tool in lib run ctl; do $(MAKE) -C tools/$$tool uninstall || exit; done

sign:
	@scripts/sign "$(KDIR)" $(OUT)/module/evfd.ko '$(KEY)' '$(CERT)'

dist:
	@scripts/dist

deb:
	@scripts/deb

clean:
	+@if [ -e module/evfd.o ]; then $(MAKE) -C $(KDIR) M=$(CURDIR) clean; fi
	rm -rf build

demo:
	@demo/run --kernel $(or $(KERNEL),stock)

test:
	@scripts/test $(ONLY:%='%')

test-all:
	@scripts/test --all $(ONLY:%='%')

test-kernel:
	@scripts/test --kernel $(or $(KERNEL),stock) $(ONLY:%='%')

check:
	@scripts/check $(ONLY:%='%')

verify:
	@proof/run $(ONLY:%='%')

clients matrix mutants:
	@tests/$@/run $(ONLY:%='%')

fuzz stress:
	@tests/$@/run $(T:%=--time %) $(SEED:%=--seed %) $(KERNEL:%=--kernel %)

tour:
	@tour/run $(CHAPTER)

lab:
	@labs/run $(N) $(if $(HINT),--hint $(HINT),$(if $(CHECK),--check,\
		$(if $(SOLUTION),--solution,$(if $(RESET),--reset))))

coverage:
	@tests/coverage/run

bench:
	@QUICK=$(QUICK) bench/run

help:
	@echo 'make [modules]        build evfd.ko, for KDIR=, KERNEL= or the running kernel'
	@echo 'make install          install the module, the library and the programs (DESTDIR=,'
	@echo '                      PREFIX=, LIBDIR=, INSTALL_MOD_PATH= as usual);'
	@echo '                      modules_install: only the module'
	@echo 'make uninstall        remove what install put there, given the same words'
	@echo 'make tools            build libevfd, evfd-run and evfdctl, which install needs'
	@echo 'make sign KEY= CERT=  sign evfd.ko, for a kernel that insists on it (Secure Boot)'
	@echo 'make dist             the sources as build/evfd-VERSION.tar.gz'
	@echo 'make deb              Debian packages, in build/deb'
	@echo 'make samples          evfd.ko and the modules of samples/, which use it'
	@echo 'make clean            remove everything that was built here'
	@echo 'make demo             nine small programs, in a test VM'
	@echo 'make tour [CHAPTER=N] how it works inside, in traces of real runs'
	@echo 'make lab N=1          twelve bugs to find; HINT=1, CHECK=1, see labs/README.md'
	@echo 'make test             the tests, on a stock kernel and in User Mode Linux'
	@echo 'make test-all         all tests, also on debug kernels, as CI runs them'
	@echo 'make test-kernel KERNEL=NAME  the tests that run on any kernel, on this one'
	@echo 'make check            checkpatch, sparse, kernel-doc, the header, shellcheck'
	@echo 'make verify           prove the barriers (herd7) and the waiting (spin)'
	@echo 'make clients          programs written for eventfd(2), run on evfd'
	@echo 'make matrix           build and test on every kernel that a user may have'
	@echo 'make mutants          break the module on purpose: do the tests fail?'
	@echo '    ONLY="A B-*"      of each of these, only the suites, checks, proofs, clients,'
	@echo '                      rows or mutants that one of the patterns matches'
	@echo 'make coverage         the lines and branches of the module that the tests run'
	@echo 'make bench            evfd beside eventfd(2), at most 10 minutes; QUICK=1: one'
	@echo 'make fuzz             look for differences from eventfd(2) with random calls'
	@echo 'make stress           all operations at once: is a count, wakeup or byte lost?'
	@echo '    T=60 SEED=1       of these two, the seconds and the first seed'
	@echo '    KERNEL=NAME       of demo, fuzz and stress, the kernel (stock)'
	@echo 'scripts/vm --help     run anything in a VM with the module loaded'
	@echo 'scripts/kernel list   the names of the kernels'
	@echo
	@echo 'W=1, C=1, LLVM=1, ARCH=, CROSS_COMPILE= and the like are passed to kbuild. In'
	@echo 'the environment: XDG_CACHE_HOME, the folder for kernels (~/.cache);'
	@echo 'EVFD_MIRROR, a mirror of Debian instead of the one of this host; EVFD_SKIP_DEPS=1,'
	@echo 'do not look for Debian packages.'
