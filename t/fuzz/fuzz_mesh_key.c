/*
 * Fuzzes key files
 */

#include "libnc/base/buf.h"
#include "mesh/key.h"
#include "t/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct key zero;
	static struct crypto *crypto;
	struct key_problem problem;
	struct key key, again;
	struct buf b;

	if (!crypto && crypto_new(&crypto, CRYPTO_PORTABLE))
		abort();
	switch (key_parse(&key, crypto, data, len, &problem)) {
	case 0: break;
	case 1:
		if (!problem.text[0] || problem.line > len + 1 || memcmp(&key, &zero, sizeof(key)))
			abort();
		return 0;
	default: abort();
	}
	if (!key.id || key.cipher == CIPHER_NONE)
		abort();
	/* a label's bytes are what they were, so the file of a key is a key again */
	buf_init(&b, KEY_FILE_MAX);
	if (key_print(&b, &key) || key_parse(&again, crypto, b.data, b.len, &problem) ||
	    memcmp(&key, &again, sizeof(key)))
		abort();
	buf_fini(&b);
	return 0;
}
