# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Bash completion for evfdctl: commands, options, ids, processes and events.
_evfdctl()
{
	local word=$2 before=$3 command=${COMP_WORDS[1]} words=''

	if ((COMP_CWORD == 1)); then
		words="ls info watch trace run add take wait --help"
	elif [[ $word = -* ]]; then
		case $command in
		ls) words="--id --json --pid" ;;
		info) words="--json" ;;
		watch) words="--count --id --interval --json --pid" ;;
		trace) words="--count --event --id --json --output --pid" ;;
		run) words="--fd --initval --nonblock --semaphore" ;;
		add | take | wait) words="--fd --timeout" ;;
		esac
	else
		case $command,$before in
		ls,-i | watch,-i | trace,-i | *,--id)
			words=$(evfdctl ls 2>/dev/null | awk 'NR > 1 { print $3 }') ;;
		*,-p | *,--pid | info,info)
			words=$(evfdctl ls 2>/dev/null | awk 'NR > 1 { print $1 }') ;;
		*,-e | *,--event)
			words="block create defer fault poll read release retry"
			words+=" signal wake write" ;;
		run,-[fi] | run,--fd | run,--initval | trace,-n | trace,--count)
			;;
		*,-o | *,--output)
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			return ;;
		run,* | trace,*)
			mapfile -t COMPREPLY < <(compgen -c -- "$word")
			return ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
} &&
complete -o default -F _evfdctl evfdctl
