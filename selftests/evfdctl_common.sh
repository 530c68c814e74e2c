# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What evfdctl_test.sh and evfdctl_trace_test.sh share. A test is a function
# test_*, in which expect and check say what has to be; each is run in a subshell.

# So that json, at the end of a pipe, can set wrong.
shopt -s lastpipe

here=$(cd "$(dirname "$0")" && pwd)
ctl=${EVFDCTL:-$(cd "$here/.." && pwd)/ctl/evfdctl}
export ctl
# shellcheck source=/dev/null # the kernel's
. "$here/ktap_helpers.sh"

fault() {	# TEXT...: this is not as it should be
	printf '%s\n' "$@" | sed 's/^/# /'
	wrong=1
}

# expect STATUS TEXT COMMAND...: TEXT is a pattern for all that it prints.
expect() {
	local status=$1 text=$2 got=0 said
	shift 2
	said=$("$@" 2>&1) || got=$?
	# shellcheck disable=SC2053 # a pattern
	[[ $got = "$status" && $said = $text ]] ||
		fault "$*" "status $got, not $status; it prints" "$said" "and not" "$text"
}

check() {	# COMMAND...: it has to succeed
	"$@" || fault "failed: $*"
}

wait_for() {	# COMMAND...: until it succeeds
	local i
	for ((i = 0; i < 2000; i++)); do
		! "$@" || return 0
		sleep 0.01
	done
	fault "waited in vain for: $*"
}

# json PROGRAM: Python, in which lines are those of the input, read as JSON.
json() {
	/usr/bin/python3 -S -E -c "import json, sys
lines = [json.loads(l) for l in sys.stdin]
$1" 2>&1 | sed 's/^/# /'
	[[ "${PIPESTATUS[0]}" = 0 ]] || wrong=1
}

named() {	# NAME: a bash of this name, in $bash
	bash=$(mktemp -d)/$1
	ln -s /bin/bash "$bash"
}

nobody() {	# COMMAND...: as an ordinary user
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

run_test() {
	(
		wrong=0
		"$1" </dev/null
		exit $wrong
	)
}

run_tests() {	# [NAME...]: all, or these
	local tests name
	mapfile -t tests < <(compgen -A function test_)
	(($#)) && tests=("${@/#/test_}")
	ktap_print_header
	ktap_set_plan ${#tests[@]}
	for name in "${tests[@]}"; do
		ktap_test_result "${name#test_}" run_test "$name"
	done
	ktap_finished
}

if ! "$ctl" --help >/dev/null; then
	echo "Bail out! cannot run $ctl; type: make -C selftests"
	exit 1
fi
