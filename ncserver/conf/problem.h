/* problem.h - collecting what is wrong with a configuration */
#ifndef NC_SERVER_CONF_PROBLEM_H
#define NC_SERVER_CONF_PROBLEM_H

#include <stdarg.h>
#include <stdbool.h>

#include "ncserver/conf/conf.h"

/* Bytes of one problem's text; what is longer is cut off at a character. */
#define PROBLEM_TEXT_MAX 600u

/* Adds an error or a warning at a place; `file` is copied, line 0 means the file as a whole. Bytes
 * that could forge a line of a log are replaced. A problem that finds no room or no memory is
 * counted all the same. */
void problems_add(struct conf_problems *p, bool warning, const char *file, unsigned line,
                  const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void problems_vadd(struct conf_problems *p, bool warning, const char *file, unsigned line,
                   const char *fmt, va_list args) __attribute__((format(printf, 5, 0)));

/* Orders them by file and line; those of one line keep their order. */
void problems_sort(struct conf_problems *p);

#endif
