/*
 * A message that was heard, as a value and as a line
 */
#ifndef NC_NCCLIENT_MESSAGE_H
#define NC_NCCLIENT_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <netcluster/nc.h>

struct output;
struct value;

/*
 * Makes the payload a value: numbers, text and JSON are themselves, bytes {"$bytes":"<base64>"}.
 * What claims to be JSON and is not becomes {"$invalid":"<text>"}: the sender's server has not
 * looked at it.
 *
 * Returns 0 or -ENOMEM; V is to be freed with value_fini().
 */
int message_value(const nc_msg *m, struct value *v);

/* Prints a message as one line of the output's format, heard at AT_MS since 1970. Returns 0 or
 * -ENOMEM. */
int message_write(const struct output *o, const nc_msg *m, uint64_t at_ms);

/* Prints the titles of CSV. */
void message_write_csv_titles(const struct output *o);

/* Prints the payload alone: bytes as they are, all else as a line. Returns 0 or -ENOMEM. */
int message_write_raw(const struct output *o, const nc_msg *m);

#endif
