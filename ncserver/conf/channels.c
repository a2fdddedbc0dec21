/* channels.c - the channels of a configuration, as a type of value
 *
 * They become an array, sorted by name, each once. A channel with errors is kept as far as it is
 * right, so that later checks go on; the errors keep the configuration as a whole from being used.
 */

#include "ncserver/conf/groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "libnc/wire/name.h"
#include "ncserver/conf/printer.h"
#include "ncserver/conf/types.h"

/* A channel as the file has it. */
struct entry {
	const char *name;
	const struct cnode *node;
};

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	/* what stands first comes first, so that the second one is reported */
	if (r)
		return r;
	return x->node->line < y->node->line ? -1 : x->node->line > y->node->line;
}

static bool is_legal_name(struct walk *w, const struct cnode *n, const char *name)
{
	enum name_result r = name_check_channel(name, strlen(name));

	if (r == NAME_OK)
		return true;
	walk_error(w, n,
	           "\"%s\" is no name of a channel (1 to %u letters, digits, '-' and '_'): %s",
	           name, NC_CHANNEL_MAX, name_result_str(r));
	return false;
}

/* Finds the name of a channel that stands in a group or in a list. NULL after an error. */
static const char *name_of(struct walk *w, const struct cnode *n)
{
	const struct cnode *name;

	if (n->type != CNODE_GROUP) {
		size_t mark = n->key ? walk_enter(w, n->key) : w->path_len;

		walk_error_type(w, n, "a group of the channel's keys");
		walk_leave(w, mark);
		return NULL;
	}
	if (n->key)
		return is_legal_name(w, n, n->key) ? n->key : NULL;
	name = cnode_get(n, "name");
	if (!name) {
		walk_error(w, n, "a channel in a list wants a \"name\"");
		return NULL;
	}
	if (name->type != CNODE_STRING) {
		walk_error_type(w, name, "the channel's name in quotes");
		return NULL;
	}
	return is_legal_name(w, name, name->string) ? name->string : NULL;
}

/* Collects the channels of a file, sorted, each once. Returns their number, or -ENOMEM. */
static ssize_t collect(struct walk *w, const struct cnode *n, struct entry **out)
{
	struct entry *list = calloc(n->n + 1, sizeof(*list));
	size_t count = 0, kept = 0;

	*out = list;
	if (!list)
		return -ENOMEM;
	for (const struct cnode *c = n->first; c; c = c->next) {
		const char *name = name_of(w, c);

		if (name)
			list[count++] = (struct entry){name, c};
	}
	qsort(list, count, sizeof(*list), compare_entries);
	for (size_t i = 0; i < count; i++) {
		if (kept && !strcmp(list[kept - 1].name, list[i].name))
			walk_error(w, list[i].node, "channel \"%s\" stands twice, first in line %u",
			           list[i].name, list[kept - 1].node->line);
		else
			list[kept++] = list[i];
	}
	return (ssize_t)kept;
}

static void preset_channel(struct walk *w, struct conf_channel *c, const char *name)
{
	memcpy(c->name, name, strlen(name) + 1);
	schema_preset(&schema_channel, c);
	c->max_message = w->conf->max_message;
}

/* Gives the channel the socket that the template makes, unless it has its own. */
static int complete_channel(struct walk *w, struct conf_channel *c)
{
	if (!c->socket)
		c->socket = template_expand(w->conf->socket, c->name);
	return c->socket ? 0 : -ENOMEM;
}

static int read_channel(struct walk *w, struct conf_channel *c, const struct entry *e)
{
	size_t mark = walk_enter(w, e->name);
	int r;

	preset_channel(w, c, e->name);
	c->line = e->node->line;
	w->channel = c;
	r = schema_read(w, &schema_channel, e->node, c);
	w->channel = NULL;
	walk_leave(w, mark);
	return r ? r : complete_channel(w, c);
}

/* Makes room for `n` channels and one more. */
static int take_room(struct walk *w, size_t n)
{
	w->conf->channels = calloc(n + 1, sizeof(*w->conf->channels));
	w->channel_nodes = calloc(n + 1, sizeof(*w->channel_nodes));
	return w->conf->channels && w->channel_nodes ? 0 : -ENOMEM;
}

static int read_entries(struct walk *w, const struct entry *list, size_t n)
{
	int r = take_room(w, n);

	for (size_t i = 0; !r && i < n; i++) {
		w->channel_nodes[i] = list[i].node;
		r = read_channel(w, &w->conf->channels[w->conf->n_channels++], &list[i]);
	}
	return r;
}

/* How many channels a list makes, with control where that is not on it and will be added. */
static size_t count_all(const struct walk *w, const struct entry *list, size_t n)
{
	if (!w->conf->startcontrol)
		return n;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].name, CONF_CONTROL))
			return n;
	return n + 1;
}

