/*
 * Unit tests of ncclient/top_model, top_view, top_keys and of the keys of tty
 */

#include "ncclient/top_model.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ncclient/literal.h"
#include "ncclient/output.h"
#include "ncclient/text.h"
#include "ncclient/top_columns.h"
#include "ncclient/top_keys.h"
#include "ncclient/top_view.h"
#include "ncclient/tty.h"
#include "ncclient/value.h"

#define FLOW(written, queued, dropped)                                                             \
	"{\"written\":" #written ",\"queued\":" #queued ",\"queued_bytes\":" #queued               \
	"e2,\"dropped_total\":" #dropped "}"

#define CHANNEL(name, published, flow)                                                             \
	"{\"name\":\"" name "\",\"clients\":2,\"published\":" #published                           \
	",\"published_bytes\":" #published "e1,\"flow\":" flow ",\"stalls\":3}"

#define STATS(boot, channels, published)                                                           \
	"{\"boot\":\"" boot                                                                        \
	"\",\"version\":\"v\",\"host\":\"h\",\"uptime_ms\":5000,\"clients\":4,"                    \
	"\"totals\":{\"published\":" #published ",\"published_bytes\":0,\"bytes_out\":" #published \
	",\"flow\":" FLOW(10, 1, 2) "},\"channels\":[" channels "]}"

#define CLIENT(id, channel, messages, bytes)                                                       \
	"{\"id\":\"" id "\",\"channel\":\"" channel "\",\"pid\":77,\"user\":\"joe\","              \
	"\"command\":\"cmd\",\"label\":\"lab\",\"blocked\":true,"                                  \
	"\"in\":{\"messages\":" #messages ",\"bytes\":0},\"out\":{\"written\":4,\"bytes\":" #bytes \
	",\"dropped_total\":0},\"stalls\":{\"caused\":9}}"

/* Datagrams heard and sent, and lost. */
#define HOST(boot, name, state, in, out, lost)                                                     \
	"{\"boot\":\"" boot "\",\"host\":\"" name "\",\"addr\":\"10.0.0.7:99\",\"state\":\"" state \
	"\",\"heard_ms\":1500,\"rtt_us\":85,\"datagrams\":" #in ",\"bytes\":" #in                  \
	"e3,\"datagrams_out\":" #out ",\"bytes_out\":" #out "e3,\"lost\":" #lost                   \
	",\"naks_in\":1,\"naks_out\":2,\"repairs_in\":3,\"repairs_out\":4,\"window\":512}"

static void update_net(struct top_model *m, const char *stats, const char *clients, const char *net,
                       const char *peers, uint64_t now_ms)
{
	const char *texts[] = {stats, clients, net, peers};
	struct literal_error error;
	struct value v[4];
	const struct top_answers answers = {&v[0], &v[1], &v[2], &v[3]};

	for (unsigned i = 0; i < 4; i++)
		if (literal_parse(texts[i], strlen(texts[i]), false, &v[i], &error))
			fail_msg("%s at %zu", error.text, error.at);
	assert_int_equal(top_model_update(m, &answers, now_ms), 0);
	for (unsigned i = 0; i < 4; i++)
		value_fini(&v[i]);
}

static void update(struct top_model *m, const char *stats, const char *clients, uint64_t now_ms)
{
	update_net(m, stats, clients, "{\"connected\":false}", "[]", now_ms);
}

static double channel_value(const struct top_model *m, size_t i, enum top_metric metric)
{
	assert_in_range(i, 0, m->lists[TOP_CHANNELS].n - 1);
	return m->lists[TOP_CHANNELS].rows[i].values[metric];
}

