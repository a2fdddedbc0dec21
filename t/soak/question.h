/* question.h - questions to the control channel, and what must be true of every answer */
#ifndef NC_T_SOAK_QUESTION_H
#define NC_T_SOAK_QUESTION_H

#include <netcluster/nc.h>
#include <yajl/yajl_tree.h>

#include "t/soak/soak.h"

/* A native client of the control channel; NULL where it was not let in. */
nc_client *question_connect(const char *label, bool comes_back);

/* Asks and waits for the answer. Returns its text, or that of its error, to be freed; NULL where
 * none came. *error is an enum nc_error. `json` may be NULL. */
char *question_ask(nc_client *nc, const char *event, const char *json, int *error);

/* The same as a tree, to be freed with yajl_tree_free(), below the key "answer". NULL with a
 * complaint where it was refused or is no JSON. */
yajl_val question_tree(nc_client *nc, const char *event, const char *json);

/* The whole number at a path of keys, 0 with a complaint where there is none. */
int64_t question_int(yajl_val v, const char *path);

/* Complains where routed is not written + queued + dropped, or dropped not the sum of its parts.
 * `what` names whose flow it is. */
void question_check_flow(yajl_val flow, const char *what);

/* Asks for stats, or for all clients, and checks each flow in the answer, and the sums. */
void question_check_stats(nc_client *nc);
void question_check_clients(nc_client *nc);

#endif
