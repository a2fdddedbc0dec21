/*
 * Fuzzes the configuration in libconfig's format, as a client may send it
 *
 * A word in front keeps the text from being taken for JSON. No text may open a file, so that this
 * target needs no folder of its own.
 */

#include "t/fuzz/conf_roundtrip.h"
#include "t/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf text;

	buf_init(&text, CONF_TEXT_MAX + 64);
	if (buf_append_str(&text, "startcontrol = true;\n") || buf_append(&text, data, len))
		abort();
	roundtrip(text.data, text.len);
	buf_fini(&text);
	return 0;
}