static void a_first_snapshot_has_counters_and_no_rates(void **state)
{
	struct top_model m;

	(void)state;
	top_model_init(&m);
	update(&m, STATS("x", CHANNEL("A", 100, FLOW(50, 7, 1)), 100), "[]", 1000);
	assert_int_equal(m.interval_ms, 0);
	assert_true(channel_value(&m, 0, TOP_IN) == 0);
	assert_true(channel_value(&m, 0, TOP_QUEUED) == 7);
	assert_true(channel_value(&m, 0, TOP_QUEUED_BYTES) == 700);
	assert_true(channel_value(&m, 0, TOP_DROPPED) == 1);
	assert_true(channel_value(&m, 0, TOP_STALLS) == 3);
	assert_true(top_history(&m.lists[TOP_CHANNELS].rows[0], 0) == 0);
	assert_string_equal(m.host, "h");
	top_model_fini(&m);
}

static void rates_are_differences_over_the_time_between(void **state)
{
	struct top_model m;

	(void)state;
	top_model_init(&m);
	update(&m, STATS("x", CHANNEL("A", 100, FLOW(50, 7, 1)), 100), "[]", 1000);
	update(&m, STATS("x", CHANNEL("A", 150, FLOW(150, 0, 5)), 180), "[]", 1500);
	assert_int_equal(m.interval_ms, 500);
	assert_true(channel_value(&m, 0, TOP_IN) == 100);
	assert_true(channel_value(&m, 0, TOP_IN_BYTES) == 1000);
	assert_true(channel_value(&m, 0, TOP_OUT) == 200);
	assert_true(channel_value(&m, 0, TOP_DROPS) == 8);
	assert_true(channel_value(&m, 0, TOP_QUEUED) == 0);
	assert_true(m.total.values[TOP_IN] == 160);
	assert_true(top_history(&m.lists[TOP_CHANNELS].rows[0], 0) == 300);
	assert_true(top_history(&m.lists[TOP_CHANNELS].rows[0], 1) == 0);
	top_model_fini(&m);
}

static void rows_are_found_again_by_their_key(void **state)
{
	struct top_model m;

	(void)state;
	top_model_init(&m);
	update(&m,
	       STATS("x", CHANNEL("A", 10, FLOW(0, 0, 0)) "," CHANNEL("B", 20, FLOW(0, 0, 0)), 0),
	       "[]", 1000);
	/* A goes, C comes and counts from zero */
	update(&m,
	       STATS("x", CHANNEL("B", 25, FLOW(0, 0, 0)) "," CHANNEL("C", 7, FLOW(0, 0, 0)), 0),
	       "[]", 2000);
	assert_int_equal(m.lists[TOP_CHANNELS].n, 2);
	assert_string_equal(m.lists[TOP_CHANNELS].rows[0].key, "B");
	assert_true(channel_value(&m, 0, TOP_IN) == 5);
	assert_true(channel_value(&m, 1, TOP_IN) == 7);
	top_model_fini(&m);
}

static void another_run_of_the_server_starts_anew(void **state)
{
	struct top_model m;

	(void)state;
	top_model_init(&m);
	update(&m, STATS("x", CHANNEL("A", 100, FLOW(0, 0, 0)), 0), "[]", 1000);
	update(&m, STATS("x", CHANNEL("A", 200, FLOW(0, 0, 0)), 0), "[]", 2000);
	assert_true(channel_value(&m, 0, TOP_IN) == 100);
	update(&m, STATS("y", CHANNEL("A", 300, FLOW(0, 0, 0)), 0), "[]", 3000);
	assert_int_equal(m.interval_ms, 0);
	assert_true(channel_value(&m, 0, TOP_IN) == 0);
	assert_int_equal(m.lists[TOP_CHANNELS].rows[0].n_history, 0);
	top_model_fini(&m);
}

static void a_counter_that_falls_is_no_rate(void **state)
{
	struct top_model m;

	(void)state;
	top_model_init(&m);
	update(&m, STATS("x", CHANNEL("A", 100, FLOW(0, 0, 0)), 0), "[]", 1000);
	update(&m, STATS("x", CHANNEL("A", 50, FLOW(0, 0, 0)), 0), "[]", 2000);
	assert_true(channel_value(&m, 0, TOP_IN) == 0);
	top_model_fini(&m);
}

