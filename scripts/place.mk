# SPDX-License-Identifier: GPL-2.0-only
# Included first by every Makefile: TOP is this tree, which scripts/place may
# refuse.
TOP := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)
place := $(shell $(dir $(lastword $(MAKEFILE_LIST)))place 2>&1)
ifneq ($(place),)
$(error $(place))
endif
