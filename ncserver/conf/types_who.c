/* types_who.c - users, groups and lists of them
 *
 * Names are looked up when a configuration is read, and ids are kept: what the server enforces does
 * not change until the next reload, and no event waits for a directory service. A name of digits
 * only is an id, which need not exist.
 */

#include "ncserver/conf/types.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ncserver/conf/printer.h"

/* Bytes that one entry of the user database may take. */
#define ENTRY_MAX ((size_t)1 << 20)

_Static_assert(sizeof(uid_t) == sizeof(uint32_t) && sizeof(gid_t) == sizeof(uint32_t),
               "users and groups are handled alike, as 32 bits");

/* No id: what chown() takes for "leave". */
#define NO_ID UINT32_MAX

/* Asks the database into a buffer of `len` bytes. Returns 0, an errno, or ERANGE. */
static int ask(bool group, const char *name, char *buf, size_t len, bool *found, uint32_t *id)
{
	struct passwd pw, *p = NULL;
	struct group gr, *g = NULL;
	int r = group ? getgrnam_r(name, &gr, buf, len, &g) : getpwnam_r(name, &pw, buf, len, &p);

	*found = !r && (g || p);
	if (*found)
		*id = group ? g->gr_gid : p->pw_uid;
	return r;
}

/* Returns 0, 1 when there is nobody of that name, a negative errno when it can't be found out. */
static int look_up(bool group, const char *name, uint32_t *id)
{
	bool found = false;
	int r = ERANGE;

	for (size_t len = 1024; r == ERANGE && len <= ENTRY_MAX; len *= 4) {
		char *buf = malloc(len);

		if (!buf)
			return -ENOMEM;
		r = ask(group, name, buf, len, &found, id);
		free(buf);
	}
	if (found)
		return 0;
	/* "not found" comes in all these forms (getpwnam(3)) */
	if (!r || r == ENOENT || r == ESRCH || r == EBADF || r == EPERM)
		return 1;
	return -r;
}

static bool parse_id(const char *s, uint32_t *id)
{
	unsigned long long value;
	char *end;

	if (!*s || s[strspn(s, "0123456789")])
		return false;
	errno = 0;
	value = strtoull(s, &end, 10);
	*id = errno || value >= NO_ID ? NO_ID : (uint32_t)value;
	return true;
}

/* Finds the id of a user or a group. Returns 0; 1 with a problem added; -ENOMEM. */
static int resolve(struct walk *w, const struct cnode *n, bool group, const char *name,
                   uint32_t *id)
{
	const char *what = group ? "group" : "user";
	int r;

	if (parse_id(name, id)) {
		if (*id != NO_ID)
			return 0;
		walk_error(w, n, "%s is no id of a %s", name, what);
		return 1;
	}
	r = look_up(group, name, id);
	if (!r || r == -ENOMEM)
		return r;
	if (r > 0)
		walk_error(w, n, "unknown %s \"%s\"", what, name);
	else
		walk_error(w, n, "cannot look up the %s \"%s\": %s", what, name, strerror(-r));
	return 1;
}

/* The same for an integer. */
static int resolve_integer(struct walk *w, const struct cnode *n, bool group, uint32_t *id)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, n->integer);
	if (n->integer >= 0)
		return resolve(w, n, group, text, id);
	walk_error(w, n, "%s is no id of a %s", text, group ? "group" : "user");
	return 1;
}

static int read_id(struct walk *w, const struct schema_key *k, const struct cnode *n, void *at)
{
	bool group = k->type == &type_group;
	uint32_t id;
	int r;

	if (n->type == CNODE_INT) {
		r = resolve_integer(w, n, group, &id);
	} else if (n->type == CNODE_STRING) {
		r = resolve(w, n, group, n->string, &id);
	} else {
		walk_error_type(w, n, k->type->expects);
		r = 1;
	}
	if (!r)
		memcpy(at, &id, sizeof(id));
	return r < 0 ? r : 0;
}

static uint32_t fetch(const void *at)
{
	uint32_t id;

	memcpy(&id, at, sizeof(id));
	return id;
}

static void print_id(struct printer *p, const struct schema_key *k, const void *at)
{
	uint32_t id = fetch(at);
	char text[16];

	if (id == NO_ID)
		return;
	snprintf(text, sizeof(text), "%" PRIu32, id);
	printer_string(p, k->name, text);
}

static bool equal_id(const struct schema_key *k, const void *a, const void *b)
{
	(void)k;
	return fetch(a) == fetch(b);
}

static void preset_id(const struct schema_key *k, void *at)
{
	const uint32_t none = NO_ID;

	(void)k;
	memcpy(at, &none, sizeof(none));
}

