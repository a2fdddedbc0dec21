/*
 * The lines that were typed, over several runs
 */
#ifndef NC_NCCLIENT_HISTORY_H
#define NC_NCCLIENT_HISTORY_H

#include <histedit.h>

/* Lines that are kept. */
#define HISTORY_MAX 1000

/* Where they are kept: $XDG_STATE_HOME or ~/.local/state, netcluster/history. Returns the path, to
 * be freed; NULL where there is no home. */
char *history_path(void);

/* Reads the file into H. A file that is missing is an empty one; one of somebody else is left
 * alone.
 */
void history_load(History *h, const char *path);

/* Replaces the file by what H holds, in one step, readable by the user alone. Returns 0 or -errno.
 */
int history_store(History *h, const char *path);

#endif
