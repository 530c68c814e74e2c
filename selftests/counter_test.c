// SPDX-License-Identifier: GPL-2.0-only
/*
 * read(2), write(2) and their variants on a non-blocking counter: values, sizes,
 * segments, limits. Most tests run on evfd and on eventfd(2), since both must
 * agree.
 *
 * Uses evfd_test.h. Read blocking_test.c next, for what blocks; parity_test.c
 * has the system calls that a counter does not support.
 */
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "evfd_test.h"

#define MAX	evfd_test_max(variant->evfd)

FIXTURE(counter) {
	/* Empty, O_NONBLOCK. */
	int fd;
};

FIXTURE_VARIANT(counter) {
	bool evfd;
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(counter, evfd) { true, 0 };
FIXTURE_VARIANT_ADD(counter, evfd_semaphore) { true, EVFD_SEMAPHORE };
FIXTURE_VARIANT_ADD(counter, eventfd) { false, 0 };
FIXTURE_VARIANT_ADD(counter, eventfd_semaphore) { false, EVFD_SEMAPHORE };

/* A counter of the variant. */
#define MAKE(more, count) \
	evfd_test_make(variant->evfd, variant->flags | (more), count)

FIXTURE_SETUP(counter)
{
	self->fd = MAKE(EVFD_NONBLOCK, 0);
}

FIXTURE_TEARDOWN(counter)
{
	close(self->fd);
}

/* Makes the count @n, whatever it was; it should be small in semaphore mode. */
static void set_count(int fd, uint64_t n)
{
	while (evfd_test_read(fd, NULL) == 8)
		;
	if (n)
		evfd_test_write(fd, n);
}

/* The value that a read of a count of @n returns. */
#define TAKEN(n)	(variant->flags & EVFD_SEMAPHORE ? 1 : (n))

TEST_F(counter, write_adds_and_read_takes)
{
	const uint64_t counts[] = {
		1, 2, UINT32_MAX, 1ULL << 32, MAX / 2 + 1, MAX - 1, MAX,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		int fd = MAKE(EVFD_NONBLOCK, 0);
		uint64_t value = 99;

		EXPECT_EQ(8, evfd_test_write(fd, counts[i]));
		EXPECT_EQ(counts[i], evfd_test_count(fd));
		EXPECT_EQ(8, evfd_test_read(fd, &value));
		EXPECT_EQ(TAKEN(counts[i]), value);
		EXPECT_EQ(counts[i] - value, evfd_test_count(fd));
		close(fd);
	}
}

TEST_F(counter, writes_add_up)
{
	uint64_t value;

	EXPECT_EQ(8, evfd_test_write(self->fd, 2));
	EXPECT_EQ(8, evfd_test_write(self->fd, 3));
	EXPECT_EQ(8, evfd_test_write(self->fd, 4));
	EXPECT_EQ(9, evfd_test_count(self->fd));
	EXPECT_EQ(8, evfd_test_read(self->fd, &value));
	EXPECT_EQ(TAKEN(9), value);
	EXPECT_EQ(9 - value, evfd_test_count(self->fd));
}

TEST_F(counter, read_of_0_is_eagain)
{
	char buf[16], same[16];

	memset(buf, 0x5a, sizeof(buf));
	memset(same, 0x5a, sizeof(same));
	EXPECT_EQ(-EAGAIN, sysret(read(self->fd, buf, 8)));
	EXPECT_EQ(-EAGAIN, sysret(read(self->fd, buf, 16)));
	EXPECT_EQ(0, memcmp(buf, same, sizeof(buf)))
		TH_LOG("a read that failed wrote to the buffer");
}

TEST_F(counter, read_needs_8_bytes)
{
	char buf[24], same[24];
	size_t size;

	set_count(self->fd, 5);
	memset(same, 0x5a, sizeof(same));
	for (size = 0; size < 8; size++) {
		memset(buf, 0x5a, sizeof(buf));
		EXPECT_EQ(-EINVAL, sysret(read(self->fd, buf, size)))
			TH_LOG("size %zu", size);
		EXPECT_EQ(0, memcmp(buf, same, sizeof(buf)));
	}
	EXPECT_EQ(5, evfd_test_count(self->fd));

	for (size = 8; size <= 16; size++) {
		uint64_t value;

		set_count(self->fd, 5);
		memset(buf, 0x5a, sizeof(buf));
		EXPECT_EQ(8, read(self->fd, buf, size))
			TH_LOG("size %zu", size);
		memcpy(&value, buf, sizeof(value));
		EXPECT_EQ(TAKEN(5), value);
		EXPECT_EQ(0, memcmp(buf + 8, same, 16))
			TH_LOG("size %zu: wrote beyond 8 bytes", size);
		EXPECT_EQ(5 - value, evfd_test_count(self->fd));
	}

	/* The size is checked before the count. */
	set_count(self->fd, 0);
	EXPECT_EQ(-EINVAL, sysret(read(self->fd, buf, 7)));
}

TEST_F(counter, write_needs_exactly_8_bytes)
{
	char buf[32] = { 1 };
	size_t size;

	if (!variant->evfd && evfd_test_eventfd_is_lax())
		SKIP(return, "eventfd takes the first 8 of more bytes here");
	for (size = 0; size <= sizeof(buf); size++) {
		set_count(self->fd, 0);
		EXPECT_EQ(size == 8 ? 8 : -EINVAL,
			  sysret(write(self->fd, buf, size)))
			TH_LOG("size %zu", size);
		EXPECT_EQ(size == 8, evfd_test_count(self->fd));
	}
}

TEST_F(counter, write_of_0_is_legal_at_any_count)
{
	EXPECT_EQ(8, evfd_test_write(self->fd, 0));
	EXPECT_EQ(0, evfd_test_count(self->fd));
	EXPECT_EQ(-EAGAIN, evfd_test_read(self->fd, NULL));
	EXPECT_EQ(8, evfd_test_write(self->fd, MAX));
	EXPECT_EQ(8, evfd_test_write(self->fd, 0));
	EXPECT_EQ(MAX, evfd_test_count(self->fd));
}

TEST_F(counter, write_of_all_ones_is_einval)
{
	EXPECT_EQ(-EINVAL, evfd_test_write(self->fd, UINT64_MAX));
	EXPECT_EQ(0, evfd_test_count(self->fd));
	EXPECT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(-EINVAL, evfd_test_write(self->fd, UINT64_MAX));
	EXPECT_EQ(1, evfd_test_count(self->fd));
	EXPECT_EQ(8, evfd_test_write(self->fd, MAX - 1));
	EXPECT_EQ(-EINVAL, evfd_test_write(self->fd, UINT64_MAX));
	EXPECT_EQ(MAX, evfd_test_count(self->fd));
}

TEST_F(counter, write_beyond_the_limit_is_eagain)
{
	const struct {
		uint64_t count, fits, not;
	} edges[] = {
		{ 0, MAX, 0 },
		{ 1, MAX - 1, MAX },
		{ 2, MAX - 2, MAX - 1 },
		{ MAX / 2 + 1, MAX - MAX / 2 - 1, MAX - MAX / 2 },
		{ MAX / 2 + 1, 0, MAX / 2 + 1 },
		{ MAX - 2, 2, 3 },
		{ MAX - 1, 1, 2 },
		{ MAX, 0, 1 },
		{ MAX, 0, 2 },
		{ MAX, 0, MAX },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(edges); i++) {
		int fd = MAKE(EVFD_NONBLOCK, edges[i].count);

		if (edges[i].not) {
			EXPECT_EQ(-EAGAIN, evfd_test_write(fd, edges[i].not))
				TH_LOG("row %zu", i);
			EXPECT_EQ(edges[i].count, evfd_test_count(fd));
		}
		EXPECT_EQ(8, evfd_test_write(fd, edges[i].fits))
			TH_LOG("row %zu", i);
		EXPECT_EQ(edges[i].count + edges[i].fits, evfd_test_count(fd));
		close(fd);
	}
}

TEST_F(counter, semaphore_counts_down_and_plain_resets)
{
	unsigned int i, reads = variant->flags & EVFD_SEMAPHORE ? 3 : 1;

	set_count(self->fd, 3);
	for (i = 0; i < reads; i++) {
		EXPECT_EQ(3 / reads, evfd_test_value(self->fd));
	}
	EXPECT_EQ(-EAGAIN, evfd_test_read(self->fd, NULL));
	EXPECT_EQ(0, evfd_test_count(self->fd));
}

TEST_F(counter, buffers_need_no_alignment)
{
	char buf[24];
	unsigned int i;

	for (i = 0; i < 8; i++) {
		uint64_t value = 0x0102030405060708ULL;
		int fd = MAKE(0, 0);

		memset(buf, 0, sizeof(buf));
		memcpy(buf + i, &value, sizeof(value));
		EXPECT_EQ(8, write(fd, buf + i, 8));
		EXPECT_EQ(value, evfd_test_count(fd));
		memset(buf, 0, sizeof(buf));
		EXPECT_EQ(8, read(fd, buf + i, 8));
		memcpy(&value, buf + i, sizeof(value));
		EXPECT_EQ(TAKEN(0x0102030405060708ULL), value);
		close(fd);
	}
}

/* writev(2) of segments of @sizes, ended by -1; segment i holds 1 << i. */
static long writev_of(int fd, const int *sizes)
{
	static uint64_t values[8][2];
	struct iovec iov[8];
	int i;

	for (i = 0; sizes[i] >= 0; i++) {
		values[i][0] = 1ULL << i;
		values[i][1] = 0;
		iov[i].iov_base = values[i];
		iov[i].iov_len = sizes[i];
	}

	return sysret(writev(fd, iov, i));
}

TEST_F(counter, writev_is_a_write_for_each_segment)
{
	static const struct {
		int sizes[6];
		long ret;
		uint64_t added;
	} rows[] = {
		{ { -1 }, 0, 0 },
		{ { 0, -1 }, 0, 0 },
		{ { 0, 0, -1 }, 0, 0 },
		{ { 4, -1 }, -EINVAL, 0 },
		{ { 8, -1 }, 8, 1 },
		{ { 16, -1 }, -EINVAL, 0 },
		{ { 8, 8, -1 }, 16, 3 },
		{ { 8, 8, 8, -1 }, 24, 7 },
		{ { 4, 4, -1 }, -EINVAL, 0 },
		{ { 1, 7, -1 }, -EINVAL, 0 },
		{ { 8, 4, -1 }, 8, 1 },
		{ { 4, 8, -1 }, -EINVAL, 0 },
		{ { 8, 16, -1 }, 8, 1 },
		{ { 8, 4, 8, -1 }, 8, 1 },
		{ { 8, 0, -1 }, 8, 1 },
		{ { 0, 8, -1 }, -EINVAL, 0 },
		{ { 8, 0, 8, -1 }, 16, 5 },
		{ { 8, 0, 0, 8, -1 }, 16, 9 },
		{ { 8, 0, 4, -1 }, 8, 1 },
		{ { 8, 0, 8, 0, 8, -1 }, 24, 21 },
	};
	size_t i;

	if (!variant->evfd && evfd_test_eventfd_is_lax())
		SKIP(return, "eventfd takes the first 8 of more bytes here");
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		set_count(self->fd, 0);
		EXPECT_EQ(rows[i].ret, writev_of(self->fd, rows[i].sizes))
			TH_LOG("row %zu", i);
		EXPECT_EQ(rows[i].added, evfd_test_count(self->fd))
			TH_LOG("row %zu", i);
	}
}

