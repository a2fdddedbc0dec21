/* key.h - the group's keys: their files, and the ring of those that are held
 *
 * A key is 32 random bytes and the cipher that they are for. Its id is derived from both, so that a
 * key file that was copied wrongly is noticed, and that one secret under two ciphers is two keys.
 * Files come as bytes: who opens them checks owner and mode (ncserver/io/keyfile.h).
 *
 * Of a ring, one key seals, and all of them open. A key's memory is wiped when it leaves the ring.
 *
 * An id is no secret: it stands in the clear in each datagram. Looking one up goes over all places
 * of the ring whatever it is, and what comes before it (no derivation, no memory, no log line) is
 * the same for each datagram of a key that is not held: that is what "dropped in constant time"
 * means. A datagram of a known id costs more, since it is opened.
 */
#ifndef NC_MESH_KEY_H
#define NC_MESH_KEY_H

#include "mesh/crypto.h"

struct buf;

/* A key file is a dozen short lines. */
#define KEY_FILE_MAX 4096u
/* Of a label, bytes of UTF-8. */
#define KEY_LABEL_MAX 63u
/* Old, current and next of a group are three. */
#define KEYRING_MAX 16u

struct key {
	uint32_t id; /* shown as 8 hexadecimal digits; 0: the place of no key, CIPHER_NONE */
	enum cipher cipher;
	uint8_t secret[CRYPTO_KEY_LEN];
	char label[KEY_LABEL_MAX + 1]; /* for people; "" */
};

/* A whole key of a secret. Returns 0; -ENOMEM; -EINVAL for CIPHER_NONE, and in one of 2^32 cases
 * for a secret whose id would be 0: another has to be drawn then. */
int key_init(struct key *k, struct crypto *c, enum cipher cipher,
             const uint8_t secret[CRYPTO_KEY_LEN]);

/* What a mesh without keys uses in place of one: id 0, a secret of 32 zeros, CIPHER_NONE. */
void key_init_insecure(struct key *k);

/* Leaves zeros. */
void key_wipe(struct key *k);

struct key_problem {
	unsigned line;  /* 0: the file as a whole */
	char text[120]; /* never repeats what stands in the file: it may be the secret */
};

/*
 * Reads a key file (nc-mesh-key(5)) of `len` bytes, which need no 0 behind them.
 *
 * Returns 0; 1 with *p filled in and *k wiped; -ENOMEM.
 */
int key_parse(struct key *k, struct crypto *c, const void *text, size_t len, struct key_problem *p);

/* Appends the file of a key, with a comment that says what it is. Returns 0, -EMSGSIZE, -ENOMEM;
 * the buffer holds the secret then, and is the caller's to wipe. */
int key_print(struct buf *b, const struct key *k);

enum keyring_error {
	KEYRING_FULL = 1, /* KEYRING_MAX keys are held */
	KEYRING_HELD,     /* this very key is held already */
	KEYRING_CLASH,    /* another key of this id is held: one of the two secrets must go */
	KEYRING_MIXED,    /* keys, and the key of no key (id 0), can't be held together */
	KEYRING_UNKNOWN,  /* no key of this id is held */
	KEYRING_IN_USE,   /* the key that seals can't be removed: another is to be used first */
};

struct keyring {
	struct key keys[KEYRING_MAX];
	bool is_held[KEYRING_MAX];
	const struct key *current; /* that seals; NULL: none was chosen yet */
};

void keyring_init(struct keyring *r);

/* Wipes all keys. */
void keyring_fini(struct keyring *r);

/* Copies a key into the ring; its address stays until it is removed. Returns 0, KEYRING_FULL,
 * KEYRING_HELD, KEYRING_CLASH, KEYRING_MIXED. */
int keyring_install(struct keyring *r, const struct key *k);

/* Seals with this key from now on. Returns 0, KEYRING_UNKNOWN. */
int keyring_use(struct keyring *r, uint32_t id);

/* Wipes a key. What was made of it (struct seal) holds a copy, and is the caller's to clear.
 * Returns 0, KEYRING_UNKNOWN, KEYRING_IN_USE. */
int keyring_remove(struct keyring *r, uint32_t id);

/* The key of an id, or NULL. */
const struct key *keyring_find(const struct keyring *r, uint32_t id);

/* The keys of the ring one after the other: NULL gives the first, the last one gives NULL. */
const struct key *keyring_next(const struct keyring *r, const struct key *k);

size_t keyring_n(const struct keyring *r);

/* A keyring_error in words. */
const char *keyring_strerror(enum keyring_error e);

#endif