static void a_channel_writes_what_its_clients_get(void **state)
{
	const char *stats =
	        STATS("x", CHANNEL("A", 0, FLOW(0, 0, 0)) "," CHANNEL("B", 0, FLOW(0, 0, 0)), 0);
	struct top_model m;
	const struct top_row *client;

	(void)state;
	top_model_init(&m);
	update(&m, stats,
	       "[" CLIENT("1", "A", 0, 100) "," CLIENT("2", "A", 0, 0) "," CLIENT("3", "B", 0,
	                                                                          0) "]",
	       1000);
	update(&m, stats,
	       "[" CLIENT("1", "A", 6, 300) "," CLIENT("2", "A", 0, 50) "," CLIENT("3", "B", 0,
	                                                                           9) "]",
	       2000);
	assert_true(channel_value(&m, 0, TOP_OUT_BYTES) == 250);
	assert_true(channel_value(&m, 1, TOP_OUT_BYTES) == 9);
	client = &m.lists[TOP_CLIENTS_LIST].rows[0];
	assert_true(client->values[TOP_IN] == 6);
	assert_true(client->values[TOP_OUT_BYTES] == 200);
	assert_true(client->values[TOP_STALLS] == 9);
	assert_int_equal(client->pid, 77);
	assert_string_equal(client->name, "cmd lab");
	assert_string_equal(client->user, "joe");
	assert_true(client->blocked && !client->paused);
	top_model_fini(&m);
}

static void history_keeps_the_last_samples(void **state)
{
	struct top_model m;
	char stats[1000];

	(void)state;
	top_model_init(&m);
	for (unsigned i = 0; i < TOP_HISTORY + 5; i++) {
		/* one message more in each second than in the one before */
		snprintf(stats, sizeof(stats),
		         "{\"boot\":\"x\",\"channels\":[{\"name\":\"A\",\"published\":%u}]}",
		         i * (i + 1) / 2);
		update(&m, stats, "[]", 1000 * (i + 1));
	}
	for (unsigned i = 0; i < TOP_HISTORY; i++)
		assert_true(top_history(&m.lists[TOP_CHANNELS].rows[0], i) == TOP_HISTORY + 4 - i);
	assert_true(top_history(&m.lists[TOP_CHANNELS].rows[0], TOP_HISTORY) == 0);
	top_model_fini(&m);
}

static void a_host_has_rates_of_datagrams_and_counters(void **state)
{
	const struct top_row *host;
	struct top_model m;

	(void)state;
	top_model_init(&m);
	update_net(&m, STATS("x", "", 0), "[]", "{\"connected\":true}",
	           "[" HOST("01", "far", "up", 100, 50, 7) "," HOST("02", "", "new", 0, 0, 0) "]",
	           1000);
	assert_true(m.has_net);
	assert_int_equal(m.n_up, 1);
	update_net(
	        &m, STATS("x", "", 0), "[]", "{\"connected\":true}",
	        "[" HOST("02", "", "up", 9, 9, 0) "," HOST("01", "far", "suspect", 120, 90, 9) "]",
	        1500);
	assert_int_equal(m.n_up, 2);
	assert_int_equal(m.lists[TOP_HOSTS].n, 2);
	/* it has no name as yet */
	assert_string_equal(m.lists[TOP_HOSTS].rows[0].name, "10.0.0.7:99");
	host = &m.lists[TOP_HOSTS].rows[1];
	assert_string_equal(host->name, "far");
	assert_string_equal(host->state, "suspect");
	assert_true(host->values[TOP_IN] == 40);
	assert_true(host->values[TOP_IN_BYTES] == 40000);
	assert_true(host->values[TOP_OUT] == 80);
	assert_true(host->values[TOP_OUT_BYTES] == 80000);
	assert_true(host->values[TOP_RTT] == 85);
	assert_true(host->values[TOP_LOST] == 9);
	assert_true(host->values[TOP_NAKS] == 3);
	assert_true(host->values[TOP_REPAIRS] == 7);
	assert_true(host->values[TOP_WINDOW] == 512);
	assert_true(host->values[TOP_HEARD] == 1500);
	assert_true(top_history(host, 0) == 120);
	/* the network is left */
	update(&m, STATS("x", "", 0), "[]", 2000);
	assert_false(m.has_net);
	assert_int_equal(m.n_up, 0);
	top_model_fini(&m);
}

