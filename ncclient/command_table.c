/*
 * The commands themselves
 *
 * Adding one takes its number in command.h, its row here, in the order of the numbers, what it does
 * in run.c, and its paragraph in ncclient(1).
 */

#include "ncclient/command.h"

#define SHELL COMMAND_IN_SHELL
#define REPL  COMMAND_IN_REPL
#define BOTH  (SHELL | REPL)

/* What is asked of the server. */
static const struct command questions[] = {
        {COMMAND_SHOWCONFIG,
         "showconfig",
         NULL,
         BOTH,
         {{0}},
         "the server's whole active configuration",
         NULL},
        {COMMAND_RELOADCONFIG,
         "reloadconfig",
         "reloaconfig",
         BOTH,
         {{"file", PARAM_FILE, true}},
         "make the server take a configuration",
         "The file is read here and sent to the server, in libconfig's or netcluster's JSON\n"
         "format. Without a file the server reads its own again. It takes all of it, or,\n"
         "where anything is wrong, nothing, and says every problem.\n"},
        {COMMAND_SHOWCHANNEL,
         "showchannel",
         NULL,
         BOTH,
         {{"channel", PARAM_CHANNEL, false}},
         "ids of a channel's clients",
         NULL},
        {COMMAND_SHOWCLIENT,
         "showclient",
         NULL,
         BOTH,
         {{"channel", PARAM_CHANNEL, false}, {"client", PARAM_CLIENT, false}},
         "all about one client",
         "The first characters of an id are enough where no other client's begins so.\n"},
        {COMMAND_CHANNELS, "channels", NULL, BOTH, {{0}}, "the channels and their counters", NULL},
        {COMMAND_CLIENTS,
         "clients",
         NULL,
         BOTH,
         {{"channel", PARAM_CHANNEL, true}},
         "the clients, of one channel or of all",
         NULL},
        {COMMAND_RULES,
         "rules",
         NULL,
         BOTH,
         {{0}},
         "which channel's events reach which others",
         NULL},
        {COMMAND_STATS, "stats", NULL, BOTH, {{0}}, "the server's totals", NULL},
        {COMMAND_SLOW,
         "slow",
         NULL,
         BOTH,
         {{0}},
         "clients that read too slowly",
         "The latest first, with those that have gone since.\n"},
        {COMMAND_TRACE,
         "trace",
         NULL,
         BOTH,
         {{"channel", PARAM_CHANNEL, false}, {"event", PARAM_EVENT, false}},
         "who would get an event, without sending it",
         NULL},
};

/* What is asked of the server about other hosts. */
static const struct command network[] = {
        {COMMAND_PEERS,
         "peers",
         NULL,
         BOTH,
         {{0}},
         "the other hosts, and how they are heard",
         NULL},
        {COMMAND_NET, "net", NULL, BOTH, {{0}}, "the server's place in the network", NULL},
        {COMMAND_LANES,
         "lanes",
         NULL,
         BOTH,
         {{0}},
         "what goes to other hosts and comes from them",
         NULL},
        {COMMAND_PROBE,
         "probe",
         NULL,
         BOTH,
         {{0}},
         "whether the network works, and what to do",
         "The hosts are asked to speak, and have a second to do so.\n"},
        {COMMAND_KEYS, "keys", NULL, BOTH, {{0}}, "the keys of the network, by their ids", NULL},
        {COMMAND_KEYINSTALL,
         "keyinstall",
         NULL,
         BOTH,
         {{"file", PARAM_FILE, false}},
         "make the server hold another key",
         "The server reads the file itself. It opens what is sealed with that key; what leaves\n"
         "is sealed with it after keyuse(). The configuration is not changed.\n"},
        {COMMAND_KEYUSE,
         "keyuse",
         NULL,
         BOTH,
         {{"id", PARAM_KEY, false}, {"force", PARAM_JSON, true}},
         "seal with another key from now on",
         "Refused while a host has not shown that it holds the key. With true as the second\n"
         "argument, or --force, it is done, and the hosts that are cut off are told.\n"},
        {COMMAND_KEYREMOVE,
         "keyremove",
         NULL,
         BOTH,
         {{"id", PARAM_KEY, false}, {"force", PARAM_JSON, true}},
         "forget a key",
         "Refused, as keyuse(), while a host could not go on without it.\n"},
};

/* What is said and heard on channels. */
static const struct command events[] = {
        {COMMAND_EMIT,
         "emit",
         NULL,
         BOTH,
         {{"channel", PARAM_CHANNEL, false},
          {"event", PARAM_EVENT, false},
          {"data", PARAM_JSON, true}},
         "send an event",
         "The data is any JSON value; keys without quotes and text in single quotes are fine.\n"},
        {COMMAND_LISTEN,
         "listen",
         NULL,
         BOTH,
         {{"channel", PARAM_CHANNEL, false}, {"pattern", PARAM_PATTERN, true}},
         "print the events that match, until Ctrl-C",
         "In a pattern * stands for one token of the name and a last > for all that follow:\n"
         "log.*, log.>. Without a pattern everything is printed.\n"},
        {COMMAND_WATCH,
         "watch",
         NULL,
         REPL,
         {{"channel", PARAM_CHANNEL, false}, {"pattern", PARAM_PATTERN, true}},
         "print the events that match, while you go on working",
         "unwatch() ends it.\n"},
        {COMMAND_UNWATCH,
         "unwatch",
         NULL,
         REPL,
         {{"channel", PARAM_CHANNEL, true}},
         "end what watch() began, on one channel or on all",
         NULL},
};

/* All else. */
static const struct command others[] = {
        {COMMAND_TOP, "top", NULL, BOTH, {{0}}, "live view of rates, queues and drops", NULL},
        {COMMAND_PING,
         "ping",
         NULL,
         BOTH,
         {{"channel", PARAM_CHANNEL, true}},
         "whether the server answers, and how fast",
         NULL},
        {COMMAND_SET,
         "set",
         NULL,
         REPL,
         {{"setting", PARAM_SETTING, true}, {"value", PARAM_SETTING_VALUE, true}},
         "change a setting; set() shows them",
         NULL},
        {COMMAND_HELP,
         "help",
         ".lc",
         BOTH,
         {{"command", PARAM_TOPIC, true}},
         "what there is, or all about one command",
         NULL},
        {COMMAND_QUIT, "quit", "exit", REPL, {{0}}, "leave, as does Ctrl-D", NULL},
};

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

_Static_assert(LEN(questions) + LEN(network) + LEN(events) + LEN(others) == N_COMMANDS,
               "a row for each number");

const struct command *command_at(size_t i)
{
	if (i < LEN(questions))
		return &questions[i];
	i -= LEN(questions);
	if (i < LEN(network))
		return &network[i];
	i -= LEN(network);
	if (i < LEN(events))
		return &events[i];
	return &others[i - LEN(events)];
}
