/* configure.c - brings a configuration into force, at the start and at a reload */
#include "ncserver/io/configure.h"

#include "libnc/base/buf.h"
#include "ncserver/bus/bus.h"
#include "ncserver/conf/conf.h"
#include "ncserver/io/fault.h"
#include "ncserver/io/net.h"
#include "ncserver/io/plan.h"
#include "ncserver/io/server.h"
#include "ncserver/route/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the text that tells why a reload failed. */
#define WHY_MAX (64u << 10)

static int make_rules(struct rules **out, const struct conf *conf, struct fault *f)
{
	struct rules_in *in = calloc(conf->n_channels + 1, sizeof(*in));
	struct rules_error re;
	int err;

	if (!in)
		return -ENOMEM;
	for (size_t i = 0; i < conf->n_channels; i++) {
		in[i].name = conf->channels[i].name;
		in[i].regex = conf->channels[i].regex;
	}
	err = rules_new(out, in, conf->n_channels, &re);
	free(in);
	if (err > 0)
		fault_set(f, EX_CONFIG, "channel %s: propagatetochannels: %s",
		          conf->channels[re.channel].name, re.text);
	return err;
}

static int into_bus(struct server *s, struct conf *conf, struct rules *rules)
{
	int err;

	if (s->bus)
		return bus_reconfigure(s->bus, conf, rules, server_now());
	err = bus_new(&s->bus, &s->env, conf, rules, server_now());
	if (!err)
		s->counters = bus_io_counters(s->bus);
	return err;
}

int configure(struct server *s, struct conf *conf, struct fault *f)
{
	int lock_ms = s->bus ? DIRLOCK_RELOAD_MS : DIRLOCK_START_MS;
	struct rules *rules = NULL;
	struct net_plan net;
	struct plan plan;
	int err = make_rules(&rules, conf, f);

	if (err)
		return err;
	err = plan_make(&plan, s, conf, lock_ms, f);
	if (err) {
		rules_free(rules);
		return err;
	}
	err = net_plan_make(&net, s, conf, f);
	if (!err) {
		err = into_bus(s, conf, rules);
		if (err)
			net_plan_rollback(&net);
	}
	if (err) {
		plan_rollback(&plan);
		rules_free(rules);
		return err;
	}
	log_set_level(&s->log, conf->log_level);
	plan_commit(&plan, s, conf);
	net_plan_commit(&net, s, conf);
	if (strcmp(conf->host, s->host) != 0)
		log_warning(&s->log, "another host name needs a restart",
		            log_str("host", conf->host), log_str("stays", s->host));
	return 0;
}

/* ---- reload ---- */

static void tell_problems(struct buf *why, const struct conf_problems *problems)
{
	for (size_t i = 0; i < problems->n; i++) {
		const struct conf_problem *p = &problems->list[i];

		if (p->warning)
			continue;
		if (p->line)
			(void)buf_printf(why, "%s:%u: %s\n", p->file, p->line, p->text);
		else
			(void)buf_printf(why, "%s: %s\n", p->file ? p->file : "configuration",
			                 p->text);
	}
	if (problems->n_more > 0)
		(void)buf_printf(why, "and %zu more\n", problems->n_more);
}

static int reload(struct server *s, const char *text, size_t len, const char *name, struct buf *why)
{
	struct conf_problems problems = {0};
	struct fault f = {0};
	struct conf *conf = NULL;
	int err;

	err = text ? source_parse(&s->source, &conf, text, len, name, bus_conf(s->bus), &problems)
	           : source_read(&s->source, &conf, &problems);
	source_log_problems(&s->log, &problems);
	tell_problems(why, &problems);
	conf_problems_fini(&problems);
	if (err == 0) {
		err = configure(s, conf, &f);
		if (err > 0)
			(void)buf_append_str(why, f.text);
		if (err)
			conf_free(conf);
	}
	if (err < 0)
		(void)buf_append_str(why, strerror(-err));
	return err;
}

int configure_reload(struct server *s, const char *text, size_t len, const char *name, char **why)
{
	struct buf b;
	int err;

	buf_init(&b, WHY_MAX);
	notify_reloading(&s->notify);
	err = s->state == SERVER_RUNNING ? reload(s, text, len, name, &b) : -ECANCELED;
	if (err == -ECANCELED)
		(void)buf_append_str(&b, "the server stops");
	while (b.len > 0 && b.data[b.len - 1] == '\n')
		buf_truncate(&b, b.len - 1);
	bus_note_reload(s->bus, err == 0);
	if (err)
		log_notice(&s->log, LOG_LEVEL_ERROR, "not reloaded, the old configuration stands",
		           LOG_FIELDS(log_str("error", buf_str(&b))));
	else
		log_notice(&s->log, LOG_LEVEL_INFO, "reloaded",
		           LOG_FIELDS(log_uint("channels", bus_conf(s->bus)->n_channels)));
	notify_ready(&s->notify, err ? "Reload failed, the old configuration stands" : "Reloaded");
	if (why)
		*why = err ? (char *)buf_steal(&b, NULL) : NULL;
	buf_fini(&b);
	return err ? 1 : 0;
}
