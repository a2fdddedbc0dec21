/*
 * Shared memory, complaints and chance
 */

#include "t/soak/soak.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct soak_shared *soak;
const struct server *soak_server;

static uint64_t chance_state = 1;

void soak_init(void)
{
	/* pages that nobody touches cost nothing */
	soak = mmap(NULL, sizeof(*soak), PROT_READ | PROT_WRITE,
	            MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (soak == MAP_FAILED) {
		perror("soak: shared memory");
		exit(EXIT_FAILURE);
	}
}

void soak_fail(const char *fmt, ...)
{
	uint32_t n = atomic_fetch_add(&soak->failures, 1);
	char line[512];
	va_list ap;
	int at;

	/* what is wrong once tends to be wrong for every message after it */
	if (n >= 50)
		return;
	at = snprintf(line, sizeof(line), "soak: FAILED (pid %d): ", (int)getpid());
	va_start(ap, fmt);
	at += vsnprintf(line + at, sizeof(line) - (size_t)at - 1, fmt, ap);
	va_end(ap);
	if ((size_t)at > sizeof(line) - 2)
		at = sizeof(line) - 2;
	line[at] = '\n';
	if (write(STDERR_FILENO, line, (size_t)at + 1) < 0)
		_exit(EXIT_FAILURE);
}

void chance_init(uint64_t seed, uint64_t number)
{
	chance_state = (seed + 1) * 0x9e3779b97f4a7c15u ^ (number + 1) * 0xbf58476d1ce4e5b9u;
	for (int i = 0; i < 4; i++)
		chance();
}

/* splitmix64, S. Vigna */
uint64_t chance(void)
{
	uint64_t z = chance_state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

unsigned chance_below(unsigned n)
{
	return (unsigned)(chance() % n);
}

bool chance_one_in(unsigned n)
{
	return chance_below(n) == 0;
}

const char *channel_name(enum soak_channel c, unsigned number)
{
	static const char *const names[N_CHANNELS] = {
	        [CH_CALM] = "calm",
	        [CH_BLOCK] = "block",
	        [CH_OLDEST] = "lossy-oldest",
	        [CH_NEWEST] = "lossy-newest",
	        [CH_CONFLATE] = "lossy-conflate",
	        [CH_SLOW] = "slow",
	        [CH_CHANGING] = "changing",
	        [CH_FIFO] = "fifo",
	        [CH_DUMP] = "dump",
	};
	static const char *const passing[PASSING_MAX] = {"pass-0", "pass-1", "pass-2", "pass-3"};

	return c == CH_PASSING ? passing[number % PASSING_MAX] : names[c];
}
