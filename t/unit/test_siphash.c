/*
 * Unit tests of base/siphash
 */

#include "libnc/base/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define N_VECTORS 64

/*
 * The vectors of the authors' reference implementation: entry n is the hash of the n bytes 0, 1, 2,
 * ... under the key 0, 1, ... 15. The one of 15 bytes is printed in the paper, appendix A.
 */
static const uint64_t vectors_24[N_VECTORS] = {
        0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
        0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
        0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
        0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
        0x3f2acc7f57c29bdb, 0x699ae9f52cbe4794, 0x4bc1b3f0968dd39c, 0xbb6dc91da77961bd,
        0xbed65cf21aa2ee98, 0xd0f2cbb02e3b67c7, 0x93536795e3a33e88, 0xa80c038ccd5ccec8,
        0xb8ad50c6f649af94, 0xbce192de8a85b8ea, 0x17d835b85bbb15f3, 0x2f2e6163076bcfad,
        0xde4daaaca71dc9a5, 0xa6a2506687956571, 0xad87a3535c49ef28, 0x32d892fad841c342,
        0x7127512f72f27cce, 0xa7f32346f95978e3, 0x12e0b01abb051238, 0x15e034d40fa197ae,
        0x314dffbe0815a3b4, 0x027990f029623981, 0xcadcd4e59ef40c4d, 0x9abfd8766a33735c,
        0x0e3ea96b5304a7d0, 0xad0c42d6fc585992, 0x187306c89bc215a9, 0xd4a60abcf3792b95,
        0xf935451de4f21df2, 0xa9538f0419755787, 0xdb9acddff56ca510, 0xd06c98cd5c0975eb,
        0xe612a3cb9ecba951, 0xc766e62cfcadaf96, 0xee64435a9752fe72, 0xa192d576b245165a,
        0x0a8787bf8ecb74b2, 0x81b3e73d20b49b6f, 0x7fa8220ba3b2ecea, 0x245731c13ca42499,
        0xb78dbfaf3a8d83bd, 0xea1ad565322a1a0b, 0x60e61c23a3795013, 0x6606d7e446282b93,
        0x6ca4ecb15c5f91e1, 0x9f626da15c9625f3, 0xe51b38608ef25f57, 0x958a324ceb064572,
};

/*
 * SipHash-1-3 of the n + 1 bytes 0, 1, 2, ... under the key of 16 zeros, as CPython 3.11 says with
 * PYTHONHASHSEED=0: hash(bytes(range(n + 1))).
 */
static const uint64_t vectors_13[N_VECTORS - 1] = {
        0x68a914128e01e473, 0x010bac45c41e3669, 0x4d4c9a4a8ef6e0ad, 0x7cc43f98813e4dbd,
        0x5abe2169dff36275, 0xe3c25f87624f1cdb, 0x2f098ab0c751325a, 0xead411e67ebe2eea,
        0x75927f9d95124362, 0xaf9f77a65ab51a1d, 0xfe64ce8b6617fcff, 0xa6baf4fb0f9fe1c2,
        0xa0cf3211850f8e0d, 0x7f86049379fbfe67, 0xf30eb725bb91c9ea, 0x8972188433a5c5b7,
        0x4883c49a2c009c1d, 0xadc2c0b63044067d, 0x091f4a3329f87d19, 0x639e355ae68c0100,
        0xb17bef2cb5213239, 0xf8aeb1066236ccfe, 0x37332b1389daa4ff, 0x31185a47af932f3a,
        0xebf352e82ae23e2f, 0xed36ff242fe478b2, 0x2454d97d299299df, 0x8cd57fe8130d0ac7,
        0xbe98eb2faf0a0e85, 0xd427c34ee09470c6, 0x169739443111d49b, 0x31ef8061c910629b,
        0x7fb71d24dfa4c9f6, 0x92771f49e836d389, 0x3c393cf6f0853bc3, 0xac77921fcc642bd3,
        0x422a9751192ff266, 0xc680ae8a8c584ddf, 0x6c76b6d34bb6d26b, 0x95bc321ab41d8206,
        0x908a3a97a6d37669, 0xfcaf3c64874dd0b4, 0xf689479b32b84a44, 0xd857641079efd1fd,
        0x8b581578722633f7, 0x83cb09d35ea7bcd4, 0x8485f7f5ae725a0d, 0xfe1f2445ba50237f,
        0x23cece041d7866b0, 0x416687480b336c09, 0xf15960da7e7f3892, 0xded6177b9826835a,
        0xf80dae51668be6be, 0x17ecc6ee6647df18, 0x5220d642b4a52110, 0xa4f0cf4ba4adc016,
        0xe5125bb26d1f2976, 0x851b0e75f580d256, 0x12605250a37e39ac, 0xd95a713568daebf1,
        0xcdcf4a42ec0dd605, 0xa5c708712b617164, 0x385d3e39e5f37359,
};

static void siphash_2_4_gives_the_reference_vectors(void **state)
{
	uint8_t key[SIPHASH_KEY_LEN], input[N_VECTORS];

	(void)state;
	for (uint8_t i = 0; i < sizeof(key); i++)
		key[i] = i;
	for (uint8_t i = 0; i < sizeof(input); i++)
		input[i] = i;
	for (size_t n = 0; n < N_VECTORS; n++)
		assert_true(siphash24(key, input, n) == vectors_24[n]);
}

static void siphash_1_3_gives_the_hashes_of_cpython(void **state)
{
	static const uint8_t key[SIPHASH_KEY_LEN];
	uint8_t input[N_VECTORS];

	(void)state;
	for (uint8_t i = 0; i < sizeof(input); i++)
		input[i] = i;
	for (size_t n = 1; n < N_VECTORS; n++)
		assert_true(siphash13(key, input, n) == vectors_13[n - 1]);
}

static void alignment_of_the_input_does_not_matter(void **state)
{
	uint8_t key[SIPHASH_KEY_LEN] = {7}, memory[64 + 8];
	uint64_t expected = 0;

	(void)state;
	for (size_t shift = 0; shift < 8; shift++) {
		for (uint8_t i = 0; i < 64; i++)
			memory[shift + i] = i;
		if (!shift)
			expected = siphash13(key, memory, 61);
		assert_true(siphash13(key, memory + shift, 61) == expected);
	}
}

static void every_bit_of_the_key_counts(void **state)
{
	uint8_t key[SIPHASH_KEY_LEN] = {0};
	uint64_t plain = siphash13(key, "netcluster", 10);

	(void)state;
	for (unsigned bit = 0; bit < 8 * SIPHASH_KEY_LEN; bit++) {
		key[bit / 8] = (uint8_t)(1u << bit % 8);
		assert_true(siphash13(key, "netcluster", 10) != plain);
		key[bit / 8] = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(siphash_2_4_gives_the_reference_vectors),
	        cmocka_unit_test(siphash_1_3_gives_the_hashes_of_cpython),
	        cmocka_unit_test(alignment_of_the_input_does_not_matter),
	        cmocka_unit_test(every_bit_of_the_key_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
