/*
 * The configurations of a soak
 */

#include "t/soak/config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "t/soak/question.h"

static const char staying[] =
        "hello_wait = 1000; drain_timeout = 10000; probation = 2000;\n"
        "quota = { connections = 5000; connection_rate = 5000; bytes = \"512 MiB\"; "
        "subscriptions = 1000000; };\n"
        "channels = {\n"
        "calm = { block_timeout = 60000; propagatetochannels = \"^lossy\"; };\n"
        "block = { block_timeout = 3000; };\n"
        "lossy-oldest = { policy = \"drop-oldest\"; queue_bytes = 262144; };\n"
        "lossy-newest = { policy = \"drop-newest\"; queue_messages = 64; };\n"
        "lossy-conflate = { policy = \"conflate\"; queue_bytes = 262144; conflate_names = 64; };\n"
        "slow = { policy = \"disconnect\"; queue_bytes = 1048576; };\n"
        "fifo = { fifo = true; block_timeout = 60000; };\n"
        "dump = { policy = \"drop-oldest\"; dumptoconsole = true; };\n";

static const char *const changing[] = {
        "changing = { };\n",
        "changing = { policy = \"drop-oldest\"; queue_bytes = 65536; };\n",
        "changing = { policy = \"drop-newest\"; propagatetochannels = \"^pass\"; };\n",
        "changing = { policy = \"conflate\"; queue_messages = 16; };\n",
        "changing = { policy = \"disconnect\"; queue_bytes = 131072; };\n",
        "changing = { mode = \"0666\"; queue_bytes = 8388608; };\n",
        "changing = { agent_pacing = false; propagatetochannels = \"1$\"; };\n",
        "changing = { block_timeout = 200; queue_bytes = 65536; };\n",
};

#define N_CHANGING (sizeof(changing) / sizeof(*changing))

char *config_text(unsigned variant)
{
	char passing[PASSING_MAX * 96];
	int n = 0;

	passing[0] = '\0';
	for (unsigned i = 0; i < PASSING_MAX; i++)
		if (variant & 1u << i)
			n += snprintf(passing + n, sizeof(passing) - (size_t)n,
			              "%s = { block_timeout = 300; propagatetochannels = "
			              "\"^changing$\"; };\n",
			              channel_name(CH_PASSING, i));
	return util_format("%s%s%s};", staying, changing[(variant >> PASSING_MAX) % N_CHANGING],
	                   passing);
}

/* Texts that no server takes, each wrong in another way; what was said before it is right. */
static char *wrong_text(unsigned variant)
{
	static const char *const wrong[] = {
	        "channels = {",
	        "nonsense = 7;",
	        "max_clients = 0;",
	        "channels = { calm = { propagatetochannels = \"(\"; }; };",
	        "\x01",
	};
	char *right = config_text(variant);
	char *text =
	        util_format("%s\n%s", right, wrong[variant % (sizeof(wrong) / sizeof(*wrong))]);

	free(right);
	return text;
}

/* Over the control channel. */
static void send_text(const struct server *s, nc_client *control, const char *text, bool is_right)
{
	char *whole = server_config_text(s, text), *quoted = util_quote(whole), *answer;
	char *json = util_format("{\"format\":\"libconfig\",\"text\":%s}", quoted);
	int error;

	answer = question_ask(control, "nc-control-reloadconfig", json, &error);
	if ((error == NC_OK) != is_right)
		soak_fail("a %s configuration was answered: %s %s", is_right ? "right" : "wrong",
		          nc_strerror(error), answer ? answer : "");
	free(answer);
	free(json);
	free(quoted);
	free(whole);
}

bool config_reload(struct server *s, nc_client *control)
{
	unsigned variant = chance_below(1u << PASSING_MAX) | chance_below(N_CHANGING)
	                                                             << PASSING_MAX;
	bool is_right = !chance_one_in(3);
	char *text = is_right ? config_text(variant) : wrong_text(variant);

	if (chance_one_in(2)) {
		send_text(s, control, text, is_right);
	} else {
		server_configure(s, text);
		server_signal(s, SIGHUP);
	}
	free(text);
	return is_right;
}

void config_quiet(struct server *s, nc_client *control)
{
	char *text = config_text(CONFIG_QUIET);

	/* a signal that is still on its way finds the same in the file */
	server_configure(s, text);
	send_text(s, control, text, true);
	free(text);
}
