/* key_file.c - reads and writes key files, nc-mesh-key(5)
 *
 * A key that was copied wrongly would be noticed by nobody: its host would be a mesh of its own. So
 * nothing is guessed here, each word stands at most once, and the id has to be that of the secret.
 */

#include "mesh/key.h"

#include "libnc/base/buf.h"
#include "libnc/base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct text {
	const char *p;
	size_t len;
};

enum { ID, CIPHER, SECRET, LABEL, N_WORDS };

/* What a file has said so far. */
struct file {
	unsigned line;
	unsigned at[N_WORDS]; /* the line of each word; 0: not yet */
	uint32_t id;
	enum cipher cipher;
	uint8_t secret[CRYPTO_KEY_LEN];
	struct text label;
	struct key_problem *problem;
};

__attribute__((format(printf, 3, 4))) static int complain(struct file *f, unsigned line,
                                                          const char *format, ...)
{
	va_list args;

	f->problem->line = line;
	va_start(args, format);
	vsnprintf(f->problem->text, sizeof(f->problem->text), format, args);
	va_end(args);
	return 1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct text strip(struct text t)
{
	while (t.len && is_blank(t.p[0])) {
		t.p++;
		t.len--;
	}
	while (t.len && is_blank(t.p[t.len - 1]))
		t.len--;
	return t;
}

/* Takes what stands before the first character for which `is_end` is true, and that one, off the
 * text. */
static struct text cut(struct text *t, bool (*is_end)(char c))
{
	struct text head = {t->p, 0};

	while (head.len < t->len && !is_end(t->p[head.len]))
		head.len++;
	t->p += head.len;
	t->len -= head.len;
	if (t->len) {
		t->p++;
		t->len--;
	}
	return head;
}

static bool is_newline(char c)
{
	return c == '\n';
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool unhex(uint8_t *out, size_t n, struct text t)
{
	if (t.len != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = digit(t.p[2 * i]), low = digit(t.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int take_id(struct file *f, struct text value)
{
	uint8_t b[4];

	if (!unhex(b, sizeof(b), value))
		return complain(f, f->line, "an id is 8 hexadecimal digits");
	f->id = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	return 0;
}

static int take_cipher(struct file *f, struct text value)
{
	if (!cipher_of_name(&f->cipher, value.p, value.len) || f->cipher == CIPHER_NONE)
		return complain(f, f->line, "a cipher is %s or %s", cipher_name(CIPHER_AES_256_GCM),
		                cipher_name(CIPHER_CHACHA20_POLY1305));
	return 0;
}

static int take_secret(struct file *f, struct text value)
{
	if (!unhex(f->secret, sizeof(f->secret), value))
		return complain(f, f->line, "a secret is 64 hexadecimal digits");
	return 0;
}

static int take_label(struct file *f, struct text value)
{
	if (!value.len || value.len > KEY_LABEL_MAX)
		return complain(f, f->line, "a label is 1 to %u bytes", KEY_LABEL_MAX);
	f->label = value;
	return 0;
}

static const struct {
	const char *name;
	int (*take)(struct file *f, struct text value);
} words[N_WORDS] = {
        [ID] = {"id", take_id},
        [CIPHER] = {"cipher", take_cipher},
        [SECRET] = {"secret", take_secret},
        [LABEL] = {"label", take_label},
};

static int check_text(struct file *f, struct text line)
{
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.p[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return complain(f, f->line, "a control character, 0x%02x", c);
	}
	return utf8_valid(line.p, line.len) ? 0 : complain(f, f->line, "not UTF-8");
}

static int take_line(struct file *f, struct text line)
{
	struct text word;
	int err = check_text(f, line);

	if (err)
		return err;
	line = strip(line);
	if (!line.len || line.p[0] == '#')
		return 0;
	word = cut(&line, is_blank);
	for (size_t i = 0; i < N_WORDS; i++) {
		if (strlen(words[i].name) != word.len ||
		    memcmp(words[i].name, word.p, word.len) != 0)
			continue;
		if (f->at[i])
			return complain(f, f->line, "a second %s, line %u has one", words[i].name,
			                f->at[i]);
		f->at[i] = f->line;
		return words[i].take(f, strip(line));
	}
	return complain(f, f->line, "id, cipher, secret, label or # expected");
}

static int take_file(struct key *k, struct crypto *c, struct text t, struct file *f)
{
	int err;

	if (t.len > KEY_FILE_MAX)
		return complain(f, 0, "longer than %u bytes: no key file", KEY_FILE_MAX);
	while (t.len) {
		f->line++;
		err = take_line(f, cut(&t, is_newline));
		if (err)
			return err;
	}
	for (size_t i = 0; i < LABEL; i++)
		if (!f->at[i])
			return complain(f, 0, "no %s", words[i].name);
	err = key_init(k, c, f->cipher, f->secret);
	if (err == -EINVAL)
		return complain(f, f->at[SECRET], "a secret that can't be used: its id is 0");
	if (err)
		return err;
	if (k->id != f->id)
		return complain(
		        f, f->at[ID],
		        "this is not the id of secret and cipher, which is %08x: one of the "
		        "three is wrong",
		        k->id);
	if (f->label.len)
		memcpy(k->label, f->label.p, f->label.len);
	return 0;
}

int key_parse(struct key *k, struct crypto *c, const void *text, size_t len, struct key_problem *p)
{
	struct file f = {.problem = p};
	int err;

	*k = (struct key){0};
	*p = (struct key_problem){0};
	err = take_file(k, c, (struct text){text, len}, &f);
	explicit_bzero(&f, sizeof(f));
	if (err)
		key_wipe(k);
	return err;
}

int key_print(struct buf *b, const struct key *k)
{
	char secret[2 * CRYPTO_KEY_LEN + 1];
	int err;

	for (size_t i = 0; i < CRYPTO_KEY_LEN; i++)
		snprintf(secret + 2 * i, 3, "%02x", k->secret[i]);
	/* at once, so that no piece of it stays in memory that was given back */
	err = buf_reserve(b, KEY_FILE_MAX / 4);
	if (!err)
		err = buf_printf(
		        b,
		        "# A key of a netcluster mesh, nc-mesh-key(5): whoever has it reads "
		        "and sends\n# everything. Each host needs this very file.\n"
		        "id %08x\ncipher %s\nsecret %s\n%s%s%s",
		        k->id, cipher_name(k->cipher), secret, *k->label ? "label " : "", k->label,
		        *k->label ? "\n" : "");
	explicit_bzero(secret, sizeof(secret));
	return err;
}