TEST_F(counter, writev_ends_short_at_what_does_not_fit)
{
	uint64_t one = 1, all_ones = UINT64_MAX;
	struct iovec iov[3] = { { &one, 8 }, { &one, 8 }, { &one, 8 } };

	ASSERT_EQ(8, evfd_test_write(self->fd, MAX - 1));
	EXPECT_EQ(8, sysret(writev(self->fd, iov, 3)));
	EXPECT_EQ(MAX, evfd_test_count(self->fd));
	EXPECT_EQ(-EAGAIN, sysret(writev(self->fd, iov, 3)));
	EXPECT_EQ(MAX, evfd_test_count(self->fd));

	close(self->fd);
	self->fd = MAKE(EVFD_NONBLOCK, 0);
	iov[1].iov_base = &all_ones;
	EXPECT_EQ(8, sysret(writev(self->fd, iov, 3)));
	EXPECT_EQ(1, evfd_test_count(self->fd));
	EXPECT_EQ(-EINVAL, sysret(writev(self->fd, iov + 1, 2)));
	EXPECT_EQ(1, evfd_test_count(self->fd));
}

TEST_F(counter, writev_ends_short_at_a_fault)
{
	uint64_t one = 1;
	struct iovec iov[2] = { { &one, 8 }, { NULL, 8 } };

	EXPECT_EQ(8, sysret(writev(self->fd, iov, 2)));
	EXPECT_EQ(1, evfd_test_count(self->fd));
	EXPECT_EQ(-EFAULT, sysret(writev(self->fd, iov + 1, 1)));
	EXPECT_EQ(1, evfd_test_count(self->fd));
}

