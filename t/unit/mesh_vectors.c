/* mesh_vectors.c - the test vectors of nc-mesh(7), as data */

#include "t/unit/mesh_vectors.h"

#include "libnc/base/endian.h"

#include <stdio.h>
#include <string.h>

const uint8_t vector_secret[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                   16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
const uint8_t vector_boot[16] = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
                                 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf};
const uint8_t vector_plain[VECTOR_PLAIN_LEN] = {
        0x04, 0x03, 0x02, 0x01,             /* time stamp 0x01020304 */
        0x03, 0x00, 0x12, 0x00,             /* HEAD, no flags, 18 bytes */
        0x02, 0x00,                         /* lane 2 */
        0x09, 0,    0,    0,    0, 0, 0, 0, /* segment 9 is next */
        0x05, 0,    0,    0,    0, 0, 0, 0, /* 5 messages */
};

const struct vector vectors[] = {
        {.cipher = "aes-256-gcm",
         .id = 0x7339999d,
         .counter = 1,
         .key = "aa2ae8aae2d24f697b63b50da6e12e550ef13cb80fb00cde7de866a08962dbf0",
         .nonce = "000000000100000000000000",
         .datagram = "4d0100009d9939730100000000000000a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
                     "5f49d4dbfd91a1daad38089a489903d329a976086cc5b7708675"
                     "5ebbd07c336182609d93d5e8f7fcd890"},
        {.cipher = "aes-256-gcm",
         .id = 0x7339999d,
         .counter = UINT64_C(0x100000001),
         .key = "b128294b44f0948f806f0e3a3e2acf9136800eae59e3a5659a4c6508657b7a3b",
         .nonce = "000000000100000001000000",
         .datagram = "4d0100009d9939730100000001000000a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
                     "9e64ff2984f91ef5ebdd06403763b53748a8c87edf88375455e5"
                     "5a9b70bbacbb53a0dd47bafaf7e53070"},
        {.cipher = "chacha20-poly1305",
         .id = 0x2c373040,
         .counter = 1,
         .key = "be558cb2b50a34615fc5608dd334951303e2bcad690a946692b28bc46f514819",
         .nonce = "000000000100000000000000",
         .datagram = "4d0100004030372c0100000000000000a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
                     "e52eadbd8ddbf9b3508c4ee34f9815d25c11667b815894185cf0"
                     "338ccb5a73c6d5d4367e7c58843964cd"},
        {.cipher = "chacha20-poly1305",
         .id = 0x2c373040,
         .counter = UINT64_C(0x100000001),
         .key = "d49114d0445377cc748114d1958039b2ab3320a57c70bef544e9fa15e919f6ae",
         .nonce = "000000000100000001000000",
         .datagram = "4d0100004030372c0100000001000000a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
                     "a60e61ad73f70853cc9601870b160df3f83ae98c1c39757f0bed"
                     "d0058b92ae43cbb2f14df68a353a5125"},
        {.cipher = "none",
         .id = 0x00000000,
         .counter = 1,
         .key = "fa565554b1f54aef57fd814611db3666701e7b551ccb21bf7e2a1b1f24adc168",
         .nonce = "000000000100000000000000",
         .datagram = "4d010000000000000100000000000000a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
                     "0403020103001200020009000000000000000500000000000000"
                     "95ef83494318c11f2f88fb0f4f55d7c4"},
        {.cipher = "none",
         .id = 0x00000000,
         .counter = UINT64_C(0x100000001),
         .key = "d74b453698ac205f1d0f3ea48dd51766618049574472b04331800259400af485",
         .nonce = "000000000100000001000000",
         .datagram = "4d010000000000000100000001000000a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
                     "0403020103001200020009000000000000000500000000000000"
                     "efb82ea1317953bf59ebd311fa2b92a5"},
};
const size_t n_vectors = sizeof(vectors) / sizeof(*vectors);

void vector_head(const struct vector *v, uint8_t head[VECTOR_HEAD_LEN])
{
	static const uint8_t magic_and_version[4] = {0x4d, 1, 0, 0};

	memcpy(head, magic_and_version, 4);
	le32_put(head + 4, v->id);
	le64_put(head + 8, v->counter);
	memcpy(head + 16, vector_boot, sizeof(vector_boot));
}

const char *vector_hex(const uint8_t *p, size_t len)
{
	static char texts[4][2 * VECTOR_LEN + 1];
	static unsigned next;
	char *text = texts[next++ % 4];

	for (size_t i = 0; i < len && i < VECTOR_LEN; i++)
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	return text;
}