static void nonsense_from_the_server_is_no_crash(void **state)
{
	struct top_model m;

	(void)state;
	top_model_init(&m);
	update(&m, "null", "7", 1000);
	update(&m, "{\"channels\":[1,null,{\"name\":3},{}],\"totals\":[]}", "[[],\"x\",{}]", 2000);
	assert_int_equal(m.lists[TOP_CHANNELS].n, 4);
	update(&m, "{\"channels\":{\"a\":{}}}", "{}", 3000);
	update_net(&m, "{}", "[]", "[]", "[3,{\"state\":7},{}]", 4000);
	assert_int_equal(m.lists[TOP_HOSTS].n, 3);
	top_model_fini(&m);
}

/* ---- sorting */

static void assert_order(const struct top_model *m, unsigned by, bool descending,
                         const char *expected)
{
	const struct top_list *l = &m->lists[TOP_CHANNELS];
	char names[16] = "";
	size_t order[8];

	top_sort(l, by, descending, order);
	for (size_t i = 0; i < l->n; i++)
		strcat(names, l->rows[order[i]].key);
	assert_string_equal(names, expected);
}

static void rows_are_sorted_and_equal_ones_stay_in_order(void **state)
{
	struct top_model m;
	unsigned by;

	(void)state;
	top_model_init(&m);
	update(&m,
	       STATS("x",
	             CHANNEL("C", 0, FLOW(0, 5, 0)) "," CHANNEL("A", 0, FLOW(0, 9, 0)) "," CHANNEL(
	                     "B", 0, FLOW(0, 5, 0)),
	             0),
	       "[]", 1000);
	assert_order(&m, TOP_QUEUED, true, "ACB");
	assert_order(&m, TOP_QUEUED, false, "CBA");
	assert_order(&m, TOP_BY_NAME, false, "ABC");
	assert_order(&m, TOP_BY_NAME, true, "CBA");
	assert_order(&m, TOP_BY_SERVER, false, "CAB");
	top_model_fini(&m);
	assert_int_equal(top_read_metric("out_bytes", &by), 0);
	assert_int_equal(by, TOP_OUT_BYTES);
	assert_int_equal(top_read_metric("name", &by), 0);
	assert_int_equal(by, TOP_BY_NAME);
	assert_int_equal(top_read_metric("nonsense", &by), -1);
}

/* ---- the screen */

static char *drawn(const struct top_screen *s, const struct top_model *m)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(top_view_draw(f, s, m), 0);
	assert_int_equal(fclose(f), 0);
	return text;
}

/* Takes control sequences out, in place. */
static void plain(char *text)
{
	char *to = text;

	for (const char *p = text; *p; p++) {
		if (*p == '\033') {
			while (*p < '@' || *p == '[')
				p++;
			continue;
		}
		if (*p != '\r')
			*to++ = *p;
	}
	*to = 0;
}

static const struct top_screen usual = {
        .rows = 10,
        .columns = 80,
        .by = TOP_IN,
        .descending = true,
        .utf8 = true,
        .blocks = true,
        .clock = "12:34:56",
        .message = "",
        .interval_ms = 1000,
};