TEST_F(counter, readv_takes_its_segments_as_one_buffer)
{
	static const struct {
		int sizes[9];
		int ret;
	} rows[] = {
		{ { 8, -1 }, 8 },
		{ { 16, -1 }, 8 },
		{ { 8, 8, -1 }, 8 },
		{ { 4, 4, -1 }, 8 },
		{ { 1, 7, -1 }, 8 },
		{ { 7, 1, -1 }, 8 },
		{ { 3, 0, 5, -1 }, 8 },
		{ { 0, 8, -1 }, 8 },
		{ { 8, 0, -1 }, 8 },
		{ { 1, 1, 1, 1, 1, 1, 1, 1, -1 }, 8 },
		{ { 4, 8, -1 }, 8 },
		{ { 4, -1 }, -EINVAL },
		{ { 7, -1 }, -EINVAL },
		{ { 4, 3, -1 }, -EINVAL },
		{ { 0, 4, -1 }, -EINVAL },
		{ { 0, 0, -1 }, 0 },
		{ { -1 }, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		char buf[8][24], flat[8 * 24], rest[8 * 24];
		struct iovec iov[8];
		uint64_t value = 0;
		size_t len = 0;
		int j;

		set_count(self->fd, 0x11);
		memset(buf, 0x5a, sizeof(buf));
		memset(rest, 0x5a, sizeof(rest));
		for (j = 0; rows[i].sizes[j] >= 0; j++) {
			iov[j].iov_base = buf[j];
			iov[j].iov_len = rows[i].sizes[j];
		}
		EXPECT_EQ(rows[i].ret, sysret(readv(self->fd, iov, j)))
			TH_LOG("row %zu", i);

		/* Memory behind the segments, and behind the first 8 bytes. */
		for (j = 0; rows[i].sizes[j] >= 0; j++) {
			memcpy(flat + len, buf[j], rows[i].sizes[j]);
			len += rows[i].sizes[j];
			EXPECT_EQ(0x5a, buf[j][rows[i].sizes[j]])
				TH_LOG("row %zu, segment %d", i, j);
		}
		if (rows[i].ret == 8) {
			memcpy(&value, flat, 8);
			memset(flat, 0x5a, 8);
			EXPECT_EQ(TAKEN(0x11), value);
		}
		EXPECT_EQ(0, memcmp(flat, rest, len))
			TH_LOG("row %zu", i);
		EXPECT_EQ(0x11 - value, evfd_test_count(self->fd));
	}
}

TEST_F(counter, preadv2_nowait_does_not_block)
{
	uint64_t value = 0;
	struct iovec iov = { &value, 8 };

	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, 0));
	EXPECT_EQ(-EAGAIN, sysret(preadv2(self->fd, &iov, 1, -1, RWF_NOWAIT)));
	ASSERT_EQ(8, evfd_test_write(self->fd, 6));
	EXPECT_EQ(8, sysret(preadv2(self->fd, &iov, 1, -1, RWF_NOWAIT)));
	EXPECT_EQ(TAKEN(6), value);
	EXPECT_EQ(6 - value, evfd_test_count(self->fd));
}

