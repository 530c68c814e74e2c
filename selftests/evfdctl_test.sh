#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# evfdctl in a shell: that run, add, take and wait do for a script what they do
# for a program, that ls, info and watch do well whoever and whatever is there, and
# that what is wrong is said. evfdctl_ls_test.c has what ls and info show,
# evfdctl_trace_test.sh has trace.
# shellcheck disable=SC2016,SC2154,SC2317 # for another shell; of the other file;
# called by name
set -u
# shellcheck source=/dev/null
. "$(dirname "$0")/evfdctl_common.sh"

max=18446744073709551614

with() {	# OPTION... CODE: the shell runs CODE with an evfd
	"$ctl" run "${@:1:$#-1}" bash -c "${*: -1}"
}

# In CODE: waits until a task is blocked on the evfd as a reader, ...
export wait_for_a='wait_for_a() {
	until grep -q "^evfd-$1s: 1" /proc/$$/fdinfo/$EVFD_FD; do sleep 0.01; done
}; wait_for_a'

test_run_makes_an_evfd() {
	expect 0 'anon_inode:\[evfd]' with 'readlink /proc/self/fd/$EVFD_FD'
	expect 0 $'9\n5' with --fd 9 'echo $EVFD_FD; $ctl add 5; $ctl take'
	# The device is not left open.
	expect 0 1 with 'ls -l /proc/self/fd | grep -c evfd'
	# A number that was something else's.
	expect 0 3 with -f 0 -i 3 '$ctl take'
}

test_run_becomes_the_command() {
	expect 0 '-s -- a  b' "$ctl" run -i 1 -- echo -s -- 'a  b'
	expect 0 'same' bash -c 'export pid=$$; exec $ctl run sh -c "test \$\$ = $pid && echo same"'
	expect 7 '' with 'exit 7'
	expect 143 '' with 'kill $$'
	expect 127 'evfdctl: /no/such: No such file*' "$ctl" run /no/such
	expect 127 'evfdctl: no-such: No such file*' "$ctl" run no-such
	expect 126 'evfdctl: /: Permission denied' "$ctl" run /
	expect 125 'evfdctl: --fd 100 is beyond the limit of open files, which is 100; see: ulimit -n' \
		bash -c 'ulimit -n 100; $ctl run -f 100 true'
	# Whoever runs the tests may have left 3 open; here it is for /dev/evfd.
	expect 125 'evfdctl: cannot make an evfd: Too many open files' \
		bash -c 'exec 3>&-; ulimit -n 4; $ctl run true'
}

test_a_counter() {
	expect 0 42 with -i 2 '$ctl add && $ctl add 39 && $ctl wait && $ctl wait && $ctl take'
	expect 0 $max with "\$ctl add $max && \$ctl take"
	expect 0 $max with -i $max '$ctl add 0 && $ctl take'
}

test_a_semaphore() {
	expect 124 $'1\n1\n1' with -s -i 2 \
		'$ctl take && $ctl add 1 && $ctl take && $ctl take && $ctl wait -t 0'
}

test_take_waits() {
	expect 0 4 with '$ctl take & eval "$wait_for_a reader"; $ctl add 4; wait $!'
	expect 0 4 with '$ctl take -t 60 & eval "$wait_for_a poller"; $ctl add 4; wait $!'
	expect 0 4 with -n '$ctl take -t 60 & eval "$wait_for_a poller"; $ctl add 4; wait $!'
}

test_wait_takes_nothing() {
	expect 0 4 with '$ctl wait & eval "$wait_for_a poller"; $ctl add 4; wait $! && $ctl take'
	expect 0 4 with '$ctl wait -t 60 & eval "$wait_for_a poller"; $ctl add 4; wait $! && $ctl take'
}

test_add_waits_for_room() {
	expect 0 $max$'\n4' with -i $max \
		'$ctl add 4 & eval "$wait_for_a writer"; $ctl take; wait $! && $ctl take'
	expect 0 $max$'\n1' with -i $max \
		'$ctl add -t 60 & eval "$wait_for_a poller"; $ctl take; wait $! && $ctl take'
	# There is room for 1 only.
	expect 0 ${max%4}3$'\n4' with -i ${max%4}3 \
		'$ctl add -t 60 4 & $ctl add -t 0.1 4; $ctl take; wait $! && $ctl take'
}

