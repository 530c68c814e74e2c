// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/evfd: the device whose ioctl makes counters, and the module's lifetime.
 *
 * The top layer, above file.c. uapi/linux/evfd.h documents what the ioctl takes
 * and returns. Start here to read top-down; start at counter.h for bottom-up.
 *
 * The module cannot be unloaded while /dev/evfd is open (evfd_dev_fops.owner),
 * while a counter's file is (evfd_fops.owner in file.c), or while a module that
 * uses its symbols is loaded.
 */
#include <linux/build_bug.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <uapi/linux/evfd.h>

#include "ctx.h"
#include "debugfs.h"
#include "file.h"
#include "shared.h"
#include "shared_file.h"

#define EVFD_CREATE_FLAGS \
	(EVFD_CLOEXEC | EVFD_NONBLOCK | EVFD_SEMAPHORE | EVFD_SHARED)

/*
 * Return: a new descriptor, or an error as EVFD_IOC_CREATE documents it. @arg
 * is @size bytes long, a size that an older or a newer caller may know.
 */
static int evfd_dev_create(const void __user *arg, size_t size)
{
	struct evfd_create create;
	struct file *file;
	int fd, ret;

	static_assert(sizeof(create) == EVFD_CREATE_SIZE_VER0);

	if (size < EVFD_CREATE_SIZE_VER0)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(&create, sizeof(create), arg, size);
	if (ret)
		return ret;
	if (create.flags & ~(u64)EVFD_CREATE_FLAGS)
		return -EINVAL;
	if (create.initval > EVFD_COUNT_MAX)
		return -EINVAL;
	if (create.flags & EVFD_SHARED && create.initval > EVFD_SHARED_MAX)
		return -EINVAL;
	if (create.flags & EVFD_SHARED && !evfd_shared_supported())
		return -EOPNOTSUPP;

	fd = get_unused_fd_flags(create.flags & EVFD_CLOEXEC ? O_CLOEXEC : 0);
	if (fd < 0)
		return fd;

	file = evfd_file_alloc(create.initval, create.flags);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}

	/* From here on another thread may use the descriptor, or close it. */
	fd_install(fd, file);
	return fd;
}

/*
 * Return: 0, or an error as EVFD_IOC_FEATURES documents it. A caller that knows
 * less gets less, one that knows more gets zeros for the rest.
 */
static int evfd_dev_features(void __user *arg, size_t size)
{
	struct evfd_features features = {
		.flags = EVFD_CREATE_FLAGS,
		.create_size = sizeof(struct evfd_create),
	};

	static_assert(sizeof(features) == EVFD_FEATURES_SIZE_VER0);

	if (size < EVFD_FEATURES_SIZE_VER0)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (!evfd_shared_supported())
		features.flags &= ~(u64)EVFD_SHARED;
	if (copy_to_user(arg, &features, sizeof(features)) ||
	    clear_user(arg + sizeof(features), size - sizeof(features)))
		return -EFAULT;

	return 0;
}

static long evfd_dev_ioctl(struct file *file, unsigned int cmd,
			   unsigned long arg)
{
	void __user *user = (void __user *)arg;

	/* The size in the command is the caller's, so compare without it. */
	switch (cmd & ~IOCSIZE_MASK) {
	case EVFD_IOC_CREATE & ~IOCSIZE_MASK:
		return evfd_dev_create(user, _IOC_SIZE(cmd));
	case EVFD_IOC_FEATURES & ~IOCSIZE_MASK:
		return evfd_dev_features(user, _IOC_SIZE(cmd));
	default:
		return -ENOTTY;
	}
}

static const struct file_operations evfd_dev_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= evfd_dev_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

/* For everybody, as eventfd(2) is: it costs a descriptor and charged memory. */
static struct miscdevice evfd_dev = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "evfd",
	.fops	= &evfd_dev_fops,
	.mode	= 0666,
};

static int __init evfd_init(void)
{
	int ret;

	ret = evfd_ctx_init();
	if (ret)
		return ret;
	ret = evfd_shared_init();
	if (ret)
		goto exit_ctx;
	evfd_shared_file_init();
	ret = misc_register(&evfd_dev);
	if (ret)
		goto exit_shared;

	evfd_debugfs_init();
	return 0;

exit_shared:
	evfd_shared_exit();
exit_ctx:
	evfd_ctx_exit();
	return ret;
}

static void __exit evfd_exit(void)
{
	evfd_debugfs_exit();
	misc_deregister(&evfd_dev);
	/* Before the cache: its worker may free the last counter. */
	evfd_ctx_exit();
	evfd_shared_exit();
}

module_init(evfd_init);
module_exit(evfd_exit);

MODULE_AUTHOR("evfd developers");
MODULE_DESCRIPTION("eventfd(2) as a loadable module: /dev/evfd makes counters to signal, wait for and poll");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