TEST_F(counter, flags_of_the_file_do_not_hinder)
{
	uint64_t value = 1;
	struct iovec iov[2] = { { &value, 8 }, { &value, 8 } };

	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK | O_APPEND));
	EXPECT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(16, sysret(writev(self->fd, iov, 2)));
	EXPECT_EQ(3, evfd_test_count(self->fd));
	EXPECT_EQ(8, sysret(readv(self->fd, iov, 1)));
	EXPECT_EQ(TAKEN(3), value);
}

/*
 * Where evfd does more than eventfd. The exact difference is tested, so that a
 * kernel whose eventfd learns it is noticed.
 */
TEST(pwritev2_nowait_works_where_eventfd_has_none)
{
	const uint64_t max = evfd_test_max(true);
	int fd = evfd_test_create(0, max - 1);
	int eventfd = evfd_test_create_eventfd(0, 0);
	uint64_t one = 1;
	struct iovec iov[2] = { { &one, 8 }, { &one, 8 } };

	EXPECT_EQ(-EOPNOTSUPP, sysret(pwritev2(eventfd, iov, 1, -1, RWF_NOWAIT)));

	/* Room for one of the two, then for none; neither call blocks. */
	EXPECT_EQ(8, sysret(pwritev2(fd, iov, 2, -1, RWF_NOWAIT)));
	EXPECT_EQ(max, evfd_test_count(fd));
	EXPECT_EQ(-EAGAIN, sysret(pwritev2(fd, iov, 2, -1, RWF_NOWAIT)));
	EXPECT_EQ(max, evfd_test_count(fd));
	close(fd);
	close(eventfd);
}