test_what_is_not_ready_is_124() {
	expect 124 '' with '$ctl wait --timeout 0'
	expect 124 '' with '$ctl wait -t 0.05'
	expect 124 '' with '$ctl take -t 0'
	expect 124 '' with '$ctl take -t .05'
	expect 124 '' with -i $max '$ctl add -t 0'
	expect 124 '' with -i $max '$ctl add -t 0.05'
	expect 124 '' with -i ${max%4}3 '$ctl add -t 0.05 2'
	expect 124 '' with --nonblock '$ctl take'
	expect 124 '' with --nonblock '$ctl take -t 0.05'
	expect 124 '' with --nonblock -i $max '$ctl add'
}

test_what_is_ready_does_not_wait() {
	expect 0 '' with -i 1 '$ctl wait -t 0'
	expect 0 1 with -i 1 '$ctl take -t 0'
	expect 0 1 with -n -i 1 '$ctl take'
	expect 0 '' with -n '$ctl add'
	expect 0 '' with '$ctl add -t 0'
}

test_only_evfds_are_written_to() {
	local file
	file=$(mktemp)
	expect 1 "evfdctl: descriptor 9 is not an evfd, but $file" "$ctl" add -f 9 9>>"$file"
	export EVFD_FD=9
	expect 1 '*is not an evfd*' "$ctl" take 9<"$file"
	expect 1 '*is not an evfd*' "$ctl" wait 9<"$file"
	expect 1 'evfdctl: descriptor 9 is not open here' "$ctl" add
	check test ! -s "$file"
	rm "$file"
	# --fd goes before the variable.
	expect 0 3 with -f 7 -i 3 'EVFD_FD=1 $ctl take --fd 7'
}