#define ID .read = read_id, .print = print_id, .equal = equal_id, .preset = preset_id

const struct schema_type type_user = {ID, .expects = "a user: a name in quotes, or an id"};
const struct schema_type type_group = {ID, .expects = "a group: a name in quotes, or an id"};

/* Ids of one kind, sorted and each once. */
struct ids {
	size_t n;
	uint32_t *list;
};

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = fetch(a), y = fetch(b);

	return x < y ? -1 : x > y;
}

static void ids_tidy(struct ids *ids)
{
	size_t n = 0;

	qsort(ids->list, ids->n, sizeof(*ids->list), compare_ids);
	for (size_t i = 0; i < ids->n; i++)
		if (!n || ids->list[n - 1] != ids->list[i])
			ids->list[n++] = ids->list[i];
	ids->n = n;
}

static int read_entry(struct walk *w, const struct cnode *n, struct ids *users, struct ids *groups)
{
	bool group = n->type == CNODE_STRING && *n->string == '@';
	struct ids *ids = group ? groups : users;
	uint32_t id = NO_ID;
	int r = 1;

	if (n->type == CNODE_INT)
		r = resolve_integer(w, n, false, &id);
	else if (n->type == CNODE_STRING && n->string[group])
		r = resolve(w, n, group, n->string + group, &id);
	else
		walk_error_type(w, n, "a user such as \"alice\" or a group such as \"@staff\"");
	if (!r)
		ids->list[ids->n++] = id;
	return r < 0 ? r : 0;
}

static int read_acl(struct walk *w, const struct schema_key *k, const struct cnode *n, void *at)
{
	struct conf_acl *acl = at;
	struct ids users = {0}, groups = {0};
	int r = 0;

	if (n->type != CNODE_LIST) {
		walk_error_type(w, n, k->type->expects);
		return 0;
	}
	if (n->n > CONF_LIST_MAX) {
		walk_error(w, n, "%zu names are too many: at most %u", n->n, CONF_LIST_MAX);
		return 0;
	}
	acl->set = true;
	users.list = acl->uids = calloc(n->n + 1, sizeof(*acl->uids));
	groups.list = acl->gids = calloc(n->n + 1, sizeof(*acl->gids));
	if (!acl->uids || !acl->gids)
		return -ENOMEM;
	for (const struct cnode *e = n->first; !r && e; e = e->next)
		r = read_entry(w, e, &users, &groups);
	ids_tidy(&users);
	ids_tidy(&groups);
	acl->n_uids = users.n;
	acl->n_gids = groups.n;
	return r;
}

static void print_acl(struct printer *p, const struct schema_key *k, const void *at)
{
	const struct conf_acl *acl = at;
	char text[16];

	if (!acl->set)
		return;
	printer_open(p, k->name, PRINTER_ARRAY);
	for (size_t i = 0; i < acl->n_uids; i++) {
		snprintf(text, sizeof(text), "%" PRIu32, (uint32_t)acl->uids[i]);
		printer_string(p, NULL, text);
	}
	for (size_t i = 0; i < acl->n_gids; i++) {
		snprintf(text, sizeof(text), "@%" PRIu32, (uint32_t)acl->gids[i]);
		printer_string(p, NULL, text);
	}
	printer_close(p, k->name, PRINTER_ARRAY);
}

static bool equal_list(const uint32_t *a, size_t n, const uint32_t *b, size_t m)
{
	return n == m && (!n || !memcmp(a, b, n * sizeof(*a)));
}

static bool equal_acl(const struct schema_key *k, const void *a, const void *b)
{
	const struct conf_acl *x = a, *y = b;

	(void)k;
	return x->set == y->set && equal_list(x->uids, x->n_uids, y->uids, y->n_uids) &&
	       equal_list(x->gids, x->n_gids, y->gids, y->n_gids);
}

static void fini_acl(const struct schema_key *k, void *at)
{
	struct conf_acl *acl = at;

	(void)k;
	free(acl->uids);
	free(acl->gids);
	*acl = (struct conf_acl){0};
}

const struct schema_type type_acl = {
        .expects = "a list such as [ \"alice\", \"@staff\" ]",
        .read = read_acl,
        .print = print_acl,
        .equal = equal_acl,
        .fini = fini_acl,
};

static bool has_id(const uint32_t *list, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == id)
			return true;
	return false;
}

bool conf_acl_admits(const struct conf_acl *acl, uid_t uid, const gid_t *gids, size_t n_gids)
{
	if (!acl->set || has_id(acl->uids, acl->n_uids, uid))
		return true;
	for (size_t i = 0; i < n_gids; i++)
		if (has_id(acl->gids, acl->n_gids, gids[i]))
			return true;
	return false;
}
