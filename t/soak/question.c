/*
 * Questions to the control channel
 */

#include "t/soak/question.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK_MS 30000

nc_client *question_connect(const char *label, bool comes_back)
{
	nc_client *nc;

	if (nc_new(&nc, "control") != NC_OK)
		return NULL;
	if (nc_setopt_str(nc, NC_OPT_SOCKET, soak_server->sockets) != NC_OK ||
	    nc_setopt_str(nc, NC_OPT_LABEL, label) != NC_OK ||
	    nc_setopt_int(nc, NC_OPT_RECONNECT, comes_back) != NC_OK ||
	    nc_connect(nc, ASK_MS) != NC_OK) {
		nc_free(nc);
		return NULL;
	}
	return nc;
}

struct answer {
	bool is_there;
	int error;
	char *text;
};

static void on_answer(nc_client *nc, int error, const nc_msg *m, void *arg)
{
	struct answer *a = arg;
	const char *text = m ? nc_msg_text(m) : NULL;

	(void)nc;
	a->is_there = true;
	a->error = error;
	a->text = strdup(text ? text : "");
}

char *question_ask(nc_client *nc, const char *event, const char *json, int *error)
{
	struct answer a = {.is_there = false};
	int r = nc_request(nc, event, json ? NC_JSON : NC_EMPTY, json, json ? strlen(json) : 0,
	                   ASK_MS, on_answer, &a);

	*error = r;
	if (r != NC_OK)
		return NULL;
	/* it is called in any case, since the request has a deadline */
	while (!a.is_there)
		nc_wait(nc, 1000);
	*error = a.error;
	return a.text;
}

yajl_val question_tree(nc_client *nc, const char *event, const char *json)
{
	char why[128] = "", *listed;
	int error;
	char *text = question_ask(nc, event, json, &error);
	yajl_val v = NULL;

	if (!text || error != NC_OK) {
		soak_fail("%s: %s: %s", event, nc_strerror(error), text ? text : "");
	} else {
		/* yajl's tree takes no bare values */
		listed = util_format("{\"answer\":%s}", text);
		v = yajl_tree_parse(listed, why, sizeof(why));
		if (!v)
			soak_fail("%s: the answer is no JSON: %s", event, why);
		free(listed);
	}
	free(text);
	return v;
}

int64_t question_int(yajl_val v, const char *path)
{
	yajl_val n = util_json_at(v, path);

	if (n && YAJL_IS_INTEGER(n))
		return YAJL_GET_INTEGER(n);
	soak_fail("an answer has no number at %s", path);
	return 0;
}

void question_check_flow(yajl_val flow, const char *what)
{
	static const char *const parts[] = {"dropped.drop_oldest", "dropped.drop_newest",
	                                    "dropped.conflate", "dropped.disconnected",
	                                    "dropped.untranslatable"};
	int64_t routed = question_int(flow, "routed"), written = question_int(flow, "written"),
	        queued = question_int(flow, "queued"),
	        dropped = question_int(flow, "dropped_total"), sum = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		sum += question_int(flow, parts[i]);
	if (sum != dropped)
		soak_fail("%s: dropped %" PRId64 " in all, and %" PRId64 " by reason", what,
		          dropped, sum);
	if (routed != written + queued + dropped)
		soak_fail("%s: routed %" PRId64 " is not written %" PRId64 " + queued %" PRId64
		          " + dropped %" PRId64,
		          what, routed, written, queued, dropped);
}

void question_check_stats(nc_client *nc)
{
	static const char *const fields[] = {"routed", "written", "queued", "dropped_total"};
	yajl_val answer = question_tree(nc, "nc-control-stats", NULL), channels, total;
	int64_t sums[4] = {0}, n_clients = 0;

	if (!answer)
		return;
	total = util_json_at(answer, "answer.totals.flow");
	question_check_flow(total, "totals");
	channels = util_json_at(answer, "answer.channels");
	for (size_t i = 0; channels && i < channels->u.array.len; i++) {
		yajl_val c = channels->u.array.values[i], flow = util_json_at(c, "flow");

		question_check_flow(flow, util_json_text(c, "name"));
		n_clients += question_int(c, "clients");
		for (size_t f = 0; f < 4; f++)
			sums[f] += question_int(flow, fields[f]);
	}
	/* channels that went have taken their counters with them, but nothing can be queued there
	 */
	for (size_t f = 0; f < 4; f++)
		if (f == 2 ? sums[f] != question_int(total, fields[f])
		           : sums[f] > question_int(total, fields[f]))
			soak_fail("stats: %s of the channels is %" PRId64 " and of all %" PRId64,
			          fields[f], sums[f], question_int(total, fields[f]));
	if (n_clients != question_int(answer, "answer.clients"))
		soak_fail("stats: %" PRId64 " clients of channels, and %" PRId64 " in all",
		          n_clients, question_int(answer, "answer.clients"));
	yajl_tree_free(answer);
}

void question_check_clients(nc_client *nc)
{
	yajl_val answer = question_tree(nc, "nc-control-clients", NULL), list;

	if (!answer)
		return;
	list = util_json_at(answer, "answer");
	for (size_t i = 0; i < list->u.array.len; i++) {
		yajl_val c = list->u.array.values[i];

		question_check_flow(util_json_at(c, "out"), util_json_text(c, "label"));
	}
	yajl_tree_free(answer);
}
