/* net_keys.c - the keys of this server: from their files, and exchanged while it runs */
#include "ncserver/io/net_impl.h"

#include "libnc/base/buf.h"
#include "libnc/json/packet.h"
#include "ncserver/io/fault.h"
#include "ncserver/io/keyfile.h"
#include "ncserver/io/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

/* Hosts that one message names. */
#define LACKING_NAMED_MAX 8u

static int install(struct keyring *r, struct server *s, const char *path, bool is_current,
                   uint32_t *id, struct fault *f)
{
	struct key key;
	int err = keyfile_read(&key, s->crypto, path, f);

	if (err)
		return err;
	*id = key.id;
	err = keyring_install(r, &key);
	if (!err && is_current)
		err = keyring_use(r, key.id);
	key_wipe(&key);
	return err ? fault_set(f, EX_CONFIG, "%s: %s", path,
	                       keyring_strerror((enum keyring_error)err))
	           : 0;
}

int net_keys_read(struct keyring *r, struct server *s, const struct conf *conf, struct fault *f)
{
	struct key none;
	uint32_t id;
	int err = 0;

	keyring_init(r);
	if (conf->keys.n == 0) {
		key_init_insecure(&none);
		err = keyring_install(r, &none);
		return err ? err : keyring_use(r, none.id);
	}
	for (size_t i = 0; i < conf->keys.n && !err; i++) {
		const char *path = conf->keys.list[i];
		bool is_current = conf->key ? strcmp(conf->key, path) == 0 : i == 0;

		err = install(r, s, path, is_current, &id, f);
	}
	if (err)
		keyring_fini(r);
	return err;
}

/* ---- who could not follow ---- */

struct lacking {
	struct buf names;
	uint32_t n;
};

static void add_lacking(void *arg, const char *host)
{
	struct lacking *l = arg;

	if (l->n++ < LACKING_NAMED_MAX)
		(void)buf_printf(&l->names, "%s%s", l->n > 1 ? ", " : "", host);
}

/* Finds the hosts that have not shown that they hold a key. */
static void find_lacking(struct lacking *l, struct net *n, uint32_t id)
{
	l->n = 0;
	buf_init(&l->names, 4096);
	mesh_key_lacking(n->mesh, id, server_now(), add_lacking, l);
	if (l->n > LACKING_NAMED_MAX)
		(void)buf_printf(&l->names, " and %u more", l->n - LACKING_NAMED_MAX);
}

static bool loses_one(const struct keyring *from, const struct keyring *to)
{
	for (const struct key *k = keyring_next(from, NULL); k; k = keyring_next(from, k))
		if (!keyring_find(to, k->id))
			return true;
	return false;
}

int net_keys_check(struct net *n, const struct keyring *next, struct fault *f)
{
	struct lacking l;
	int err = 0;

	if (next->current->id == n->ring.current->id && !loses_one(&n->ring, next))
		return 0;
	find_lacking(&l, n, next->current->id);
	if (l.n > 0)
		err = fault_set(f, EX_CONFIG,
		                "key %08x: these hosts have not shown that they hold it, and would "
		                "be cut off: %s",
		                next->current->id, buf_str(&l.names));
	buf_fini(&l.names);
	return err;
}

/* ---- questions ---- */

struct key_question {
	struct server *s;
	yajl_val data;
	struct buf *out;
	char **why;
};

