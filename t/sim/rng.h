/* rng.h - seeded random numbers: the same seed, the same run
 *
 * SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators",
 * 2014). Each part of a simulation draws from a stream of its own, so that one more draw in one
 * part changes nothing in another.
 */
#ifndef NC_SIM_RNG_H
#define NC_SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct rng {
	uint64_t state;
};

static inline uint64_t rng_mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static inline uint64_t rng_next(struct rng *r)
{
	r->state += 0x9e3779b97f4a7c15u;
	return rng_mix(r->state);
}

/* The stream number `n` of a seed. */
static inline struct rng rng_stream(uint64_t seed, uint64_t n)
{
	return (struct rng){.state = rng_mix(rng_mix(seed) + n * 0x9e3779b97f4a7c15u)};
}

/* A number below `n`, 0 for n = 0. */
static inline uint64_t rng_below(struct rng *r, uint64_t n)
{
	return n ? rng_next(r) % n : 0;
}

/* A number from `low` to `high`, both included. */
static inline uint64_t rng_range(struct rng *r, uint64_t low, uint64_t high)
{
	return low + rng_below(r, high - low + 1);
}

/* True in `ppm` of a million cases. Nothing is drawn for 0. */
static inline bool rng_chance(struct rng *r, uint32_t ppm)
{
	return ppm && rng_below(r, 1000000) < ppm;
}

static inline void rng_fill(struct rng *r, void *p, size_t n)
{
	uint8_t *b = p;

	while (n) {
		uint64_t v = rng_next(r);
		size_t k = n < sizeof(v) ? n : sizeof(v);

		memcpy(b, &v, k);
		b += k;
		n -= k;
	}
}

#endif