static void fill(struct top_model *m)
{
	top_model_init(m);
	update(m, STATS("x", CHANNEL("A", 100, FLOW(50, 7, 1)), 100),
	       "[" CLIENT("1", "A", 0, 100) "]", 1000);
	update(m, STATS("x", CHANNEL("A", 150, FLOW(150, 0, 1)), 180),
	       "[" CLIENT("1", "A", 0, 100) "]", 2000);
	update(m, STATS("x", CHANNEL("A", 250, FLOW(350, 0, 1)), 180),
	       "[" CLIENT("1", "A", 0, 100) "]", 3000);
}

static void fill_net(struct top_model *m)
{
	top_model_init(m);
	update_net(m, STATS("x", "", 0), "[]", "{\"connected\":true}",
	           "[" HOST("01", "far", "up", 100, 50, 9) "]", 1000);
	update_net(m, STATS("x", "", 0), "[]", "{\"connected\":true}",
	           "[" HOST("01", "far", "up", 140, 130, 9) "," HOST("02", "away", "refused: MTU",
	                                                             0, 0, 0) "]",
	           2000);
}

static void the_screen_is_filled_line_by_line(void **state)
{
	struct top_screen s = usual;
	struct top_model m;
	char *text;

	(void)state;
	fill(&m);
	text = drawn(&s, &m);
	plain(text);
	assert_string_equal(
	        text,
	        "v on h  up 5.0s  channels 1  clients 4                                  12:34:56\n"
	        "in 0/s 0B/s  out 0/s 0B/s  queued 1 100B  dropped 0/s 2                       \xe2\x96\x88 \n"
	        "\n"
	        "CHANNEL       CLNT  IN/sv INB/s OUT/s OUTB/s QUEUE DROP/s DROPD STALL       MSGS\n"
	        "A                2   100  1000B   200     0B     0      0     1     3         \xe2\x96\x85\xe2\x96\x88\n"
	        "\n"
	        "\n"
	        "\n"
	        "\n"
	        "q quit  c channels  l clients  < > column  r reverse  p pause  ? help");
	free(text);
	top_model_fini(&m);
}

static void no_line_is_wider_than_the_screen(void **state)
{
	struct top_model m, net;

	(void)state;
	fill(&m);
	fill_net(&net);
	for (size_t columns = TOP_COLUMNS_MIN; columns < 200; columns++) {
		for (unsigned list = 0; list < N_TOP_LISTS; list++) {
			struct top_screen s = usual;
			size_t lines = 0;
			char *text, *rest, *line;

			s.columns = columns;
			s.list = (enum top_list_id)list;
			s.blocks = false;
			s.colour = columns % 2;
			text = drawn(&s, list == TOP_HOSTS ? &net : &m);
			plain(text);
			rest = text;
			while ((line = strsep(&rest, "\n"))) {
				lines++;
				if (text_width(line, strlen(line)) > columns)
					fail_msg("%zu columns: %s", columns, line);
			}
			assert_int_equal(lines, s.rows);
			free(text);
		}
	}
	top_model_fini(&m);
	top_model_fini(&net);
}

static void hosts_fit_a_usual_terminal(void **state)
{
	struct top_screen s = usual;
	struct top_model m;
	char *text;

	(void)state;
	fill_net(&m);
	s.list = TOP_HOSTS;
	text = drawn(&s, &m);
	plain(text);
	assert_string_equal(
	        text,
	        "v on h  up 5.0s  channels 0  clients 4  hosts 1                         12:34:56\n"
	        "in 0/s 0B/s  out 0/s 0B/s  queued 1 100B  dropped 0/s 2                         \n"
	        "\n"
	        "HOST         STATE        RTTus  INB/s OUTB/s  LOST  NAKS REPAIR WINDOW  HEARD  \n"
	        "far          up              85 40.0kB 80.0kB     9     3      7    512   1.5s \xe2\x96\x88\n"
	        "away         refused: MTU    85     0B     0B     0     3      7    512   1.5s  \n"
	        "\n"
	        "\n"
	        "\n"
	        "q quit  c channels  l clients  m hosts  < > column  r reverse  p pause  ? help");
	free(text);
	top_model_fini(&m);
}

