# SPDX-License-Identifier: GPL-2.0-only
# Included first by every Makefile: sets TOP to this tree, or ends make where
# scripts/place refuses it.
TOP := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)
place := $(shell $(dir $(lastword $(MAKEFILE_LIST)))place 2>&1)
ifneq ($(place),)
$(error $(place))
endif
# Pages of the manual as words of FILES, see install.mk.
man = $(foreach p,$1,644:$p:$(PREFIX)/share/man/man$(subst .,,$(suffix $p))/$(notdir $p))
# The one place that says it.
VERSION = $(shell sed -n 's/^MODULE_VERSION("\(.*\)");$$/\1/p' $(TOP)/module/dev.c)
