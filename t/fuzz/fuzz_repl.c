/*
 * Fuzz target: the command line of ncclient
 *
 * The line is parsed, checked against the table of commands, and looked at as if the cursor stood
 * at its end. What was read as a value must, written as JSON, be read again by the strict reader
 * and be written the same.
 */

#include "t/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ncclient/call.h"
#include "ncclient/command.h"
#include "ncclient/complete.h"
#include "ncclient/literal.h"
#include "ncclient/value.h"

static char *write_value(const struct value *v, size_t *len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	if (!f)
		abort();
	value_write(f, v, false);
	if (fclose(f))
		abort();
	return text;
}

static void check_round_trip(const struct value *v)
{
	struct literal_error error;
	struct value again;
	size_t len, len_again;
	char *text = write_value(v, &len), *text_again;

	if (literal_parse(text, len, false, &again, &error))
		abort();
	text_again = write_value(&again, &len_again);
	if (len != len_again || memcmp(text, text_again, len))
		abort();
	value_fini(&again);
	free(text);
	free(text_again);
}

static void check_error(const struct literal_error *error, size_t len)
{
	if (error->at > len || !error->text[0] || !memchr(error->text, 0, sizeof(error->text)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct literal_error error = {0};
	struct complete_place place;
	struct calls calls;
	struct value v;
	int rc = calls_parse((const char *)data, len, &calls, &error);

	if (rc == LITERAL_E_SYNTAX)
		check_error(&error, len);
	for (size_t i = 0; i < calls.n; i++) {
		if (!command_check(&calls.items[i], &error))
			check_error(&error, len);
		for (size_t j = 0; j < calls.items[i].n_args; j++)
			check_round_trip(&calls.items[i].args[j]);
	}
	calls_fini(&calls);
	complete_find((const char *)data, len, &place);
	if (place.kind != COMPLETE_NOTHING && place.word_at > len)
		abort();
	if (literal_parse((const char *)data, len, false, &v, &error) == 0) {
		check_round_trip(&v);
		value_fini(&v);
	}
	return 0;
}