static void a_list_of_no_hosts_says_why(void **state)
{
	struct top_screen s = usual;
	struct top_model m;
	char *text;

	(void)state;
	fill(&m);
	s.list = TOP_HOSTS;
	text = drawn(&s, &m);
	assert_non_null(strstr(text, "this server takes part in no network"));
	assert_null(strstr(text, "m hosts"));
	free(text);
	update_net(&m, STATS("x", "", 0), "[]", "{\"connected\":true}", "[]", 4000);
	text = drawn(&s, &m);
	assert_non_null(strstr(text, "no other hosts"));
	free(text);
	top_model_fini(&m);
}

static void a_screen_that_is_too_small_says_so(void **state)
{
	struct top_screen s = usual;
	struct top_model m;
	char *text;

	(void)state;
	fill(&m);
	s.rows = TOP_ROWS_MIN - 1;
	text = drawn(&s, &m);
	assert_non_null(strstr(text, "needs 40x6"));
	free(text);
	top_model_fini(&m);
}

static void the_message_and_the_help_are_shown(void **state)
{
	struct top_screen s = usual;
	struct top_model m;
	char *text;

	(void)state;
	fill(&m);
	s.message = "the server is gone";
	s.help = true;
	text = drawn(&s, &m);
	assert_non_null(strstr(text, "the server is gone"));
	assert_non_null(strstr(text, "leave"));
	assert_null(strstr(text, "CHANNEL"));
	free(text);
	top_model_fini(&m);
}

static void a_batch_has_its_titles_once(void **state)
{
	static const char expected[] =
	        "at_ms,channel,clients,in_per_s,in_bytes_per_s,out_per_s,out_bytes_per_s,queued,"
	        "queued_bytes,dropped_per_s,dropped,stalls\r\n"
	        "7000,A,2,100,1000,200,0,0,0,0,1,3\r\n"
	        "8000,A,2,100,1000,200,0,0,0,0,1,3\r\n";
	struct output o = {.format = OUTPUT_CSV, .width = 80};
	struct top_model m;
	char *text = NULL;
	size_t len = 0;

	(void)state;
	fill(&m);
	o.f = open_memstream(&text, &len);
	assert_non_null(o.f);
	assert_int_equal(top_view_batch(&o, &usual, &m, 7000, true), 0);
	assert_int_equal(top_view_batch(&o, &usual, &m, 8000, false), 0);
	assert_int_equal(fclose(o.f), 0);
	assert_string_equal(text, expected);
	free(text);
	top_model_fini(&m);
}

static void a_batch_in_json_is_json(void **state)
{
	struct output o = {.format = OUTPUT_JSON, .width = 80};
	struct literal_error error;
	struct top_model m;
	struct value v;
	char *text = NULL;
	size_t len = 0;

	(void)state;
	fill(&m);
	o.f = open_memstream(&text, &len);
	assert_non_null(o.f);
	assert_int_equal(top_view_batch(&o, &usual, &m, 7000, true), 0);
	assert_int_equal(fclose(o.f), 0);
	assert_int_equal(literal_parse(text, len, false, &v, &error), 0);
	assert_int_equal(value_u64(value_path(&v, "interval_ms"), 0), 1000);
	assert_int_equal(value_count(value_get(&v, "channels")), 1);
	assert_string_equal(value_str(value_get(&value_get(&v, "clients")->items[0], "name"), ""),
	                    "cmd lab");
	value_fini(&v);
	free(text);
	top_model_fini(&m);
}

static void every_metric_of_a_list_stands_in_one_column(void **state)
{
	(void)state;
	for (unsigned list = 0; list < N_TOP_LISTS; list++) {
		const struct top_column *c = top_columns((enum top_list_id)list);
		size_t n = 0;

		for (; c[n].title; n++) {
			assert_in_range(strlen(c[n].title), 1, c[n].width);
			assert_true((c[n].metric < N_TOP_METRICS) == (c[n].text == TOP_TEXT_NONE));
		}
		assert_in_range(n, 5, TOP_COLUMNS_MAX);
	}
}

