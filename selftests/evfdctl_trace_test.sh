#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# evfdctl trace: that each event is shown as it was, in order and with the task
# that did it; that the filters let through what they should; and that nothing of
# it is left in tracefs, however it ends.
#
# Not for run_tests: to switch tracepoints on can crash QEMU with two CPUs, so it
# wants a guest with one (docs/vm.md).
# shellcheck disable=SC2016,SC2154,SC2317 # for another shell; of the other file;
# called by name
set -u
# shellcheck source=/dev/null
. "$(dirname "$0")/evfdctl_common.sh"

tracefs=/sys/kernel/tracing

nothing_is_left() {
	local left
	left=$(ls $tracefs/instances)
	[[ ! $left ]] || fault "left in tracefs: $left"
}

# start OPTION...: trace in the background, as $tracer; what it prints in $out
start() {
	out=$(mktemp)
	"$ctl" trace "$@" >"$out" 2>&1 &
	tracer=$!
	instance=$tracefs/instances/evfdctl-$tracer
	wait_for grep -qs '[1X]' "$instance/events/evfd/enable"
}

# The events of a trace: without the title, times, and numbers that vary.
events() {
	sed -n '2,$s/^ *[0-9.]* *[0-9.]* *[0-9]* *\(.*\)-[0-9]*  */\1 /p' |
		sed 's/ id=[0-9]*//; s/  */ /g'
}

