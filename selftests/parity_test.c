// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls that a counter does not support, or only as every file does: evfd
 * and eventfd(2) must return the same, and leave the same count.
 *
 * Uses evfd_test.h. Read counter_test.c first.
 */
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <termios.h>

#include "kselftest_harness.h"
#include "evfd_test.h"

#define MAX	EVFD_COUNT_MAX

static long with_pipe(int fd, int how)
{
	int p[2];
	long ret;

	if (pipe2(p, O_NONBLOCK))
		return -1000;
	if (how == 0)
		ret = sysret(splice(fd, NULL, p[1], NULL, 8, SPLICE_F_NONBLOCK));
	else if (how == 1)
		ret = write(p[1], "12345678", 8) != 8 ? -1000 :
		      sysret(splice(p[0], NULL, fd, NULL, 8, SPLICE_F_NONBLOCK));
	else if (how == 2)
		ret = sysret(tee(fd, p[1], 8, SPLICE_F_NONBLOCK));
	else
		ret = sysret(tee(p[0], fd, 8, SPLICE_F_NONBLOCK));
	close(p[0]);
	close(p[1]);

	return ret;
}

static long with_memfd(int fd, int how)
{
	int m = memfd_create("evfd-test", 0);
	off_t off = 0;
	long ret;

	if (m < 0 || pwrite(m, "12345678", 8, 0) != 8)
		return -1000;
	if (how == 0)
		ret = sysret(sendfile(fd, m, &off, 8));
	else if (how == 1)
		ret = sysret(sendfile(m, fd, NULL, 8));
	else if (how == 2)
		ret = sysret(copy_file_range(fd, NULL, m, NULL, 8, 0));
	else
		ret = sysret(copy_file_range(m, NULL, fd, NULL, 8, 0));
	close(m);

	return ret;
}

static long with_rw(int fd, bool write, off_t off, int flags)
{
	uint64_t value = 1;
	struct iovec iov = { &value, 8 };

	return sysret(write ? pwritev2(fd, &iov, 1, off, flags) :
			   preadv2(fd, &iov, 1, off, flags));
}

static long with_int(int fd, unsigned long cmd, int arg)
{
	return sysret(ioctl(fd, cmd, &arg));
}

static long with_map(int fd, int prot, int flags)
{
	void *p = mmap(NULL, 4096, prot, flags, fd, 0);

	return p == MAP_FAILED ? -errno : munmap(p, 4096);
}

static long with_setfl(int fd, int flags)
{
	long ret = sysret(fcntl(fd, F_SETFL, flags));

	/* The flags after it are compared, too. */
	return ret < 0 ? ret : sysret(fcntl(fd, F_GETFL));
}

static long with_path(int fd, int flags)
{
	char path[64];
	int new;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	new = open(path, flags);
	if (new < 0)
		return -errno;
	close(new);
	return 0;
}

/*
 * Evaluates @expr, which uses fd, on a new evfd and on a new eventfd of the
 * variant. Its results and the counts after it must be the same.
 */