static int read_channels(struct walk *w, const struct schema_key *k, const struct cnode *n,
                         void *at)
{
	struct entry *list;
	ssize_t count;
	size_t all;
	int r = 0;

	(void)at;
	if (n->type != CNODE_GROUP && n->type != CNODE_LIST) {
		walk_error_type(w, n, k->type->expects);
		return 0;
	}
	count = collect(w, n, &list);
	all = count < 0 ? 0 : count_all(w, list, (size_t)count);
	if (all > CONF_CHANNELS_MAX)
		walk_error(w, n, "%zu channels are too many: at most %u", all, CONF_CHANNELS_MAX);
	else if (count >= 0)
		r = read_entries(w, list, (size_t)count);
	free(list);
	return count < 0 ? (int)count : r;
}

/* Where in the sorted array a name stands, or would stand. */
static size_t place_of(const struct conf *c, const char *name)
{
	size_t i = 0;

	while (i < c->n_channels && strcmp(c->channels[i].name, name) < 0)
		i++;
	return i;
}

int channels_add_control(struct walk *w)
{
	struct conf *c = w->conf;
	size_t i;

	if (!c->startcontrol || conf_channel(c, CONF_CONTROL))
		return 0;
	if (!c->channels && take_room(w, 0))
		return -ENOMEM;
	i = place_of(c, CONF_CONTROL);
	memmove(&c->channels[i + 1], &c->channels[i], (c->n_channels - i) * sizeof(*c->channels));
	memmove(&w->channel_nodes[i + 1], &w->channel_nodes[i],
	        (c->n_channels - i) * sizeof(*w->channel_nodes));
	c->n_channels++;
	c->channels[i] = (struct conf_channel){0};
	w->channel_nodes[i] = NULL;
	preset_channel(w, &c->channels[i], CONF_CONTROL);
	return complete_channel(w, &c->channels[i]);
}

/* libconfig's keys begin with a letter, and are none of its words; names of channels may be. */
static bool names_are_keys(const struct conf *c)
{
	for (size_t i = 0; i < c->n_channels; i++) {
		const char *name = c->channels[i].name;

		if (strchr("0123456789_-", name[0]) || !strcasecmp(name, "true") ||
		    !strcasecmp(name, "false"))
			return false;
	}
	return true;
}

static void print_channels(struct printer *p, const struct schema_key *k, const void *at)
{
	const struct conf *c = CONF_OF_CONST(at, channels);
	bool by_key = p->json || names_are_keys(c);

	printer_open(p, k->name, by_key ? PRINTER_GROUP : PRINTER_LIST);
	for (size_t i = 0; i < c->n_channels; i++) {
		const char *key = by_key ? c->channels[i].name : NULL;

		p->channel = &c->channels[i];
		printer_open(p, key, PRINTER_GROUP);
		schema_print(p, &schema_channel, p->channel);
		printer_close(p, key, PRINTER_GROUP);
	}
	printer_close(p, k->name, by_key ? PRINTER_GROUP : PRINTER_LIST);
	p->channel = NULL;
}

static bool equal_channels(const struct schema_key *k, const void *a, const void *b)
{
	const struct conf *x = CONF_OF_CONST(a, channels), *y = CONF_OF_CONST(b, channels);

	(void)k;
	if (x->n_channels != y->n_channels)
		return false;
	for (size_t i = 0; i < x->n_channels; i++)
		if (!conf_channel_equal(&x->channels[i], &y->channels[i]))
			return false;
	return true;
}

static void fini_channels(const struct schema_key *k, void *at)
{
	struct conf *c = CONF_OF(at, channels);

	(void)k;
	for (size_t i = 0; i < c->n_channels; i++)
		schema_fini(&schema_channel, &c->channels[i]);
	free(c->channels);
}

const struct schema_type type_channels = {
        .expects = "a group with the channels' names as keys, or a list of groups with a \"name\"",
        .read = read_channels,
        .print = print_channels,
        .equal = equal_channels,
        .fini = fini_channels,
};

/* The name itself has been read by then. */
static int read_name(struct walk *w, const struct schema_key *k, const struct cnode *n, void *at)
{
	(void)k;
	if (n->type != CNODE_STRING || strcmp(n->string, at))
		walk_error(w, n, "the name of a channel in a group is its key");
	return 0;
}

static void print_name(struct printer *p, const struct schema_key *k, const void *at)
{
	if (!p->json && !names_are_keys(p->conf))
		printer_string(p, k->name, at);
}

static bool equal_name(const struct schema_key *k, const void *a, const void *b)
{
	(void)k;
	return !strcmp(a, b);
}

const struct schema_type type_name = {
        .read = read_name,
        .print = print_name,
        .equal = equal_name,
};
