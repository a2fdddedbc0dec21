/* check.c - what must hold between the values of a configuration
 *
 * A value that is legal by itself may contradict another one: that is an error here, before the
 * server starts, because what can't be honoured exactly must not be honoured somehow. What is legal
 * and may surprise is a warning. Nothing here changes the configuration.
 */

#include "ncserver/conf/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ncserver/conf/groups.h"
#include "ncserver/conf/problem.h"
#include "ncserver/conf/schema.h"
#include "ncserver/conf/types.h"
#include "ncserver/route/rules.h"

/* Channels that one warning about a rule names. */
#define WIDENS_NAMED_MAX 8u

#define NO_UID ((uid_t)-1)
#define NO_GID ((gid_t)-1)

/* One channel under examination. */
struct subject {
	struct walk *w;
	const struct cnode *root;
	const struct cnode *node; /* NULL: the file does not name it */
	const struct conf_channel *c;
};

static void tell(struct subject *s, bool warning, const char *key, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));

/* Reports at the line of a key of the channel, or of the channel, or of the file. A key that is
 * NULL means the channel itself. */
static void tell(struct subject *s, bool warning, const char *key, const char *fmt, ...)
{
	const struct cnode *n = s->node && key ? cnode_get(s->node, key) : NULL;
	char text[PROBLEM_TEXT_MAX];
	va_list args;

	if (!n)
		n = s->node ? s->node : s->root;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	problems_add(s->w->problems, warning, n->file, n->line, "channels.%s%s%s: %s", s->c->name,
	             key ? "." : "", key ? key : "", text);
}

#define error(s, key, ...) tell(s, false, key, __VA_ARGS__)
#define warn(s, key, ...)  tell(s, true, key, __VA_ARGS__)

static void check_paths(struct subject *s)
{
	size_t len = strlen(s->c->socket);

	if (len > CONF_SOCKET_PATH_MAX)
		error(s, "socket",
		      "%s has %zu bytes: at most %u, so that it fits a socket's address",
		      s->c->socket, len, CONF_SOCKET_PATH_MAX);
	if (s->c->fifo && strlen(s->c->fifo) > CONF_FIFO_PATH_MAX)
		error(s, "fifo", "its path has %zu bytes: at most %u", strlen(s->c->fifo),
		      CONF_FIFO_PATH_MAX);
}

static void check_control(struct subject *s)
{
	if (s->c->regex)
		error(s, "propagatetochannels", "what is said on control reaches no other channel");
	if (s->c->net != CONF_NET_OFF)
		error(s, "propagatetonet", "what is said on control stays on this host");
	if (s->c->from_net || s->c->net_from.set)
		error(s, s->c->from_net ? "propagatefromnet" : "netfrom",
		      "control hears no other host");
	if (s->c->fifo)
		error(s, "fifo", "control answers, which needs a socket");
	if (s->c->emit.set)
		error(s, "emit", "who may send requests to control is said by \"admin\"");
	if (!s->w->conf->startcontrol)
		error(s, NULL, "it is there, and \"startcontrol\" is false");
}

/* The server's own user has all rights of the file anyway. */
static bool is_trusted(const struct subject *s, uid_t uid)
{
	return uid == NO_UID || uid == 0 || uid == s->w->env->uid;
}

static bool has_uid(const struct conf_acl *acl, uid_t uid)
{
	for (size_t i = 0; i < acl->n_uids; i++)
		if (acl->uids[i] == uid)
			return true;
	return false;
}

static bool has_gid(const struct conf_acl *acl, gid_t gid)
{
	for (size_t i = 0; i < acl->n_gids; i++)
		if (acl->gids[i] == gid)
			return true;
	return false;
}

/* Whoever the list names must be let in by mode, owner and group of the fifo: that is all that the
 * kernel asks. */
static void check_fifo_lets_in(struct subject *s)
{
	const struct conf_channel *c = s->c;

	for (size_t i = 0; i < c->emit.n_uids; i++) {
		uid_t uid = c->emit.uids[i];

		if (uid != 0 && (uid != c->owner || !(c->mode & 0200)) &&
		    !(c->owner == NO_UID && uid == s->w->env->uid && c->mode & 0200))
			error(s, "fifo",
			      "\"emit\" names uid %u, and a fifo knows one user: its owner (with a "
			      "mode such as \"0600\")",
			      (unsigned)uid);
	}
	for (size_t i = 0; i < c->emit.n_gids; i++)
		if (c->emit.gids[i] != c->group || !(c->mode & 0020))
			error(s, "fifo",
			      "\"emit\" names gid %u, and a fifo knows one group: its own (with a "
			      "mode such as \"0620\")",
			      (unsigned)c->emit.gids[i]);
}

