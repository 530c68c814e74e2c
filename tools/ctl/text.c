// SPDX-License-Identifier: GPL-2.0-only
/* Printing names of any bytes, see text.h. */
#include <stdbool.h>
#include <stdint.h>

#include "text.h"

/* The length of the UTF-8 sequence at @s, or 0 if it is not one. */
static int utf8_length(const unsigned char *s)
{
	/* The lowest code point that needs so many bytes. */
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c;
	int len, i;

	if (*s < 0x80)
		return 1;
	if (*s < 0xc0 || *s > 0xf7)
		return 0;
	len = *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
	c = *s & (0x7f >> len);
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < lowest[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	return len;
}

/* A control character to a terminal: below 0x20, 0x7f, and 0x80 to 0x9f. */
static bool is_control(const unsigned char *s, int len)
{
	return (len == 1 && (*s < 0x20 || *s == 0x7f)) ||
	       (len == 2 && *s == 0xc2 && s[1] < 0xa0);
}

void put_text(FILE *f, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	int len;

	for (; *s; s += len) {
		len = utf8_length(s);
		if (*s == '\\') {
			fputs("\\\\", f);
		} else if (!len || is_control(s, len)) {
			fprintf(f, "\\%03o", *s);
			len = 1;
		} else {
			fwrite(s, 1, len, f);
		}
	}
}

void put_json(FILE *f, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	int len;

	putc('"', f);
	for (; *s; s += len) {
		len = utf8_length(s);
		if (!len) {
			fputs("\\ufffd", f);
			len = 1;
		} else if (*s == '"' || *s == '\\') {
			fprintf(f, "\\%c", *s);
		} else if (*s < 0x20 || *s == 0x7f) {
			fprintf(f, "\\u%04x", *s);
		} else {
			fwrite(s, 1, len, f);
		}
	}
	putc('"', f);
}
