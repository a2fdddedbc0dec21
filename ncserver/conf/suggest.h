/* suggest.h - what somebody may have meant */
#ifndef NC_SERVER_CONF_SUGGEST_H
#define NC_SERVER_CONF_SUGGEST_H

#include <stddef.h>

/* Longer words are compared by their first bytes. */
#define SUGGEST_MAX 64u

/* What no distance is. */
#define SUGGEST_NONE (SUGGEST_MAX + 1)

/* How many letters must be put in, taken out, exchanged or swapped with their neighbour to make one
 * word of the other, upper and lower case being one. (Damerau 1964, Levenshtein 1966; no part is
 * edited twice: the "optimal string alignment" distance.) */
unsigned suggest_distance(const char *a, const char *b);

/* How good a guess `candidate` is for what was meant by `word`: the distance when that is small for
 * a word of its length, 1 when the word is how it begins, else SUGGEST_NONE. Less is better. */
unsigned suggest_rank(const char *word, const char *candidate);

#endif
