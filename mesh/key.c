/* key.c - keys and the ring of them; key_file.c reads and writes their files */

#include "mesh/key.h"

#include "libnc/base/endian.h"

#include <errno.h>
#include <string.h>

#define LABEL "nc-mesh/1 id"

int key_init(struct key *k, struct crypto *c, enum cipher cipher,
             const uint8_t secret[CRYPTO_KEY_LEN])
{
	const char *name = cipher_name(cipher);
	uint8_t input[sizeof(LABEL) + 32], mac[CRYPTO_KEY_LEN], *p = input;
	int err;

	if (cipher == CIPHER_NONE)
		return -EINVAL;
	*p++ = sizeof(LABEL) - 1;
	p = mempcpy(p, LABEL, sizeof(LABEL) - 1);
	*p++ = (uint8_t)strlen(name);
	p = mempcpy(p, name, strlen(name));
	err = crypto_mac(c, mac, secret, input, (size_t)(p - input));
	if (err)
		return err;
	if (!le32_get(mac))
		return -EINVAL;
	*k = (struct key){.id = le32_get(mac), .cipher = cipher};
	memcpy(k->secret, secret, sizeof(k->secret));
	return 0;
}

void key_init_insecure(struct key *k)
{
	*k = (struct key){.cipher = CIPHER_NONE};
}

void key_wipe(struct key *k)
{
	explicit_bzero(k, sizeof(*k));
}

void keyring_init(struct keyring *r)
{
	*r = (struct keyring){0};
}

void keyring_fini(struct keyring *r)
{
	explicit_bzero(r, sizeof(*r));
}

/* The place of an id, or KEYRING_MAX. Looks at all places whatever it is. */
static size_t place_of(const struct keyring *r, uint32_t id)
{
	size_t place = KEYRING_MAX;

	for (size_t i = 0; i < KEYRING_MAX; i++)
		place = r->is_held[i] && r->keys[i].id == id ? i : place;
	return place;
}

size_t keyring_n(const struct keyring *r)
{
	size_t n = 0;

	for (size_t i = 0; i < KEYRING_MAX; i++)
		n += r->is_held[i];
	return n;
}

static bool is_same(const struct key *a, const struct key *b)
{
	return a->cipher == b->cipher && crypto_equal(a->secret, b->secret, sizeof(a->secret));
}

int keyring_install(struct keyring *r, const struct key *k)
{
	size_t place = place_of(r, k->id), n = keyring_n(r);

	if (place < KEYRING_MAX)
		return is_same(&r->keys[place], k) ? KEYRING_HELD : KEYRING_CLASH;
	if (n && (k->cipher == CIPHER_NONE || place_of(r, 0) < KEYRING_MAX))
		return KEYRING_MIXED;
	if (n == KEYRING_MAX)
		return KEYRING_FULL;
	for (place = 0; r->is_held[place]; place++)
		;
	r->keys[place] = *k;
	r->is_held[place] = true;
	return 0;
}

int keyring_use(struct keyring *r, uint32_t id)
{
	const struct key *k = keyring_find(r, id);

	if (!k)
		return KEYRING_UNKNOWN;
	r->current = k;
	return 0;
}

int keyring_remove(struct keyring *r, uint32_t id)
{
	size_t place = place_of(r, id);

	if (place == KEYRING_MAX)
		return KEYRING_UNKNOWN;
	if (r->current == &r->keys[place])
		return KEYRING_IN_USE;
	key_wipe(&r->keys[place]);
	r->is_held[place] = false;
	return 0;
}

const struct key *keyring_find(const struct keyring *r, uint32_t id)
{
	size_t place = place_of(r, id);

	return place < KEYRING_MAX ? &r->keys[place] : NULL;
}

const struct key *keyring_next(const struct keyring *r, const struct key *k)
{
	for (size_t i = k ? (size_t)(k - r->keys) + 1 : 0; i < KEYRING_MAX; i++)
		if (r->is_held[i])
			return &r->keys[i];
	return NULL;
}

const char *keyring_strerror(enum keyring_error e)
{
	switch (e) {
	case KEYRING_FULL: return "as many keys as can be held are held";
	case KEYRING_HELD: return "the key is held already";
	case KEYRING_CLASH: return "another key with this id is held";
	case KEYRING_MIXED: return "insecure, and a key, exclude one another";
	case KEYRING_UNKNOWN: return "no key with this id is held";
	case KEYRING_IN_USE: return "the key is in use; another has to be used first";
	}
	return "unknown error";
}