# The examples of the manual.
test_jobs() {
	local said
	cd "$(mktemp -d)" || return
	said=$("$ctl" run --semaphore --initval 2 bash -c '
		for i in 1 2 3 4 5 6 7 8 9 10; do
			$ctl take >/dev/null
			{ mkdir run.$i; set -- run.*; echo $#; sleep 0.05; rmdir run.$i; $ctl add; } &
		done
		wait')
	# Ten ran, and never more than two at a time.
	[[ $(wc -l <<<"$said") = 10 && -z ${said//[12$'\n']/} ]] || fault "$said"
	expect 0 $'ready\nclient' with '{ echo ready; $ctl add; } & $ctl wait -t 60 && echo client; wait'
}

test_ls_as_an_ordinary_user() {
	local said
	# In a pid namespace it is known who is there: bash, sh, its zombie, which
	# holds nothing, and sleep.
	said=$(unshare --fork --pid --mount-proc "$ctl" run -i 42 bash -c '
		nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
		sh -c "exit & exec sleep 1000" &
		until grep -q "^[0-9]* (sh) Z" /proc/[0-9]*/stat; do :; done
		$nobody $ctl ls 2>&1
		$nobody $ctl ls --json
		:')
	[[ $said = *' COMM'$'\n'*' 42 '*' evfdctl'$'\n'*'"count":42,'*'"unreadable":2}' ]] ||
		fault "$said"
	[[ $said = *'evfdctl: 2 processes could not be looked into; to see all, type: sudo evfdctl ...'* ]] ||
		fault "$said"
	[[ $said != *' bash'$'\n'* && $said != *' sleep'$'\n'* ]] || fault "$said"
	# Where all are one's own there is nothing to say.
	said=$(unshare --fork --pid --mount-proc setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$ctl" run bash -c '$ctl ls; $ctl info $$ $EVFD_FD; :' 2>&1)
	[[ $said = *' bash'*'held by'*bash* && $said != *'could not'* ]] || fault "$said"
}

test_ls_does_not_count_kernel_threads() {
	local said tasks
	tasks=$(nobody "$ctl" run cat /proc/[0-9]*/stat 2>/dev/null |
		awk '{ sub(/.*\) /, ""); n[int($7 / 2097152) % 2]++ } END { print n[0] + 0, n[1] + 0 }')
	((${tasks#* } > 10)) || fault "few kernel threads: $tasks"
	said=$(nobody "$ctl" ls --json)
	said=${said##*:}
	# A few may have been started since.
	((${said%\}} > 0 && ${said%\}} < ${tasks% *} + 10)) || fault "$said of $tasks"
}

test_ls_while_processes_come_and_go() {
	local pids=()
	for _ in 1 2; do
		(while :; do "$ctl" run -i 5 true & wait; done) &
		pids+=($!)
	done
	"$ctl" run -i 12345 --fd 9 bash -c 'for i in {1..20}; do $ctl ls --json 9>&- || exit; done; echo $$' |
		sed '$s/.*/{"pid": &}/' | json '
pid = lines.pop()["pid"]
assert len(lines) == 20
for l in lines:
  mine = [h for h in l["holders"] if h["pid"] == pid]
  assert len(mine) == 1, mine
  assert mine[0]["fd"] == 9 and mine[0]["count"] == 12345
  assert all(h["count"] in (5, 12345) for h in l["holders"]), l
  assert l["unreadable"] == 0'
	kill "${pids[@]}"
	wait
}

test_names_may_be_anything() {
	local bash
	named $'"a\\\n\e[1m\xff\xc3\xa4 \x7f'
	expect 0 '* "a\\\\\\012\\033\[1m\\377'$'\xc3\xa4'' \\177' \
		"$ctl" run "$bash" -c '$ctl ls -p $$; :'
	"$ctl" run "$bash" -c '$ctl ls --json -p $$; :' | json '
h, = lines[0]["holders"]
assert h["comm"] == "\"a\\\n\033[1m\ufffd\u00e4 \x7f", ascii(h["comm"])'
	# Halves and wholes that nobody should take for UTF-8.
	named $'\xc0\xaf\xed\xa0\x80\xf5\x80\xe2\x82'
	expect 0 '* \\300\\257\\355\\240\\200\\365\\200\\342\\202' \
		"$ctl" run "$bash" -c '$ctl ls -p $$; :'
	"$ctl" run "$bash" -c '$ctl ls --json -p $$; :' | json '
assert lines[0]["holders"][0]["comm"] == 9 * "\ufffd"'
}

test_info() {
	"$ctl" run -i $max --fd 9 bash -c '$ctl info --json $$ 9 9>&-; :' | json '
l, = lines
h, = l["holders"]
assert l["count"] == 2**64 - 2 and l["unreadable"] == 0
assert l["fd"] == 9 and l["tid"] == l["pid"] and l["comm"] == "bash"
assert not (l["semaphore"] or l["nonblock"] or l["cloexec"])
assert l["readers"] == l["writers"] == l["pollers"] == 0
assert all(h[k] == l[k] for k in h)'
	expect 1 'evfdctl: there is no process 2147483647' "$ctl" info 2147483647 1
	expect 1 "evfdctl: process $$ has no descriptor 1000" "$ctl" info $$ 1000
	expect 1 "evfdctl: descriptor 9 of process * is not an evfd, but /dev/null" \
		bash -c 'exec 9</dev/null; $ctl info $$ 9'
	expect 1 "evfdctl: process $$ is not yours to look into; type: sudo evfdctl info $$ 1" \
		nobody "$ctl" info $$ 1
	expect 1 'evfdctl: there is no process 2147483647' "$ctl" ls -p 2147483647
	expect 1 'evfdctl: there is no process 2147483647' "$ctl" watch -p 2147483647
}

test_watch_prints_tables() {
	local said
	said=$("$ctl" run -i 5 --fd 9 bash -c 'exec $ctl watch -n 3 -t 0.01 -p $$')
	[[ $(grep -c '^[0-9:]*, 1 descriptor$' <<<"$said") = 3 ]] || fault "$said"
	[[ $(grep -c '^ *[0-9]* *9 .* evfdctl$' <<<"$said") = 3 ]] || fault "$said"
	# There is no terminal.
	[[ $said != *$'\033'* ]] || fault "$said"
	json 'assert len(lines) == 3
assert all(l["holders"][0]["count"] == 5 for l in lines)
assert lines[2]["time"] - lines[0]["time"] > 0.39' < <(
		"$ctl" run -i 5 bash -c 'exec $ctl watch --json -n 3 -t 0.2 -p $$')
}

test_watch_on_a_terminal() {
	local said
	# 24 lines: the time, a title, 20 descriptors, how many more, the cursor.
	said=$(script -qec 'stty rows 24; $ctl run -f 100 bash -c "
		for fd in {101..129}; do eval exec \$fd\>\&100; done
		exec $ctl watch -n 2 -t 0 -p \$\$"' /dev/null)
	[[ $said = *$'\033[H'*$'and 10 more\033[K\r\n\033[J'*$'\033[?25h' ]] || fault "$said"
}

test_watch_ends() {
	local signal
	for signal in INT TERM HUP; do
		expect 0 '' bash -c 'exec 3< <(exec $ctl watch -t 1000)
			read -ru 3; kill -'$signal' $!; wait $!'
	done
	# Nobody reads any more.
	expect 0 '*descriptor*' bash -c '$ctl watch -t 1000 | head -n 1; exit ${PIPESTATUS[0]}'
	expect 0 '*descriptor*' bash -c '$ctl watch -t 0 | head -n 1; exit ${PIPESTATUS[0]}'
}

test_wrong_usage() {
	local args
	# Descriptor 9 is an evfd, so that it is not to blame.
	while read -r args; do
		# shellcheck disable=SC2086 # words
		expect 2 '*Type: evfdctl --help' "$ctl" run -f 9 env -u EVFD_FD "$ctl" $args
	done <<-'END'

	nonsense
	ls --nonsense
	ls x
	ls -i
	ls -i x
	ls -p -1
	ls -p 0
	ls -p 2147483648
	ls -i 18446744073709551616
	ls -i -1
	ls -j 1
	info
	info 1
	info 1 2 3
	info x 1
	info 0 1
	info 1 x
	info 1 -1
	info 1 2147483648
	watch x
	watch -t
	watch -t x
	watch -t -1
	watch -t nan
	watch -t 1e9
	watch -n
	watch -n x
	watch -n -1
	watch -n 0
	watch -n 18446744073709551616
	watch -p 0
	watch -i x
	trace -n
	trace -n x
	trace -n 0
	trace -n 18446744073709551616
	trace -p 0
	trace -p x
	trace -i x
	trace -e
	trace -e nonsense
	trace -o
	trace -p 1 true
	add
	take
	wait
	add -f 9 x
	add -f 9 1 2
	add -f 9 18446744073709551615
	take -f x
	take -f 9 1
	wait -f 9 1
	take -f 9 -t x
	take -f
	take -f -1
	take -f 2147483648
	take -f 9 -t
	take -f 9 -t 1e9
	END
	# The same with an empty argument.
	while read -r args; do
		# shellcheck disable=SC2086 # words
		expect 2 "evfdctl: *''*Type: evfdctl --help" "$ctl" run -f 9 "$ctl" $args ''
	done <<-'END'

	ls
	ls -i
	ls -p
	info 1
	watch -t
	watch -n
	trace -n
	trace -e
	trace
	add
	add -f
	take -t
	wait -t
	END
	expect 2 "evfdctl: --count takes a number from 1 to *, not '0'*" "$ctl" watch -n 0
	expect 1 'evfdctl: --output : No such file*' "$ctl" trace -o ''
	for args in x '' -1 2147483648; do
		expect 2 "*EVFD_FD takes a number*'$args'*" env EVFD_FD=$args "$ctl" take
		expect 125 "*--fd takes a number*'$args'*" "$ctl" run -f "$args" true
	done
	for args in x '' -1 18446744073709551615; do
		expect 125 "*--initval takes a number*'$args'*" "$ctl" run -i "$args" true
	done
	expect 125 '*run takes a command*' "$ctl" run
	expect 125 '*run takes a command*' "$ctl" run -i 1
	expect 125 '*run takes a command*' "$ctl" run ''
	expect 125 '*requires an argument*' "$ctl" run -f
	expect 125 '*Type: evfdctl --help' "$ctl" run --nonsense true
	expect 0 'Usage: evfdctl COMMAND*' "$ctl" --help
	expect 0 'Usage: evfdctl COMMAND*' "$ctl" run --help
}

# With the rights that a container's device controller leaves: no open() of it.
may_not_open='import ctypes, os, struct, sys
I = lambda *op: struct.pack("HBBI", *op)
code = ctypes.create_string_buffer(
    I(0x20, 0, 0, 0) + I(0x15, 0, 3, 257) +                     # openat,
    I(0x20, 0, 0, 32) + I(0x15, 0, 1, os.O_RDWR | os.O_CLOEXEC) +
    I(6, 0, 0, 0x50001) + I(6, 0, 0, 0x7fff0000))               # is EPERM
filter = struct.pack("H6xQ", 6, ctypes.addressof(code))
libc = ctypes.CDLL(None)
assert not libc.prctl(38, 1, 0, 0, 0)
assert not libc.prctl(22, 2, ctypes.create_string_buffer(filter), 0, 0)
os.execvp(sys.argv[1], sys.argv[1:])'

test_a_container() {
	local number
	number=$(tr : ' ' </sys/class/misc/evfd/dev)
	expect 125 "evfdctl: no /dev/evfd here, though the module is loaded; start a container with: --device /dev/evfd; elsewhere type: sudo mknod -m 666 /dev/evfd c $number" \
		unshare -m bash -c 'mount -t tmpfs none /dev; $ctl run echo started'
	# What is to be typed helps.
	# shellcheck disable=SC2016 # for the inner shell
	expect 0 started unshare -m bash -c 'mount -t tmpfs none /dev
		eval "$($ctl run true 2>&1 | sed "s/.*: sudo //")"
		$ctl run echo started'
	# Not one that does nothing, and that of another device.
	expect 125 "evfdctl: /dev/evfd is not evfd's, whose number is $number; type: ls -l /dev/evfd" \
		unshare -m bash -c 'mount -t tmpfs none /dev; mknod /dev/evfd c 10 254; $ctl run echo started'
	expect 125 'evfdctl: this container may not open /dev/evfd; start it with: --device /dev/evfd' \
		/usr/bin/python3 -S -E -c "$may_not_open" "$ctl" run echo started
	# Without the device, too, it is seen what there is.
	expect 0 '*evfdctl*' "$ctl" run unshare -m bash -c 'mount -t tmpfs none /dev; $ctl ls; :'
}

test_the_module_is_missing() {
	# What is behind /dev/evfd is another driver.
	expect 125 "evfdctl: /dev/evfd is not evfd's; type: ls -l /dev/evfd" \
		unshare -m bash -c 'mount --bind /dev/null /dev/evfd; $ctl run echo started'
	# It is not for everybody.
	expect 125 'evfdctl: /dev/evfd may not be opened; type: ls -l /dev/evfd' \
		unshare -m bash -c 'mknod -m 600 /tmp/evfdctl-dev c 1 3
			mount --bind /tmp/evfdctl-dev /dev/evfd; rm /tmp/evfdctl-dev
			exec setpriv --reuid=65534 --regid=65534 --clear-groups $ctl run echo started'
	expect 125 'evfdctl: no /dev/evfd, the module is not loaded; type: sudo modprobe evfd' \
		unshare -m bash -c 'mount -t tmpfs none /dev; mount -t tmpfs none /sys; $ctl run echo started'
	for command in ls watch; do
		expect 1 '*type: sudo modprobe evfd' \
			unshare -m bash -c "mount -t tmpfs none /dev
			mount -t tmpfs none /sys; \$ctl $command"
	done
	# Its node is still there.
	expect 125 '*the module is not loaded; type: sudo modprobe evfd' \
		unshare -m bash -c 'mount -t tmpfs none /dev; mount -t tmpfs none /sys
			mknod /dev/evfd c 10 254; $ctl run echo started'
}

test_proc_is_missing() {
	expect 1 'evfdctl: /proc is not mounted; type: sudo mount -t proc none /proc' \
		unshare -m bash -c 'mount -t tmpfs none /proc; $ctl ls'
	expect 1 'evfdctl: cannot see in /proc what descriptor*' \
		unshare -m bash -c 'mount -t tmpfs none /proc; $ctl run $ctl add'
}

test_a_full_disk_is_an_error() {
	local full='evfdctl: standard output: No space left on device'
	expect 1 "$full" bash -c '$ctl ls >/dev/full'
	expect 1 "$full" bash -c '$ctl watch -n 2 -t 0 >/dev/full'
	expect 1 "$full" bash -c '$ctl run -i 1 $ctl take >/dev/full'
}

run_tests "$@"