/* ---- keys */

static void keys_change_what_is_shown(void **state)
{
	struct top_screen s = usual;
	struct top_model m;

	(void)state;
	fill(&m);
	assert_true(top_key(&s, &m, 'q'));
	assert_false(top_key(&s, &m, 'l'));
	assert_int_equal(s.list, TOP_CLIENTS_LIST);
	top_key(&s, &m, '\t');
	assert_int_equal(s.list, TOP_CHANNELS);
	top_key(&s, &m, '>');
	assert_int_equal(s.by, TOP_IN_BYTES);
	top_key(&s, &m, '<');
	top_key(&s, &m, '<');
	assert_int_equal(s.by, TOP_CLIENTS);
	top_key(&s, &m, '<');
	assert_int_equal(s.by, TOP_BY_NAME);
	top_key(&s, &m, '<');
	assert_int_equal(s.by, TOP_STALLS);
	top_key(&s, &m, 'r');
	assert_false(s.descending);
	top_key(&s, &m, 'n');
	assert_int_equal(s.by, TOP_BY_NAME);
	top_key(&s, &m, 'p');
	assert_true(s.paused);
	top_key(&s, &m, '?');
	assert_true(s.help);
	top_key(&s, &m, KEY_ESCAPE);
	assert_false(s.help);
	top_model_fini(&m);
}

static void a_column_that_a_list_lacks_is_left(void **state)
{
	struct top_screen s = usual;
	struct top_model m;

	(void)state;
	fill_net(&m);
	s.by = TOP_CLIENTS;
	top_key(&s, &m, 'l');
	assert_int_equal(s.by, TOP_IN);
	s.by = TOP_QUEUED;
	top_key(&s, &m, 'm');
	assert_int_equal(s.by, TOP_IN);
	s.by = TOP_RTT;
	top_key(&s, &m, 'c');
	assert_int_equal(s.by, TOP_IN);
	top_model_fini(&m);
}

static void hosts_are_shown_where_there_is_a_network(void **state)
{
	struct top_screen s = usual;
	struct top_model m;

	(void)state;
	fill(&m);
	top_key(&s, &m, 'm');
	assert_int_equal(s.list, TOP_CHANNELS);
	top_key(&s, &m, '\t');
	top_key(&s, &m, '\t');
	assert_int_equal(s.list, TOP_CHANNELS);
	top_model_fini(&m);
	fill_net(&m);
	top_key(&s, &m, '\t');
	top_key(&s, &m, '\t');
	assert_int_equal(s.list, TOP_HOSTS);
	top_key(&s, &m, '\t');
	assert_int_equal(s.list, TOP_CHANNELS);
	top_key(&s, &m, 'm');
	assert_int_equal(s.list, TOP_HOSTS);
	top_model_fini(&m);
}

static void the_interval_moves_by_steps_and_has_ends(void **state)
{
	struct top_screen s = usual;
	struct top_model m;

	(void)state;
	fill(&m);
	top_key(&s, &m, '+');
	assert_int_equal(s.interval_ms, 500);
	top_key(&s, &m, '-');
	top_key(&s, &m, '-');
	assert_int_equal(s.interval_ms, 2000);
	s.interval_ms = 700;
	top_key(&s, &m, '+');
	assert_int_equal(s.interval_ms, 500);
	s.interval_ms = 700;
	top_key(&s, &m, '-');
	assert_int_equal(s.interval_ms, 1000);
	for (int i = 0; i < 20; i++)
		top_key(&s, &m, '+');
	assert_int_equal(s.interval_ms, 100);
	for (int i = 0; i < 20; i++)
		top_key(&s, &m, '-');
	assert_int_equal(s.interval_ms, 60000);
	top_model_fini(&m);
}

