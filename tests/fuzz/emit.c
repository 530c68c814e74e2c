// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <string.h>

#include "emit.h"
#include "run.h"

/* The Makefile puts it together. */
extern const char world_text[], world_text_end[];

__asm__(".section .rodata\n"
	"world_text:\n"
	"\t.incbin \"" WORLD_TEXT "\"\n"
	"world_text_end:\n"
	"\t.previous\n");

static void print_args(FILE *f, const struct op *op)
{
	const char *use;
	int i;

	for (use = op_info[op->kind].uses; *use; use++) {
		switch (*use) {
		case 'f':
			fprintf(f, "fd = %d; ", op->fd);
			break;
		case 'g':
			fprintf(f, "fd2 = %d; ", op->fd2);
			break;
		case 'b':
			fprintf(f, "buf = (char *)0x%" PRIx64 "; ", op->buf);
			break;
		case 'l':
			fprintf(f, "len = 0x%" PRIx64 "; ", op->len);
			break;
		case 'v':
			fprintf(f, "val = 0x%" PRIx64 "; ", op->val);
			break;
		case 'a':
			fprintf(f, "a = 0x%" PRIx64 "; ", (uint64_t)op->a);
			break;
		case 'c':
			fprintf(f, "b = 0x%" PRIx64 "; ", (uint64_t)op->b);
			break;
		case 'i':
			fprintf(f, "n = %d; ", op->n);
			for (i = 0; i < op->n; i++)
				fprintf(f, "iov[%d] = (struct iovec){ (void *)0x%lx, %zu }; ",
					i, (unsigned long)op->iov[i].iov_base,
					op->iov[i].iov_len);
		}
	}
}

static void print_result(FILE *f, const struct result *r)
{
	unsigned int i;

	if (!r) {
		fprintf(f, "nothing: it did not get here, or not back");
		return;
	}
	fprintf(f, "%" PRId64, r->ret);
	if (r->ret == -1)
		fprintf(f, " %s", strerrorname_np(r->err) ?: "0");
	for (i = 0; i < r->n && i < MAX_OUT; i++)
		fprintf(f, " 0x%" PRIx64, r->out[i]);
	for (i = 0; i < sizeof(r->window); i++) {
		if (r->window[i] != 0xa5)
			fprintf(f, " [%u]=%02x", i, r->window[i]);
	}
	if (r->text[0])
		fputc(' ', f);
	for (i = 0; r->text[i]; i++)
		fputc(r->text[i] == '\n' ? ';' : r->text[i], f);
}

void describe(FILE *f, const char *indent, const struct sequence *s,
	      unsigned int i)
{
	const struct result *evfd = run_result(true, i);
	const struct result *eventfd = run_result(false, i);

	fprintf(f, "%sbegin(\"%s\");\n%s", indent, op_info[s->ops[i].kind].name,
		indent);
	print_args(f, &s->ops[i]);
	fprintf(f, "\n%s%s;\n%send(ret);\n", indent,
		op_info[s->ops[i].kind].text, indent);
	if (evfd && eventfd && !memcmp(evfd, eventfd, sizeof(*evfd))) {
		fprintf(f, "%s/* ", indent);
		print_result(f, evfd);
		fprintf(f, " */\n");
		return;
	}
	fprintf(f, "%s/*\n%s * DIFFERENT\n%s * evfd:    ", indent, indent,
		indent);
	print_result(f, evfd);
	fprintf(f, "\n%s * eventfd: ", indent);
	print_result(f, eventfd);
	fprintf(f, "\n%s */\n", indent);
}

void emit(FILE *f, const struct sequence *s, const char *headline)
{
	unsigned int i;

	fprintf(f, "/*\n * %s\n *\n", headline);
	fprintf(f, " *\tgcc -static -Iuapi -o show THIS.c\n");
	fprintf(f, " *\t./show evfd > 1; ./show eventfd > 2; diff 1 2\n");
	fprintf(f, " *\n * The sequence is main(), at the end.\n */\n");
	fwrite(world_text, 1, world_text_end - world_text, f);
	fprintf(f, "\nint main(int argc, char **argv)\n{\n");
	fprintf(f, "\tint fd = 0, fd2 = 0, n = 0;\n\tstruct iovec iov[3];\n");
	fprintf(f, "\tuint64_t len = 0, val = 0;\n\tint64_t a = 0, b = 0;\n");
	fprintf(f, "\tchar *buf = NULL;\n\tlong ret;\n\n");
	fprintf(f, "\tsetvbuf(stdout, NULL, _IONBF, 0);\n");
	fprintf(f, "\tworld_start(argc > 1 && !strcmp(argv[1], \"evfd\"));\n\n");
	for (i = 0; i < s->n; i++) {
		describe(f, "\t", s, i);
		fprintf(f, "\n");
	}
	fprintf(f, "\treturn 0;\n}\n");
}
