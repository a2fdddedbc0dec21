/*
 * Deadlines, folders, files and JSON for process-level tests
 *
 * JSON is read by yajl's own tree and by a small scanner, never by the project's reader, which is
 * among what the tests judge.
 */

#include "t/helpers/util.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

uint64_t util_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

uint64_t util_deadline(void)
{
	static unsigned ms;

	if (ms == 0) {
		const char *given = getenv("NC_TEST_DEADLINE_MS");

		ms = given ? (unsigned)atoi(given) : UTIL_DEADLINE_MS;
	}
	return util_now_ms() + ms;
}

int util_left_ms(uint64_t deadline)
{
	uint64_t now = util_now_ms();

	return now < deadline ? (int)(deadline - now) : 0;
}

void util_dir_make(char out[UTIL_PATH_MAX])
{
	const char *tmp = getenv("TMPDIR");

	/* the longest socket name of a test, a full channel name, follows */
	if (!tmp || !*tmp || strlen(tmp) > 24)
		tmp = "/tmp";
	snprintf(out, UTIL_PATH_MAX, "%s/nct.XXXXXX", tmp);
	if (!mkdtemp(out) || chmod(out, 0755) != 0)
		fail_msg("%s: %s", out, strerror(errno));
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

void util_dir_remove(const char *path)
{
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

char *util_read_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	size_t len = 0, room = 0, n;

	if (!f)
		return NULL;
	do {
		if (room - len < 4096) {
			room = room * 2 + 8192;
			text = realloc(text, room);
			assert_non_null(text);
		}
		n = fread(text + len, 1, room - len - 1, f);
		len += n;
	} while (n > 0);
	fclose(f);
	text[len] = '\0';
	return text;
}

void util_write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "wb");

	if (!f || fputs(text, f) == EOF || fclose(f) != 0)
		fail_msg("%s: %s", path, strerror(errno));
}

char *util_format(const char *fmt, ...)
{
	char *out = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&out, fmt, ap);
	va_end(ap);
	assert_true(n >= 0);
	return out;
}

char *util_quote(const char *text)
{
	char *out = malloc(strlen(text) * 6 + 3), *to = out;

	assert_non_null(out);
	*to++ = '"';
	for (; *text; text++) {
		if (*text == '"' || *text == '\\' || (unsigned char)*text < 0x20)
			to += sprintf(to, "\\u%04x", (unsigned char)*text);
		else
			*to++ = *text;
	}
	strcpy(to, "\"");
	return out;
}

yajl_val util_json(const char *text)
{
	char why[256] = "";
	yajl_val v = yajl_tree_parse(text, why, sizeof(why));

	if (!v)
		fail_msg("no JSON: %s\n%.400s", why, text);
	return v;
}

yajl_val util_json_at(yajl_val v, const char *path)
{
	char key[64];
	const char *keys[] = {key, NULL};

	while (v && *path) {
		size_t n = strcspn(path, ".");

		assert_true(n < sizeof(key));
		memcpy(key, path, n);
		key[n] = '\0';
		path += n + (path[n] == '.');
		v = YAJL_IS_OBJECT(v) ? yajl_tree_get(v, keys, yajl_t_any) : NULL;
	}
	return v;
}

int64_t util_json_int(yajl_val v, const char *path)
{
	yajl_val at = util_json_at(v, path);

	if (!YAJL_IS_INTEGER(at))
		fail_msg("%s is not there, or no whole number", path);
	return YAJL_GET_INTEGER(at);
}

const char *util_json_text(yajl_val v, const char *path)
{
	yajl_val at = util_json_at(v, path);

	if (!YAJL_IS_STRING(at))
		fail_msg("%s is not there, or no string", path);
	return YAJL_GET_STRING(at);
}

static bool numbers_equal(yajl_val a, yajl_val b)
{
	const char *x = YAJL_GET_NUMBER(a), *y = YAJL_GET_NUMBER(b);

	if (!strpbrk(x, ".eE") && !strpbrk(y, ".eE"))
		return strcmp(x, y) == 0;
	return strtod(x, NULL) == strtod(y, NULL);
}

static bool values_equal(yajl_val a, yajl_val b);

static bool objects_equal(yajl_val a, yajl_val b)
{
	if (a->u.object.len != b->u.object.len)
		return false;
	for (size_t i = 0; i < a->u.object.len; i++) {
		const char *path[] = {a->u.object.keys[i], NULL};
		yajl_val other = yajl_tree_get(b, path, yajl_t_any);

		if (!other || !values_equal(a->u.object.values[i], other))
			return false;
	}
	return true;
}

static bool values_equal(yajl_val a, yajl_val b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case yajl_t_string: return strcmp(a->u.string, b->u.string) == 0;
	case yajl_t_number: return numbers_equal(a, b);
	case yajl_t_object: return objects_equal(a, b);
	case yajl_t_array:
		if (a->u.array.len != b->u.array.len)
			return false;
		for (size_t i = 0; i < a->u.array.len; i++)
			if (!values_equal(a->u.array.values[i], b->u.array.values[i]))
				return false;
		return true;
	default: return true;
	}
}

bool util_json_equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
	/* in an array, since yajl's tree takes no bare values, and terminated */
	char *x = util_format("[%.*s]", (int)a_len, a), *y = util_format("[%.*s]", (int)b_len, b);
	yajl_val v = util_json(x), w = util_json(y);
	bool equal = values_equal(v, w);

	yajl_tree_free(v);
	yajl_tree_free(w);
	free(x);
	free(y);
	return equal;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && is_space(*p))
		p++;
	return p;
}

static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p < end ? p + 1 : end;
}

/* Past the value at p: to the comma or bracket that ends it at its own depth. */
static const char *skip_value(const char *p, const char *end)
{
	int depth = 0;

	while (p < end) {
		if (*p == '"') {
			p = skip_string(p, end);
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		if (depth == 0 && (*p == ',' || *p == '}' || *p == ']'))
			break;
		if (*p == '}' || *p == ']')
			depth--;
		p++;
	}
	return p;
}

const char *util_json_raw(const char *p, size_t len, const char *key, size_t *raw_len)
{
	const char *end = p + len, *found = NULL;

	p = skip_space(p, end);
	if (p == end || *p++ != '{')
		return NULL;
	while ((p = skip_space(p, end)) < end && *p == '"') {
		const char *name = p + 1, *value;
		size_t name_len;

		p = skip_string(p, end);
		name_len = (size_t)(p - name) - 1;
		p = skip_space(p, end) + 1;
		value = skip_space(p, end);
		p = skip_value(value, end);
		if (name_len == strlen(key) && memcmp(name, key, name_len) == 0) {
			const char *last = p;

			while (last > value && is_space(last[-1]))
				last--;
			found = value;
			*raw_len = (size_t)(last - value);
		}
		if (p < end && *p == ',')
			p++;
	}
	return found;
}