#define SAME(expr)						\
	do {							\
		uint64_t counts[2];				\
		long rets[2];					\
		int kind, fd;					\
								\
		for (kind = 0; kind < 2; kind++) {		\
			fd = evfd_test_make(!kind,		\
					    variant->flags |	\
					    EVFD_NONBLOCK,	\
					    variant->count);	\
			ASSERT_LE(0, fd);			\
			rets[kind] = (expr);			\
			counts[kind] = evfd_test_count(fd);	\
			close(fd);				\
		}						\
		EXPECT_EQ(rets[1], rets[0])			\
			TH_LOG("%s", #expr);			\
		EXPECT_EQ(counts[1], counts[0])			\
			TH_LOG("%s", #expr);			\
	} while (0)

FIXTURE(parity) {
	uint64_t scratch[8];
	struct stat st;
	struct statfs sfs;
	struct termios tio;
	struct flock lock;
};

FIXTURE_VARIANT(parity) {
	unsigned int flags;
	uint64_t count;
};

FIXTURE_VARIANT_ADD(parity, empty) { 0, 0 };
FIXTURE_VARIANT_ADD(parity, small) { 0, 5 };
/* With EVFD_SHARED the highest count is another one: there is nothing to compare. */
FIXTURE_VARIANT_ADD(parity, full) { 0, MAX };
FIXTURE_VARIANT_ADD(parity, semaphore_empty) { EVFD_SEMAPHORE, 0 };
FIXTURE_VARIANT_ADD(parity, semaphore_small) { EVFD_SEMAPHORE, 5 };
FIXTURE_VARIANT_ADD(parity, semaphore_full) { EVFD_SEMAPHORE, MAX };

FIXTURE_SETUP(parity)
{
	if (evfd_test_shared() && variant->count > EVFD_SHARED_MAX)
		SKIP(return, "a counter with EVFD_SHARED cannot have this count");
	self->lock.l_type = F_WRLCK;
}

FIXTURE_TEARDOWN(parity)
{
}

TEST_F(parity, positions)
{
	SAME(sysret(lseek(fd, 0, SEEK_SET)));
	SAME(sysret(lseek(fd, 5, SEEK_SET)));
	SAME(sysret(lseek(fd, -1, SEEK_SET)));
	SAME(sysret(lseek(fd, 0, SEEK_CUR)));
	SAME(sysret(lseek(fd, 0, SEEK_END)));
	SAME(sysret(lseek(fd, 0, SEEK_DATA)));
	SAME(sysret(pread(fd, self->scratch, 8, 0)));
	SAME(sysret(pread(fd, self->scratch, 8, 8)));
	SAME(sysret(pread(fd, self->scratch, 4, 0)));
	SAME(sysret(pwrite(fd, self->scratch, 8, 0)));
	SAME(sysret(pwrite(fd, self->scratch, 4, 0)));
}

TEST_F(parity, vectors_and_flags)
{
	SAME(with_rw(fd, false, 0, 0));
	SAME(with_rw(fd, false, -1, 0));
	SAME(with_rw(fd, false, -1, RWF_HIPRI));
	SAME(with_rw(fd, false, -1, RWF_DSYNC));
	SAME(with_rw(fd, false, -1, RWF_SYNC));
	SAME(with_rw(fd, false, -1, RWF_NOWAIT));
	SAME(with_rw(fd, false, -1, RWF_APPEND));
	SAME(with_rw(fd, false, -1, RWF_NOAPPEND));
	SAME(with_rw(fd, false, -1, RWF_ATOMIC));
	SAME(with_rw(fd, false, -1, 0x40000000));
	SAME(with_rw(fd, true, 0, 0));
	SAME(with_rw(fd, true, -1, 0));
	SAME(with_rw(fd, true, -1, RWF_HIPRI));
	SAME(with_rw(fd, true, -1, RWF_ATOMIC));
	SAME(with_rw(fd, true, -1, 0x40000000));
	SAME(sysret(syscall(SYS_readv, fd, NULL, 0)));
	SAME(sysret(syscall(SYS_readv, fd, NULL, 1)));
	SAME(sysret(syscall(SYS_readv, fd, NULL, UIO_MAXIOV + 1)));
	SAME(sysret(syscall(SYS_readv, fd, NULL, -1)));
	SAME(sysret(syscall(SYS_writev, fd, NULL, 0)));
	SAME(sysret(syscall(SYS_writev, fd, NULL, 1)));
	SAME(sysret(syscall(SYS_writev, fd, NULL, UIO_MAXIOV + 1)));
	SAME(sysret(syscall(SYS_writev, fd, NULL, -1)));
}

TEST_F(parity, odd_sizes)
{
	SAME(sysret(read(fd, NULL, 0)));
	SAME(sysret(write(fd, NULL, 0)));
	SAME(sysret(syscall(SYS_read, fd, self->scratch, (size_t)-1)));
	SAME(sysret(syscall(SYS_write, fd, self->scratch, (size_t)-1)));
}

TEST_F(parity, mmap_and_splice)
{
	/* What EVFD_SHARED is for. */
	if (!evfd_test_shared()) {
		SAME(with_map(fd, PROT_READ, MAP_SHARED));
		SAME(with_map(fd, PROT_READ | PROT_WRITE, MAP_SHARED));
		SAME(with_map(fd, PROT_READ, MAP_PRIVATE));
	}
	SAME(with_pipe(fd, 0));
	SAME(with_pipe(fd, 1));
	SAME(with_pipe(fd, 2));
	SAME(with_pipe(fd, 3));
	SAME(with_memfd(fd, 0));
	SAME(with_memfd(fd, 1));
	SAME(with_memfd(fd, 2));
	SAME(with_memfd(fd, 3));
}

TEST_F(parity, ioctls)
{
	SAME(with_int(fd, FIONREAD, 0));
	SAME(with_int(fd, FIOASYNC, 0));
	SAME(with_int(fd, FIOASYNC, 1));
	SAME(with_int(fd, FIONBIO, 0));
	SAME(with_int(fd, FIONBIO, 1));
	SAME(with_int(fd, FIOQSIZE, 0));
	SAME(with_int(fd, FIGETBSZ, 0));
	SAME(with_int(fd, FIBMAP, 0));
	SAME(with_int(fd, FIFREEZE, 0));
	SAME(with_int(fd, FS_IOC_GETFLAGS, 0));
	SAME(with_int(fd, 0x12345678, 0));
	SAME(sysret(ioctl(fd, FIOCLEX)));
	SAME(sysret(ioctl(fd, FIONCLEX)));
	SAME(sysret(tcgetattr(fd, &self->tio)));
}

TEST_F(parity, fcntls)
{
	SAME(sysret(flock(fd, LOCK_EX | LOCK_NB)));
	SAME(sysret(fcntl(fd, F_SETLK, &self->lock)));
	SAME(sysret(fcntl(fd, F_SETLEASE, F_RDLCK)));
	SAME(sysret(fcntl(fd, F_SETOWN, getpid())));
	SAME(sysret(fcntl(fd, F_SETSIG, SIGUSR1)));
	SAME(sysret(fcntl(fd, F_SETPIPE_SZ, 4096)));
	SAME(sysret(fcntl(fd, F_GET_SEALS)));
	SAME(sysret(fcntl(fd, F_NOTIFY, DN_MODIFY)));
	SAME(with_setfl(fd, O_NONBLOCK));
	SAME(with_setfl(fd, O_APPEND));
	SAME(with_setfl(fd, O_ASYNC));
	SAME(with_setfl(fd, O_DIRECT));
	SAME(with_setfl(fd, O_NOATIME));
	SAME(with_setfl(fd, O_WRONLY));
	SAME(with_setfl(fd, -1));
}

TEST_F(parity, files_on_disk)
{
	SAME(sysret(ftruncate(fd, 0)));
	SAME(sysret(ftruncate(fd, 8)));
	SAME(sysret(fsync(fd)));
	SAME(sysret(fdatasync(fd)));
	SAME(sysret(syncfs(fd)));
	SAME(sysret(sync_file_range(fd, 0, 8, SYNC_FILE_RANGE_WRITE)));
	SAME(sysret(fallocate(fd, 0, 0, 8)));
	SAME(-posix_fadvise(fd, 0, 8, POSIX_FADV_DONTNEED));
	SAME(sysret(readahead(fd, 0, 8)));
	SAME(sysret(fstat(fd, &self->st)) ?: (long)self->st.st_mode);
	SAME(sysret(fstatfs(fd, &self->sfs)) ?: (long)self->sfs.f_type);
	SAME(sysret(fchmod(fd, 0600)));
	SAME(sysret(fchown(fd, 0, 0)));
	SAME(sysret(syscall(SYS_getdents64, fd, self->scratch, 64)));
	SAME(sysret(fchdir(fd)));
	SAME(sysret(fgetxattr(fd, "user.x", self->scratch, 8)));
	SAME(sysret(fsetxattr(fd, "user.x", "1", 1, 0)));
	SAME(sysret(listen(fd, 1)));
	SAME(sysret(recv(fd, self->scratch, 8, 0)));
	SAME(with_path(fd, O_RDONLY));
	SAME(with_path(fd, O_RDWR));
	SAME(with_path(fd, O_PATH));
}

TEST_HARNESS_MAIN
