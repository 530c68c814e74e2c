// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes the tracepoints of trace.h, which documents them.
 *
 * And checks the numbers there that stand for constants with other spellings.
 */
#include <linux/build_bug.h>

#include "compat.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static_assert(EVFD_CLOEXEC == 0x1);
static_assert(EVFD_NONBLOCK == 0x2);
static_assert(EVFD_SEMAPHORE == 0x4);
static_assert(EVFD_SHARED == 0x8);
static_assert(EVFD_ARMED_ADD == 0x1);
static_assert(EVFD_ARMED_TAKE == 0x2);
static_assert((__force u32)EPOLLIN == 0x1);
static_assert((__force u32)EPOLLOUT == 0x4);
static_assert((__force u32)EPOLLERR == 0x8);
static_assert((__force u32)EPOLLHUP == 0x10);

/* For the inline functions of ctx.h in the tests, and for trace_kunit.c. */
#if IS_ENABLED(CONFIG_KUNIT)
EXPORT_TRACEPOINT_SYMBOL_GPL(evfd_block);
EXPORT_TRACEPOINT_SYMBOL_GPL(evfd_defer);
EXPORT_TRACEPOINT_SYMBOL_GPL(evfd_disarm);
EXPORT_TRACEPOINT_SYMBOL_GPL(evfd_kick);
EXPORT_TRACEPOINT_SYMBOL_GPL(evfd_read);
EXPORT_TRACEPOINT_SYMBOL_GPL(evfd_release);
EXPORT_TRACEPOINT_SYMBOL_GPL(evfd_signal);
EXPORT_TRACEPOINT_SYMBOL_GPL(evfd_wake);
EXPORT_TRACEPOINT_SYMBOL_GPL(evfd_write);
#endif
