/*
 * What the commands do: set
 */

#include "ncclient/actions.h"

#include <errno.h>
#include <string.h>

#include "ncclient/session.h"
#include "ncclient/text.h"
#include "ncclient/value.h"
#include "ncclient/view.h"

struct setting {
	const char *name;
	const char *help;
	const char *const *values; /* all there are; ends with NULL. NULL: many */
	void (*get)(const struct session *s, char out[static TEXT_NUMBER_LEN]);
	int (*set)(struct session *s, const char *value); /* 0, or -1 where it is none */
};

static void get_output(const struct session *s, char out[static TEXT_NUMBER_LEN])
{
	snprintf(out, TEXT_NUMBER_LEN, "%s", output_format_name(s->out.format));
}

static int set_output(struct session *s, const char *value)
{
	return output_read_format(value, &s->out.format);
}

static void get_timeout(const struct session *s, char out[static TEXT_NUMBER_LEN])
{
	text_duration(out, s->timeout_ms);
}

static int set_timeout(struct session *s, const char *value)
{
	uint64_t ms;

	if (text_read_duration(value, &ms) || !ms)
		return -1;
	s->timeout_ms = ms;
	return 0;
}

static void put_switch(char out[static TEXT_NUMBER_LEN], bool on)
{
	snprintf(out, TEXT_NUMBER_LEN, "%s", on ? "on" : "off");
}

static int read_switch(const char *value, bool *out)
{
	if (strcmp(value, "on") && strcmp(value, "off"))
		return -1;
	*out = !strcmp(value, "on");
	return 0;
}

static void get_wide(const struct session *s, char out[static TEXT_NUMBER_LEN])
{
	put_switch(out, s->out.wide);
}

static int set_wide(struct session *s, const char *value)
{
	return read_switch(value, &s->out.wide);
}

static void get_quiet(const struct session *s, char out[static TEXT_NUMBER_LEN])
{
	put_switch(out, s->quiet);
}

static int set_quiet(struct session *s, const char *value)
{
	return read_switch(value, &s->quiet);
}

static const char *const format_values[] = {"text", "json", "csv", NULL};
static const char *const switch_values[] = {"on", "off", NULL};

static const struct setting settings[] = {
        {"output", "form of answers: text, json, csv", format_values, get_output, set_output},
        {"timeout", "how long to wait for an answer: 500ms, 5s, 2m", NULL, get_timeout,
         set_timeout},
        {"wide", "text as wide as it gets, ids in full: on, off", switch_values, get_wide,
         set_wide},
        {"quiet", "no notices and no complaints: on, off", switch_values, get_quiet, set_quiet},
};

#define N_SETTINGS (sizeof(settings) / sizeof(settings[0]))

const char *settings_name(unsigned i)
{
	return i < N_SETTINGS ? settings[i].name : NULL;
}

static const struct setting *find(const char *name)
{
	for (size_t i = 0; i < N_SETTINGS; i++)
		if (!strcmp(settings[i].name, name))
			return &settings[i];
	return NULL;
}

const char *settings_value_name(const char *setting, unsigned i)
{
	const struct setting *st = find(setting);
	unsigned n = 0;

	while (st && st->values && st->values[n] && n < i)
		n++;
	return st && st->values ? st->values[n] : NULL;
}

static int add_member(struct value *object, size_t *n_room, const char *key, const char *text)
{
	struct value *item = value_push(object, n_room);
	int rc = item ? value_set_string(item, text, strlen(text)) : -ENOMEM;

	if (rc)
		return rc;
	item->key = strdup(key);
	item->key_len = strlen(key);
	return item->key ? 0 : -ENOMEM;
}

static int add_setting(struct value *list, size_t *n_rows, const struct session *s,
                       const struct setting *st)
{
	struct value *row = value_push(list, n_rows);
	char text[TEXT_NUMBER_LEN];
	size_t n_room = 0;
	int rc;

	if (!row)
		return -ENOMEM;
	row->kind = VALUE_OBJECT;
	st->get(s, text);
	rc = add_member(row, &n_room, "name", st->name);
	if (!rc)
		rc = add_member(row, &n_room, "value", text);
	return rc ? rc : add_member(row, &n_room, "help", st->help);
}

static enum status show(struct session *s, const char *name)
{
	struct value list = {.kind = VALUE_ARRAY};
	size_t n_room = 0;
	int rc = 0;

	for (size_t i = 0; i < N_SETTINGS && !rc; i++)
		if (!name || !strcmp(name, settings[i].name))
			rc = add_setting(&list, &n_room, s, &settings[i]);
	if (!rc)
		rc = output_answer(&s->out, &view_settings, &list);
	value_fini(&list);
	return rc ? STATUS_OS : STATUS_OK;
}

enum status settings_run(struct session *s, const char *name, const char *value)
{
	const struct setting *st = name ? find(name) : NULL;

	if (name && !st) {
		session_complain(s, "no setting '%s'; set() shows them", name);
		return STATUS_USAGE;
	}
	if (!value)
		return show(s, name);
	if (!st->set(s, value))
		return STATUS_OK;
	session_complain(s, "%s: %s, not '%s'", st->name, st->help, value);
	return STATUS_USAGE;
}
