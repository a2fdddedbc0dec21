/*
 * Text on a terminal: UTF-8, its width, and numbers in few columns
 *
 * Names, labels and commands come from other users of the machine. Nothing of them reaches a
 * terminal that could steer it: control characters, C1 controls and ill-formed bytes are shown as
 * one replacement each.
 */
#ifndef NC_NCCLIENT_TEXT_H
#define NC_NCCLIENT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Room for what any text_*() number below writes, its 0 included. */
#define TEXT_NUMBER_LEN 32

/*
 * Reads the character at P, of which LEN bytes are there, into *CHARP.
 *
 * Returns its length in bytes, 1 to 4, or 0 when it is ill-formed or incomplete.
 */
size_t text_decode(const char *p, size_t len, uint32_t *charp);

/* Writes the character C to P, which has room for 4 bytes. Returns its length in bytes. */
size_t text_encode(char *p, uint32_t c);

/* Says whether all LEN bytes at P are well-formed UTF-8. */
bool text_is_utf8(const char *p, size_t len);

/* Says whether a terminal could take C for a command: C0, DEL and C1 controls, and the marks that
 * turn the direction of writing. */
bool text_is_control(uint32_t c);

/* How many columns text_put() fills with the LEN bytes at S. */
size_t text_width(const char *s, size_t len);

/* Prints the LEN bytes at S, harmless ones as they are. With UTF8 false all that is not ASCII is
 * replaced, too. */
void text_put(FILE *f, const char *s, size_t len, bool utf8);

/* text_put() into exactly WIDTH columns: padded with spaces at its end, or before it when RIGHT;
 * cut, with a mark at the end, where there is more. */
void text_put_fit(FILE *f, const char *s, size_t width, bool right, bool utf8);

/* Counts the characters in the first LEN bytes at S; an ill-formed byte counts as one. */
size_t text_chars(const char *s, size_t len);

/* Writes a count into at most 5 columns: 9999, 12.3k, 123k, 1.23M. Returns OUT. */
const char *text_count(char out[static TEXT_NUMBER_LEN], double n);

/* Writes bytes into at most 6 columns: 9999B, 12.3kB, 1.23MB (decimal). Returns OUT. */
const char *text_bytes(char out[static TEXT_NUMBER_LEN], double n);

/* Writes a rate per second: as text_count(), but below 10 with one decimal. Returns OUT. */
const char *text_rate(char out[static TEXT_NUMBER_LEN], double per_second);

/* Writes a duration into at most 6 columns: 12ms, 1.2s, 3m05s, 2h07m, 12d03h. Returns OUT. */
const char *text_duration(char out[static TEXT_NUMBER_LEN], uint64_t ms);

/* Writes local date and time, given in milliseconds since 1970: 2026-01-31 23:59:59. Returns OUT.
 */
const char *text_time(char out[static TEXT_NUMBER_LEN], uint64_t ms);

/* Writes local time of day with milliseconds: 23:59:59.123. Returns OUT. */
const char *text_clock(char out[static TEXT_NUMBER_LEN], uint64_t ms);

/*
 * Reads a duration: digits, a fraction allowed, then ms, s, m, h or nothing (seconds).
 *
 * Returns 0 and sets *MS, or -1 where S is none or more than ten days.
 */
int text_read_duration(const char *s, uint64_t *ms);

#endif
