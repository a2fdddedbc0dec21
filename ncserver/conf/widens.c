/* widens.c - whether a rule gives somebody a right that a channel does not give him
 *
 * A rule acts with the server's right: who may emit on A emits, in effect, on every channel that
 * A's rule reaches, and who listens there hears A. That is what rules are for; where a list of
 * users says something narrower, a person should know.
 *
 * A list is compared as it is written. Where there is none, the socket's mode, owner and group say
 * who can connect. Root and the server's own user are in every list: no channel keeps anything
 * from them.
 */

#include "ncserver/conf/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define NO_ID UINT32_MAX

/* Who has a right on a channel. */
struct who {
	bool everybody;
	const uid_t *uids;
	size_t n_uids;
	const gid_t *gids;
	size_t n_gids;
	gid_t own; /* where gids points, when no list and no group says more */
};

static void who_init(struct who *w, const struct conf_channel *c, const struct conf_acl *acl)
{
	*w = (struct who){.own = c->group};
	if (acl->set) {
		w->uids = acl->uids;
		w->n_uids = acl->n_uids;
		w->gids = acl->gids;
		w->n_gids = acl->n_gids;
		return;
	}
	if (w->own == NO_ID)
		w->own = getegid();
	w->everybody = c->mode & 0002;
	w->uids = &c->owner;
	w->n_uids = c->owner != NO_ID && c->mode & 0200;
	w->gids = &w->own;
	w->n_gids = c->mode & 0020 ? 1 : 0;
}

/* The first id of `a`, but `trusted` and 0, that `b` has not, or NO_ID. */
static uint32_t first_missing(const uint32_t *a, size_t n, const uint32_t *b, size_t m,
                              uint32_t trusted)
{
	for (size_t i = 0; i < n; i++) {
		size_t j = 0;

		while (j < m && b[j] != a[i])
			j++;
		if (j == m && a[i] != 0 && a[i] != trusted)
			return a[i];
	}
	return NO_ID;
}

/* Says who is in `a` and not in `b`. Returns false when nobody is. */
static bool exceeds(const struct who *a, const struct who *b, char *name, size_t len)
{
	uint32_t id;

	if (b->everybody)
		return false;
	if (a->everybody) {
		snprintf(name, len, "everybody");
		return true;
	}
	id = first_missing(a->uids, a->n_uids, b->uids, b->n_uids, geteuid());
	if (id != NO_ID) {
		snprintf(name, len, "uid %u", (unsigned)id);
		return true;
	}
	id = first_missing(a->gids, a->n_gids, b->gids, b->n_gids, NO_ID);
	if (id == NO_ID)
		return false;
	snprintf(name, len, "gid %u", (unsigned)id);
	return true;
}

/* Appends to the text. Returns its new length. */
static size_t append(char *text, size_t len, size_t at, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));

static size_t append(char *text, size_t len, size_t at, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text + at, len - at, fmt, args);
	va_end(args);
	return n < 0 || (size_t)n >= len - at ? len - 1 : at + (size_t)n;
}

size_t conf_rule_widens(const struct conf *c, size_t from, size_t to, char *text, size_t len)
{
	const struct conf_channel *a = &c->channels[from], *b = &c->channels[to];
	struct who of_a, of_b;
	char name[32];
	size_t n = 0;

	text[0] = 0;
	who_init(&of_a, a, &a->emit);
	who_init(&of_b, b, &b->emit);
	if (exceeds(&of_a, &of_b, name, sizeof(name)))
		n = append(text, len, n,
		           "%s may emit on %s, and so reaches %s without the right to "
		           "emit there",
		           name, a->name, b->name);
	who_init(&of_a, a, &a->listen);
	who_init(&of_b, b, &b->listen);
	if (exceeds(&of_b, &of_a, name, sizeof(name)))
		n = append(text, len, n,
		           "%s%s may listen to %s, and so hears %s without the right to "
		           "listen there",
		           n ? "; " : "", name, b->name, a->name);
	return n;
}