static enum nc_error say(const struct key_question *q, enum nc_error e, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

static enum nc_error say(const struct key_question *q, enum nc_error e, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (vasprintf(q->why, fmt, args) < 0)
		*q->why = NULL;
	va_end(args);
	return e;
}

static yajl_val member(const struct key_question *q, const char *name)
{
	const char *path[] = {name, NULL};

	return q->data && YAJL_IS_OBJECT(q->data) ? yajl_tree_get(q->data, path, yajl_t_any) : NULL;
}

/* The id of the key that is meant: 8 hexadecimal digits. */
static const struct key *named_key(const struct key_question *q, enum nc_error *e)
{
	const char *text = YAJL_GET_STRING(member(q, "id"));
	const struct key *k;
	char *end;

	*e = NC_EINVAL;
	if (!text || strlen(text) != 8 || strspn(text, "0123456789abcdefABCDEF") != 8) {
		say(q, *e, "the data names no key: its id has 8 hexadecimal digits");
		return NULL;
	}
	k = keyring_find(&q->s->net->ring, (uint32_t)strtoul(text, &end, 16));
	*e = NC_ENOENT;
	if (!k)
		say(q, *e, "no key %s is held", text);
	return k;
}

/* Whether it may be done although these hosts lack the key. What it costs is told in *cut. */
static bool may_cut(const struct key_question *q, uint32_t id, struct lacking *cut)
{
	find_lacking(cut, q->s->net, id);
	return cut->n == 0 || YAJL_IS_TRUE(member(q, "force"));
}

static enum nc_error answer_cut(const struct key_question *q, const struct key *k,
                                struct lacking *cut)
{
	int rc = buf_printf(q->out, "{\"id\":\"%08x\",\"cut_off\":", k->id);

	rc |= packet_append_string(q->out, buf_str(&cut->names), cut->names.len);
	rc |= buf_append_byte(q->out, '}');
	buf_fini(&cut->names);
	return rc ? NC_ENOMEM : NC_OK;
}

static enum nc_error refuse_cut(const struct key_question *q, uint32_t id, struct lacking *cut)
{
	say(q, NC_EREMOTE,
	    "these hosts have not shown that they hold key %08x, and would be cut off: %s", id,
	    buf_str(&cut->names));
	buf_fini(&cut->names);
	return NC_EREMOTE;
}

static enum nc_error ask_keys(const struct key_question *q)
{
	struct net *n = q->s->net;
	const char *sep = "";
	int rc = buf_append_byte(q->out, '[');

	for (const struct key *k = keyring_next(&n->ring, NULL); k; k = keyring_next(&n->ring, k)) {
		struct lacking l;

		find_lacking(&l, n, k->id);
		rc |= buf_printf(q->out, "%s{\"id\":\"%08x\",\"cipher\":\"%s\",\"current\":%s", sep,
		                 k->id, cipher_name(k->cipher),
		                 k == n->ring.current ? "true" : "false");
		rc |= buf_append_str(q->out, ",\"label\":");
		rc |= packet_append_string(q->out, k->label, strlen(k->label));
		rc |= buf_append_str(q->out, ",\"lacking\":");
		rc |= packet_append_string(q->out, buf_str(&l.names), l.names.len);
		rc |= buf_append_byte(q->out, '}');
		buf_fini(&l.names);
		sep = ",";
	}
	rc |= buf_append_byte(q->out, ']');
	return rc ? NC_ENOMEM : NC_OK;
}

static enum nc_error ask_install(const struct key_question *q)
{
	const char *path = YAJL_GET_STRING(member(q, "path"));
	struct net *n = q->s->net;
	struct fault f = {0};
	uint32_t id = 0;

	if (!path || *path != '/')
		return say(q, NC_EINVAL, "the data names no key file by an absolute path");
	if (install(&n->ring, q->s, path, false, &id, &f))
		return say(q, NC_EREMOTE, "%s", f.text);
	mesh_keys_changed(n->mesh);
	log_info(&q->s->log, "a key is held", log_str("file", path));
	return buf_printf(q->out, "{\"id\":\"%08x\"}", id) ? NC_ENOMEM : NC_OK;
}

static enum nc_error ask_use(const struct key_question *q)
{
	enum nc_error e;
	const struct key *k = named_key(q, &e);
	struct net *n = q->s->net;
	struct lacking cut;

	if (!k)
		return e;
	if (!may_cut(q, k->id, &cut))
		return refuse_cut(q, k->id, &cut);
	keyring_use(&n->ring, k->id);
	mesh_keys_changed(n->mesh);
	log_info(&q->s->log, "another key seals", log_str("label", k->label));
	return answer_cut(q, k, &cut);
}

static enum nc_error ask_remove(const struct key_question *q)
{
	enum nc_error e;
	const struct key *k = named_key(q, &e);
	struct net *n = q->s->net;
	struct lacking cut;
	struct key shown;
	int err;

	if (!k)
		return e;
	if (k == n->ring.current)
		return say(q, NC_EREMOTE, "%s", keyring_strerror(KEYRING_IN_USE));
	/* who does not hold the one that stays may speak with this one only */
	if (!may_cut(q, n->ring.current->id, &cut))
		return refuse_cut(q, n->ring.current->id, &cut);
	shown = (struct key){.id = k->id};
	err = keyring_remove(&n->ring, k->id);
	if (err) {
		buf_fini(&cut.names);
		return say(q, NC_EREMOTE, "%s", keyring_strerror((enum keyring_error)err));
	}
	mesh_keys_changed(n->mesh);
	log_info(&q->s->log, "a key is held no more, and wiped",
	         log_uint("keys", keyring_n(&n->ring)));
	return answer_cut(q, &shown, &cut);
}

enum nc_error net_ask_keys(struct server *s, const char *what, size_t len, const char *data,
                           size_t data_len, struct buf *out, char **why)
{
	static const struct {
		const char *what;
		enum nc_error (*fn)(const struct key_question *q);
	} table[] = {
	        {"keys", ask_keys},
	        {"keyinstall", ask_install},
	        {"keyuse", ask_use},
	        {"keyremove", ask_remove},
	};
	struct key_question q = {.s = s, .out = out, .why = why};
	enum nc_error e = NC_ENOBODY;
	char *text;

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (strlen(table[i].what) != len || memcmp(table[i].what, what, len) != 0)
			continue;
		if (!s->net)
			return say(&q, NC_EREMOTE, "this server takes part in no network");
		text = strndup(data, data_len);
		q.data = text ? yajl_tree_parse(text, NULL, 0) : NULL;
		e = table[i].fn(&q);
		if (q.data)
			yajl_tree_free(q.data);
		free(text);
	}
	return e;
}