/*
 * Flags for files on disk mean nothing to a counter. For eventfd, which has no
 * write_iter, the VFS refuses them; evfd accepts what the VFS lets through.
 */
TEST(pwritev2_accepts_what_a_pipe_accepts)
{
	static const int flags[] = {
		RWF_HIPRI, RWF_DSYNC, RWF_SYNC, RWF_APPEND,
		RWF_DSYNC | RWF_SYNC | RWF_APPEND,
		RWF_NOAPPEND, RWF_APPEND | RWF_NOAPPEND, RWF_ATOMIC, 0x40000000,
	};
	static const int modes[] = { O_NONBLOCK, O_NONBLOCK | O_APPEND };
	int fd = evfd_test_create(EVFD_NONBLOCK, 0), pair[2], ret;
	int eventfd = evfd_test_create_eventfd(EVFD_NONBLOCK, 0);
	uint64_t one = 1, added = 0;
	struct iovec iov = { &one, 8 };
	size_t i, j;

	ASSERT_EQ(0, pipe(pair));
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		ASSERT_EQ(0, fcntl(fd, F_SETFL, modes[i]));
		ASSERT_EQ(0, fcntl(eventfd, F_SETFL, modes[i]));
		ASSERT_EQ(0, fcntl(pair[1], F_SETFL, modes[i]));
		for (j = 0; j < ARRAY_SIZE(flags); j++) {
			ret = sysret(pwritev2(fd, &iov, 1, -1, flags[j]));
			EXPECT_EQ(sysret(pwritev2(pair[1], &iov, 1, -1, flags[j])),
				  ret)
				TH_LOG("flags %#x, mode %#x", flags[j], modes[i]);
			EXPECT_EQ(flags[j] == RWF_HIPRI ? 8 : -EOPNOTSUPP,
				  sysret(pwritev2(eventfd, &iov, 1, -1, flags[j])))
				TH_LOG("flags %#x, mode %#x", flags[j], modes[i]);
			added += ret == 8;
		}
	}
	EXPECT_LE(10, added);
	EXPECT_EQ(added, evfd_test_count(fd));
	close(pair[0]);
	close(pair[1]);
	close(fd);
	close(eventfd);
}

TEST_HARNESS_MAIN
