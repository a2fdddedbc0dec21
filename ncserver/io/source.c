/* source.c - where the configuration comes from, at the start and at each reload */
#include "ncserver/io/source.h"

#include "ncserver/io/log.h"
#include "ncserver/io/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

void source_init(struct source *s, const struct options *opt)
{
	*s = (struct source){.file = opt->file, .log_level = opt->log_level};
	if (gethostname(s->hostname, sizeof(s->hostname) - 1) < 0)
		snprintf(s->hostname, sizeof(s->hostname), "localhost");
	s->env.uid = geteuid();
	s->env.runtime_dir = secure_getenv("XDG_RUNTIME_DIR");
	s->env.hostname = s->hostname;
	s->env.socket_override = opt->socket;
}

static void take_over(const struct source *s, struct conf *conf)
{
	if (s->log_level >= 0)
		conf->log_level = s->log_level;
}

static int read_found(const struct source *s, struct conf **out, struct conf_problems *p)
{
	char *found = conf_find(&s->env);
	int err;

	if (!found) {
		*out = conf_default(&s->env);
		return *out ? 0 : -ENOMEM;
	}
	err = conf_read(out, found, &s->env, p);
	free(found);
	return err;
}

int source_read(const struct source *s, struct conf **out, struct conf_problems *p)
{
	int err = s->file ? conf_read(out, s->file, &s->env, p) : read_found(s, out, p);

	if (!err)
		take_over(s, *out);
	return err;
}

int source_parse(const struct source *s, struct conf **out, const char *text, size_t len,
                 const char *name, const struct conf *running, struct conf_problems *p)
{
	struct conf_env env = s->env;
	int err;

	env.socket_kept = running->socket;
	env.fifo_kept = running->fifo;
	err = conf_parse(out, text, len, name, &env, p);
	if (!err)
		take_over(s, *out);
	return err;
}

void source_print_problems(FILE *out, const struct conf_problems *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct conf_problem *one = &p->list[i];

		if (one->file)
			fprintf(out, "%s:", one->file);
		if (one->line)
			fprintf(out, "%u:", one->line);
		fprintf(out, "%s%s: %s\n", one->file || one->line ? " " : "",
		        one->warning ? "warning" : "error", one->text);
	}
	if (p->n_more > 0)
		fprintf(out, "and %zu more\n", p->n_more);
}

void source_log_problems(struct log *l, const struct conf_problems *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct conf_problem *one = &p->list[i];

		log_notice(l, one->warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "configuration",
		           LOG_FIELDS(log_str("file", one->file), log_uint("line", one->line),
		                      log_str("problem", one->text)));
	}
}
