/* json.h - the scalar values of a JSON text */
#ifndef NC_CLIENT_JSON_H
#define NC_CLIENT_JSON_H

#include <stddef.h>
#include <stdint.h>

/* A number of more bytes is taken for none: every double has a text far shorter. */
#define JSON_NUMBER_MAX 1024u

enum json_result {
	JSON_OK = 0,
	JSON_OTHER, /* it is another value, or none, or does not fit */
};

/* Reads a text that is one value with optional white space around it: `true` or `false`; a number
 * that is whole and fits; any number that is not beyond a double's range. */
enum json_result json_get_bool(const void *text, size_t len, int *v);
enum json_result json_get_int(const void *text, size_t len, int64_t *v);
enum json_result json_get_double(const void *text, size_t len, double *v);

#endif
