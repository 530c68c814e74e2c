# SPDX-License-Identifier: GPL-2.0-only
# For a Makefile whose programs use tests/lib: link them with $(LIBTESTS), and
# compile them with $(LIBTESTS_CFLAGS). Include it after scripts/place.mk.

LIBTESTS := $(TOP)/build/tests/libtests.a
LIBTESTS_CFLAGS := -I$(TOP)/tests/lib

$(LIBTESTS): FORCE
	@$(MAKE) -s -C $(TOP)/tests/lib

.PHONY: FORCE
# The first goal is still to come.
.DEFAULT_GOAL :=
