# SPDX-License-Identifier: GPL-2.0-only
# install and uninstall, included last by the Makefiles of tools/. Both read the same
# lists, so uninstall removes exactly the files that install makes:
#
#	FILES	words MODE:SOURCE:DESTINATION
#	LINKS	words TARGET:LINK
#	DIRS	folders for evfd alone, which uninstall removes if they are empty

word-of = $(word $1,$(subst :, ,$2))
define install-file
	install -D -m $(call word-of,1,$1) $(call word-of,2,$1) $(DESTDIR)$(call word-of,3,$1)

endef
define install-link
	ln -sf $(call word-of,1,$1) $(DESTDIR)$(call word-of,2,$1)

endef

install: all
	$(foreach f,$(FILES),$(call install-file,$f))
	$(foreach l,$(LINKS),$(call install-link,$l))

uninstall:
	rm -f $(foreach f,$(FILES),$(DESTDIR)$(call word-of,3,$f)) \
		$(foreach l,$(LINKS),$(DESTDIR)$(call word-of,2,$l))
	$(foreach d,$(DIRS),[ ! -d $(DESTDIR)$d ] || \
		rmdir --ignore-fail-on-non-empty $(DESTDIR)$d;)

.PHONY: install uninstall
