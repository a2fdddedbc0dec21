/* check.h - what must hold between the values of a configuration */
#ifndef NC_SERVER_CONF_CHECK_H
#define NC_SERVER_CONF_CHECK_H

struct cnode;
struct walk;

/* Adds a problem for each contradiction, and a warning for what may surprise. Returns 0 or
 * -ENOMEM. */
int check_all(struct walk *w, const struct cnode *root);

#endif
