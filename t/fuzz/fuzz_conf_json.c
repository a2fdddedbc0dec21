/*
 * Fuzzes the configuration in netcluster's format, as a client may send it
 */

#include "t/fuzz/conf_roundtrip.h"
#include "t/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	roundtrip(data, len);
	return 0;
}
