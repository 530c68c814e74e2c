# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Bash completion for evfd-run: its options, then a program and its files.
_evfd_run()
{
	if [[ $2 = -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "--preload --supervise --help" -- "$2")
	elif ((COMP_CWORD == 1)) || [[ $3 = -* ]]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$2")
	fi
} &&
complete -o default -F _evfd_run evfd-run
