/* soak.h - what the processes of a soak share
 *
 * One driver starts a server, a few witnesses that stay, and visitors that come and go: each a
 * process of its own, forked from the driver, so that it can be stopped and killed. What they count
 * stands in memory that all of them share. Every sender has a number of its own and numbers what it
 * emits, so that each receiver can say what is missing, doubled, out of order or garbled.
 */
#ifndef NC_T_SOAK_SOAK_H
#define NC_T_SOAK_SOAK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "t/helpers/server.h"

/* An hour has about thirty thousand visitors. */
#define SOAK_SENDERS_MAX (1u << 18)
/* Event names of one sender, s.<sender>.<stream>; each is numbered by itself. */
#define SOAK_STREAMS       4u
#define SOAK_WITNESSES_MAX 16u

/* The channels, each for another way to treat who does not keep up. */
enum soak_channel {
	CH_CALM, /* block; nobody there stops reading; a rule brings its events to the lossy ones */
	CH_BLOCK,    /* block, with receivers that stop reading */
	CH_OLDEST,   /* drop-oldest */
	CH_NEWEST,   /* drop-newest */
	CH_CONFLATE, /* conflate */
	CH_SLOW,     /* disconnect */
	CH_CHANGING, /* each reload gives it another policy and another rule */
	CH_FIFO,     /* block; what is written into a named pipe */
	CH_DUMP,     /* drop-oldest, dumped to the log */
	CH_PASSING,  /* one of several that reloads add and take away */
	N_CHANNELS,
};

/* What is known of the end of a sender. */
enum fate {
	FATE_CUT = 0, /* heard are at least those written, at most those emitted */
	FATE_WHOLE,   /* all that it emitted was written, and it left in order: all are heard */
	FATE_LOOSE,   /* the server may have ended it: at most those emitted */
};

/* A sender, filled in by itself. */
struct soak_sender {
	_Atomic uint32_t emitted; /* counted before it is handed over */
	_Atomic uint32_t written; /* of them, taken whole by the kernel */
	_Atomic uint8_t fate;
	uint8_t channel;
};

/* What a witness has to say when it is asked. */
struct soak_witness {
	_Atomic uint32_t answered; /* the number of the inquiry that the rest is about */
	_Atomic uint64_t received; /* of the present session */
	_Atomic uint64_t lost;     /* told as lost, of the present session */
	_Atomic uint64_t missing;  /* numbers passed over, of the present session */
	_Atomic uint64_t total;    /* of all sessions */
	_Atomic uint32_t sessions;
	_Atomic uint32_t heard[SOAK_SENDERS_MAX]; /* messages of each sender */
};

/* What visitors have done in all. */
struct soak_totals {
	_Atomic uint64_t heard; /* by visitors and witnesses, each checked */
	_Atomic uint64_t lost;  /* told in gaps */
	_Atomic uint64_t emitted;
	_Atomic uint64_t garbage;     /* bytes of it */
	_Atomic uint64_t connections; /* that were welcomed */
	_Atomic uint64_t turned_away; /* visitors that the server ended */
};

/* A fault of a sender that must be found: its message number PLANT_AT is not what it should be. */
enum plant {
	PLANT_NOTHING,
	PLANT_GARBLE, /* one letter of it is another one */
	PLANT_SKIP,   /* it bears the number after its own */
	PLANT_DOUBLE, /* the next one of its stream bears its number, too */
};
#define PLANT_AT 30u

struct soak_shared {
	_Atomic uint32_t failures;
	_Atomic uint32_t inquiry; /* rises: witnesses are to say what they have heard */
	_Atomic uint32_t is_over; /* the server is about to stop */
	enum plant plant;         /* set before anybody comes */
	struct soak_totals totals;
	struct soak_witness witnesses[SOAK_WITNESSES_MAX];
	struct soak_sender senders[SOAK_SENDERS_MAX];
};

extern struct soak_shared *soak;

/* Where this process's server is. */
extern const struct server *soak_server;

/* Maps the shared memory. Ends the program where there is none. */
void soak_init(void);

/* Says on standard error what is wrong, and counts it; the soak goes on to the end of its round. */
void soak_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- chance: a generator per process, from the seed and the process's number */

void chance_init(uint64_t seed, uint64_t number);
uint64_t chance(void);
/* Below n, which is above 0. */
unsigned chance_below(unsigned n);
/* True once in n times. */
bool chance_one_in(unsigned n);

/* ---- channels */

/* The name of a channel; of a passing one the one with this number. */
const char *channel_name(enum soak_channel c, unsigned number);
/* How many passing channels there may be. */
#define PASSING_MAX 4u

#endif
