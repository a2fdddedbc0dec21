/* process.h - what a daemon asks of its process before it does anything else */
#ifndef NC_IO_PROCESS_H
#define NC_IO_PROCESS_H

/* Descriptors 0 to 2 exist, so that no socket becomes standard error; files are made for this user
 * alone until they get their mode; SIGPIPE and SIGXFSZ are ignored, since a log may be both; as
 * many descriptors as the hard limit allows. Nothing of it can fail in a way that would stop a
 * server. */
void process_prepare(void);

/* Writes a newline to `fd`, and closes it. */
void process_tell_ready(int fd);

#endif