/* Whoever mode, owner and group let in must be on the list. */
static void check_fifo_keeps_out(struct subject *s)
{
	const struct conf_channel *c = s->c;

	if (c->mode & 0002)
		error(s, "fifo", "mode \"%04o\" lets everybody write it, and \"emit\" does not",
		      (unsigned)c->mode);
	if (c->mode & 0020 && !has_gid(&c->emit, c->group)) {
		if (c->group == NO_GID)
			error(s, "fifo",
			      "mode \"%04o\" lets the server's own group write it, and \"emit\" "
			      "does not",
			      (unsigned)c->mode);
		else
			error(s, "fifo",
			      "mode \"%04o\" lets gid %u write it, and \"emit\" does not",
			      (unsigned)c->mode, (unsigned)c->group);
	}
	if (c->mode & 0200 && !is_trusted(s, c->owner) && !has_uid(&c->emit, c->owner))
		error(s, "fifo", "mode \"%04o\" lets uid %u write it, and \"emit\" does not",
		      (unsigned)c->mode, (unsigned)c->owner);
}

static void check_fifo(struct subject *s)
{
	if (!s->c->fifo || !s->c->emit.set)
		return;
	if (!s->c->emit.n_uids && !s->c->emit.n_gids) {
		error(s, "fifo", "it is there to emit, and \"emit\" names nobody");
		return;
	}
	check_fifo_lets_in(s);
	check_fifo_keeps_out(s);
}

static void check_rights(struct subject *s)
{
	const struct conf_acl *l = &s->c->listen;

	if (l->set && !l->n_uids && !l->n_gids)
		error(s, "listen", "nobody may listen: what is the channel for?");
	if (!(s->c->mode & 0222))
		warn(s, "mode", "\"%04o\" lets nobody but root connect", (unsigned)s->c->mode);
}

static void check_net(struct subject *s)
{
	if (s->c->net != CONF_NET_OFF)
		return;
	if (s->c->from_net)
		warn(s, "propagatefromnet", "nothing arrives: \"propagatetonet\" is false");
	if (s->c->net_from.set)
		warn(s, "netfrom", "nothing arrives: \"propagatetonet\" is false");
}

/* A message of the largest size could never be: the quota would refuse it. */
static bool is_beyond_quota(const struct conf *c, uint32_t max_message)
{
	return max_message > c->quota.bytes;
}

static void check_sizes(struct subject *s)
{
	const struct conf *c = s->w->conf;

	if (s->c->max_message != c->max_message && is_beyond_quota(c, s->c->max_message))
		warn(s, "max_message", "more than the %llu bytes that \"quota\" gives a user",
		     (unsigned long long)c->quota.bytes);
}

static void check_channel(struct subject *s)
{
	check_paths(s);
	if (!strcmp(s->c->name, CONF_CONTROL)) {
		check_control(s);
	} else {
		check_fifo(s);
		check_net(s);
	}
	check_rights(s);
	check_sizes(s);
}

/* A path of a channel, for finding those that meet. */
struct path {
	const char *path;
	const char *key;
	size_t channel;
};

static int compare_paths(const void *a, const void *b)
{
	const struct path *x = a, *y = b;
	int r = strcmp(x->path, y->path);

	if (r)
		return r;
	return x->channel < y->channel ? -1 : x->channel > y->channel;
}

static struct subject subject_of(struct walk *w, const struct cnode *root, size_t i)
{
	return (struct subject){w, root, w->channel_nodes[i], &w->conf->channels[i]};
}

static int check_distinct_paths(struct walk *w, const struct cnode *root)
{
	const struct conf *c = w->conf;
	struct path *list = calloc(2 * c->n_channels + 1, sizeof(*list));
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_channels; i++) {
		list[n++] = (struct path){c->channels[i].socket, "socket", i};
		if (c->channels[i].fifo)
			list[n++] = (struct path){c->channels[i].fifo, "fifo", i};
	}
	qsort(list, n, sizeof(*list), compare_paths);
	for (size_t i = 1; i < n; i++) {
		struct subject s = subject_of(w, root, list[i].channel);

		if (!strcmp(list[i - 1].path, list[i].path))
			error(&s, list[i].key, "%s is the %s of channel %s, too", list[i].path,
			      list[i - 1].key, c->channels[list[i - 1].channel].name);
	}
	free(list);
	return 0;
}

/* Reports the rule of one channel, as far as it widens rights. */
static void check_rule(struct subject *s, const struct rules *rules, size_t i)
{
	size_t n, n_widened = 0;
	const uint32_t *reach = rules_reach(rules, i, &n);

	for (size_t j = 1; j < n; j++) {
		char text[PROBLEM_TEXT_MAX];

		if (!conf_rule_widens(s->w->conf, i, reach[j], text, sizeof(text)))
			continue;
		if (n_widened++ < WIDENS_NAMED_MAX)
			warn(s, "propagatetochannels", "%s", text);
	}
	if (n_widened > WIDENS_NAMED_MAX)
		warn(s, "propagatetochannels", "it widens rights towards %zu more channels",
		     n_widened - WIDENS_NAMED_MAX);
}

