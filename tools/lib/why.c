// SPDX-License-Identifier: GPL-2.0-only
/* Why no evfd can be made, see why.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "why.h"

void evfd_why(char text[EVFD_WHY_SIZE])
{
	unsigned int major, minor;
	bool loaded = false;
	int dev, error = 0;
	FILE *f;

	/* A container sees this even if its /dev lacks the device. */
	f = fopen("/sys/class/misc/evfd/dev", "re");
	if (f) {
		loaded = fscanf(f, "%u:%u", &major, &minor) == 2;
		fclose(f);
	}
	dev = open("/dev/evfd", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		error = errno;
	else
		close(dev);

	if (error == EACCES)
		snprintf(text, EVFD_WHY_SIZE,
			 "/dev/evfd may not be opened; type: ls -l /dev/evfd");
	else if (error == EPERM)
		snprintf(text, EVFD_WHY_SIZE,
			 "this container may not open /dev/evfd; start it with: --device /dev/evfd");
	else if (!error)
		snprintf(text, EVFD_WHY_SIZE,
			 "/dev/evfd is not evfd's; type: ls -l /dev/evfd");
	else if (!loaded)
		snprintf(text, EVFD_WHY_SIZE,
			 "no /dev/evfd, the module is not loaded; type: sudo modprobe evfd");
	else if (error == ENOENT)
		snprintf(text, EVFD_WHY_SIZE,
			 "no /dev/evfd here, though the module is loaded; start a container with: --device /dev/evfd; elsewhere type: sudo mknod -m 666 /dev/evfd c %u %u",
			 major, minor);
	else
		snprintf(text, EVFD_WHY_SIZE,
			 "/dev/evfd is not evfd's, whose number is %u %u; type: ls -l /dev/evfd",
			 major, minor);
}