test_a_command() {
	local said
	said=$("$ctl" trace -o /dev/stdout "$ctl" run -i 3 bash -c \
		'$ctl take >/dev/null; $ctl add 5; $ctl wait; :' | events)
	[[ $said = 'evfdctl create count=3 flags=0
evfdctl read n=3 count=0
evfdctl write n=5 count=5
evfdctl poll events=IN|OUT waits=1
bash release count=5' ]] || fault "$said"
	nothing_is_left
	expect 5 '*' "$ctl" trace -- "$ctl" run sh -c 'exit 5'
	expect 143 '*' "$ctl" trace -- sh -c 'kill $$'
	expect 127 '*evfdctl: /no/such: No such file*' "$ctl" trace /no/such
	expect 126 '*evfdctl: /: Permission denied' "$ctl" trace /
	nothing_is_left
}

test_who_waits_and_who_wakes() {
	local said
	said=$("$ctl" trace -e block,wake,write,read -o /dev/stdout "$ctl" run -s bash -c '
		$ctl take >/dev/null &
		until grep -q "^evfd-readers: 1" /proc/$$/fdinfo/$EVFD_FD; do :; done
		$ctl add 2; wait' | events)
	[[ $said = 'evfdctl block queue=readers n=1
evfdctl write n=2 count=2
evfdctl wake queue=readers nr=2 why=readable
evfdctl read n=1 count=1' ]] || fault "$said"
}

test_times_and_names() {
	local bash
	named $'a"\n\xff b'
	"$ctl" trace --json -o /dev/stdout "$ctl" run "$bash" -c '
		for i in {1..5}; do printf %-8s $i >&$EVFD_FD; done; :' | json '
create, *writes, release = lines
assert create["event"] == "create" and create["comm"] == "evfdctl"
assert create["count"] == 0 and create["flags"] == "0"
assert release["event"] == "release" and release["count"] == writes[-1]["count"]
assert release["comm"] == "a\"\n\ufffd b", release
assert len(writes) == 5
assert all(w["event"] == "write" and w["tid"] == create["tid"] for w in writes)
assert all(w["comm"] == "a\"\n\ufffd b" for w in writes), writes
assert all(l["id"] == create["id"] and l["cpu"] == 0 for l in lines)
times = [l["time"] for l in lines]
assert times == sorted(times) and 0 < times[-1] - times[0] < 100
count = 0
for i, w in enumerate(writes):
  n = int.from_bytes(b"%-8d" % (i + 1), "little")
  assert n == w["n"], (i, n, w)
  count += n
  assert count == w["count"]'
}

test_count() {
	local said
	start --count 3
	"$ctl" run bash -c '$ctl add 1; $ctl add 2; $ctl add 3; $ctl add 4'
	wait $tracer || fault "status $?"
	said=$(events <"$out")
	[[ $said = 'evfdctl create count=0 flags=0
evfdctl write n=1 count=1
evfdctl write n=2 count=3' ]] || fault "$said"
	nothing_is_left
}

test_by_id() {
	local said
	said=$("$ctl" run -f 8 bash -c '
		id=$(sed -n "s/^evfd-id: //p" /proc/$$/fdinfo/8)
		$ctl trace -i $id -o /dev/stdout $ctl run -f 9 bash -c "
			$ctl add -f 8 10; $ctl add -f 9 5; $ctl add -f 8 20"; :' | events)
	[[ $said = 'evfdctl write n=10 count=10
evfdctl write n=20 count=30' ]] || fault "$said"
}

test_by_pid() {
	local said pid
	# One that does something when it is told to, and what it starts.
	"$ctl" run bash -c 'until [ -e /tmp/evfdctl-go ]; do sleep 0.01; done
		$ctl add 7; echo -n ABCDEFGH >&$EVFD_FD; :' &
	pid=$!
	start -p $pid
	"$ctl" run "$ctl" add 5
	touch /tmp/evfdctl-go
	wait $pid
	kill $tracer
	wait $tracer || fault "status $?"
	rm /tmp/evfdctl-go
	said=$(events <"$out")
	[[ $said = 'evfdctl write n=7 count=7
bash write n='*' count='*'
bash release count='* ]] || fault "$said"
	expect 1 'evfdctl: there is no process 2147483647' "$ctl" trace -p 2147483647
	nothing_is_left
}

test_unknown_events() {
	expect 2 "evfdctl: no event 'nope'; there are:* write*" "$ctl" trace -e write,nope
	expect 0 '*' "$ctl" trace -e evfd_write,read true
}

test_a_signal_ends_it() {
	local signal
	for signal in INT TERM HUP; do
		start
		kill -$signal $tracer
		wait $tracer || fault "status $? after $signal"
		nothing_is_left
	done
	# It is for the command, if it is sent to us.
	out=$(mktemp)
	"$ctl" trace -o "$out" bash -c 'trap "exit 9" TERM; touch /tmp/evfdctl-up
		while :; do sleep 0.01; done' &
	wait_for test -e /tmp/evfdctl-up
	kill $!
	wait $!
	[[ $? = 9 ]] || fault "the command did not get it"
	rm /tmp/evfdctl-up
	nothing_is_left
}

test_what_a_kill_leaves_goes_with_the_next() {
	start
	kill -KILL $tracer
	wait $tracer 2>/dev/null
	check test -d "$instance"
	expect 0 '*' "$ctl" trace true
	nothing_is_left
	# Not while somebody uses it.
	start
	expect 0 '*' "$ctl" trace true
	check test -d "$instance"
	kill $tracer
	wait $tracer
	nothing_is_left
}

test_nobody_reads_any_more() {
	expect 0 '*EVENT*' bash -c '$ctl trace | head -n 1; exit ${PIPESTATUS[0]}'
	nothing_is_left
	expect 1 'evfdctl: *: No space left on device' "$ctl" trace -o /dev/full true
	nothing_is_left
}

test_others_are_left_alone() {
	start
	"$ctl" run true
	expect 0 0 cat $tracefs/events/evfd/enable
	expect 1 '' grep -v '^#' $tracefs/trace
	kill $tracer
	wait $tracer
	[[ $(events <"$out" | grep -c create) = 1 ]] || fault "$(<"$out")"
}

# Each is shown, or is said to be lost, and none twice.
test_a_flood() {
	local n=5000
	"$ctl" trace --json -e write "$ctl" run /usr/bin/python3 -S -E -c "
import os
for i in range($n): os.write(int(os.environ['EVFD_FD']), b'\1' + bytes(7))" | json "
lost = lines.pop()['lost'] if 'lost' in lines[-1] else None
counts = [l['count'] for l in lines]
assert counts == sorted(set(counts))
assert len(counts) == $n if lost is None else len(counts) + lost <= $n"
	nothing_is_left
}

test_what_is_missing() {
	expect 1 "evfdctl: $tracefs is not yours to use; type: sudo evfdctl trace" \
		nobody "$ctl" trace true
	expect 1 'evfdctl: tracefs is not mounted; type: sudo mount -t tracefs none /sys/kernel/tracing' \
		unshare -m bash -c 'umount -l /sys/kernel/tracing /sys/kernel/debug; $ctl trace true'
	check rmmod evfd
	expect 1 '*the module is not loaded; type: sudo modprobe evfd' "$ctl" trace true
	check insmod "$EVFD_KO"
	# It could be unloaded: nothing that was traced holds it.
	expect 0 '*write*' "$ctl" trace "$ctl" run "$ctl" add
}

run_tests "$@"