static int check_rules(struct walk *w, const struct cnode *root)
{
	const struct conf *c = w->conf;
	struct rules_in *in = calloc(c->n_channels + 1, sizeof(*in));
	struct rules *rules = NULL;
	struct rules_error err;
	int r;

	if (!in)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_channels; i++)
		in[i] = (struct rules_in){c->channels[i].name, c->channels[i].regex};
	r = rules_new(&rules, in, c->n_channels, &err);
	free(in);
	if (r > 0) {
		struct subject s = subject_of(w, root, err.channel);

		error(&s, "propagatetochannels", "%s", err.text);
		return 0;
	}
	for (size_t i = 0; !r && i < c->n_channels; i++) {
		struct subject s = subject_of(w, root, i);

		check_rule(&s, rules, i);
	}
	rules_free(rules);
	return r;
}

static void check_top_sizes(struct walk *w, const struct cnode *root)
{
	const struct cnode *n = cnode_get(root, "quota");

	if (is_beyond_quota(w->conf, w->conf->max_message))
		walk_warn(w, n ? n : root,
		          "\"max_message\" is more than the %llu bytes that \"quota\" gives a user",
		          (unsigned long long)w->conf->quota.bytes);
}

/* The line of a key, or of the file. */
static const struct cnode *at_key(const struct cnode *root, const char *key)
{
	const struct cnode *n = cnode_get(root, key);

	return n ? n : root;
}

static void check_keys(struct walk *w, const struct cnode *root)
{
	const struct conf *c = w->conf;
	bool is_there = false;

	for (size_t i = 0; c->key && i < c->keys.n; i++)
		is_there |= !strcmp(c->keys.list[i], c->key);
	if (c->key && !is_there)
		walk_error(w, at_key(root, "key"), "\"key\": %s is none of \"keys\"", c->key);
	if (c->insecure && c->keys.n > 0)
		walk_error(
		        w, at_key(root, "insecure"),
		        "\"insecure\" is true, and there are \"keys\": one of them is not meant");
	if (!conf_needs_net(c) || c->keys.n > 0)
		return;
	if (c->insecure)
		walk_warn(w, at_key(root, "insecure"),
		          "whoever reaches the network hears and emits on channels with "
		          "\"propagatetonet\"");
	else
		walk_error(w, root,
		           "channels with \"propagatetonet\" need \"keys\" (ncserver --keygen), or "
		           "\"insecure\" = true, or \"connecttonet\" = false");
}

/* Less than that would not carry what hosts say of themselves. */
#define RATE_MIN 100000u
/* What every IPv4 host takes. */
#define MTU_MIN 548u

static void check_top_net(struct walk *w, const struct cnode *root)
{
	const struct conf *c = w->conf;

	if (c->net_liveness_ms < 2 * c->net_announce_ms)
		walk_error(
		        w, at_key(root, "net_liveness"),
		        "\"net_liveness\" of %u ms is less than two times \"net_announce\", %u ms",
		        c->net_liveness_ms, c->net_announce_ms);
	if (c->net_memory < c->net_window)
		walk_error(w, at_key(root, "net_memory"),
		           "\"net_memory\" is less than \"net_window\"");
	if (c->net_rate > 0 && c->net_rate < RATE_MIN)
		walk_error(w, at_key(root, "net_rate"),
		           "\"net_rate\" of %llu bit/s: at least %u, or 0 for no limit",
		           (unsigned long long)c->net_rate, RATE_MIN);
	if (c->net_mtu > 0 && c->net_mtu < MTU_MIN)
		walk_error(
		        w, at_key(root, "net_mtu"),
		        "\"net_mtu\" of %u bytes: at least %u, or 0 for what the interface takes",
		        c->net_mtu, MTU_MIN);
	check_keys(w, root);
}

/* Whether anybody could connect at all. Channels that were wrong have been reported. */
static void check_any(struct walk *w, const struct cnode *root)
{
	const struct cnode *n = cnode_get(root, "channels");

	if (!w->conf->n_channels && (!n || !n->first))
		walk_error(w, n ? n : root, "there is no channel, and \"startcontrol\" is false");
}

int check_all(struct walk *w, const struct cnode *root)
{
	int r;

	check_any(w, root);
	check_top_sizes(w, root);
	check_top_net(w, root);
	for (size_t i = 0; i < w->conf->n_channels; i++) {
		struct subject s = subject_of(w, root, i);

		check_channel(&s);
	}
	r = check_distinct_paths(w, root);
	return r ? r : check_rules(w, root);
}
