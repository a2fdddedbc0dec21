/*
 * What both fuzz targets of the configuration hold a text to
 */
#ifndef NC_T_FUZZ_CONF_ROUNDTRIP_H
#define NC_T_FUZZ_CONF_ROUNDTRIP_H

#include "libnc/base/buf.h"
#include "ncserver/conf/conf.h"

#include <stdlib.h>

static const struct conf_env roundtrip_env = {
        .uid = 1000,
        .runtime_dir = "/run/user/1000",
        .hostname = "box",
};

/* Parses a text; NULL when it is refused, with a reason. */
static inline struct conf *roundtrip_parse(const void *text, size_t len)
{
	struct conf_problems problems = {0};
	struct conf *c = NULL;
	int r = conf_parse(&c, text, len, "fuzz", &roundtrip_env, &problems);

	if (r != 0 && r != 1)
		abort();
	if ((r == 0) != (c != NULL) || (r == 1) != (problems.n_errors > 0))
		abort();
	if (r == 1 && !problems.n)
		abort();
	conf_problems_fini(&problems);
	return c;
}

static inline void roundtrip_again(const struct conf *c, bool json)
{
	struct conf *again;
	struct buf text;

	buf_init(&text, CONF_TEXT_MAX);
	if (json ? conf_print_json(&text, c) : conf_print_libconfig(&text, c))
		abort();
	again = roundtrip_parse(text.data, text.len);
	if (!again || again->is_json != json || !conf_equal(c, again))
		abort();
	conf_free(again);
	buf_fini(&text);
}

/* What is accepted reads back from both formats as the same. */
static inline void roundtrip(const void *data, size_t len)
{
	struct conf *c = roundtrip_parse(data, len);

	if (!c)
		return;
	roundtrip_again(c, true);
	roundtrip_again(c, false);
	conf_free(c);
}

#endif