static void scrolling_stops_at_both_ends(void **state)
{
	struct top_screen s = usual;
	struct top_model m;
	char stats[4000] = "{\"channels\":[";

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		snprintf(stats + strlen(stats), sizeof(stats) - strlen(stats),
		         "%s{\"name\":\"c%u\"}", i ? "," : "", i);
	strcat(stats, "]}");
	top_model_init(&m);
	update(&m, stats, "[]", 1000);
	assert_int_equal(top_view_page(&s), 5);
	top_key(&s, &m, KEY_UP);
	assert_int_equal(s.first, 0);
	top_key(&s, &m, KEY_DOWN);
	assert_int_equal(s.first, 1);
	top_key(&s, &m, KEY_PAGE_DOWN);
	assert_int_equal(s.first, 6);
	top_key(&s, &m, KEY_END);
	assert_int_equal(s.first, 15);
	top_key(&s, &m, 'j');
	assert_int_equal(s.first, 15);
	top_key(&s, &m, KEY_PAGE_UP);
	assert_int_equal(s.first, 10);
	top_key(&s, &m, KEY_HOME);
	assert_int_equal(s.first, 0);
	top_model_fini(&m);
}

static void bytes_of_a_terminal_become_keys(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int key;
	} cases[] = {
	        {"q", 1, 'q'},
	        {"\033[A", 3, KEY_UP},
	        {"\033OB", 3, KEY_DOWN},
	        {"\033[5~x", 4, KEY_PAGE_UP},
	        {"\033[1;5Aq", 6, KEY_NONE},
	        {"\033", 1, KEY_ESCAPE},
	        {"\033[", 2, KEY_NONE},
	        {"\033x", 1, KEY_NONE},
	        {"\xc3\xa9", 1, 0xc3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int key = -1;

		assert_int_equal(tty_read_key(cases[i].bytes, strlen(cases[i].bytes), &key),
		                 cases[i].len);
		assert_int_equal(key, cases[i].key);
	}
}

static int set_locale(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_first_snapshot_has_counters_and_no_rates),
	        cmocka_unit_test(rates_are_differences_over_the_time_between),
	        cmocka_unit_test(rows_are_found_again_by_their_key),
	        cmocka_unit_test(another_run_of_the_server_starts_anew),
	        cmocka_unit_test(a_counter_that_falls_is_no_rate),
	        cmocka_unit_test(a_channel_writes_what_its_clients_get),
	        cmocka_unit_test(history_keeps_the_last_samples),
	        cmocka_unit_test(a_host_has_rates_of_datagrams_and_counters),
	        cmocka_unit_test(nonsense_from_the_server_is_no_crash),
	        cmocka_unit_test(rows_are_sorted_and_equal_ones_stay_in_order),
	        cmocka_unit_test(the_screen_is_filled_line_by_line),
	        cmocka_unit_test(no_line_is_wider_than_the_screen),
	        cmocka_unit_test(hosts_fit_a_usual_terminal),
	        cmocka_unit_test(a_list_of_no_hosts_says_why),
	        cmocka_unit_test(a_screen_that_is_too_small_says_so),
	        cmocka_unit_test(the_message_and_the_help_are_shown),
	        cmocka_unit_test(a_batch_has_its_titles_once),
	        cmocka_unit_test(a_batch_in_json_is_json),
	        cmocka_unit_test(every_metric_of_a_list_stands_in_one_column),
	        cmocka_unit_test(keys_change_what_is_shown),
	        cmocka_unit_test(a_column_that_a_list_lacks_is_left),
	        cmocka_unit_test(hosts_are_shown_where_there_is_a_network),
	        cmocka_unit_test(the_interval_moves_by_steps_and_has_ends),
	        cmocka_unit_test(scrolling_stops_at_both_ends),
	        cmocka_unit_test(bytes_of_a_terminal_become_keys),
	};

	return cmocka_run_group_tests(tests, set_locale, NULL);
}
