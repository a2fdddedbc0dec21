/*
 * How a command ended: the exit statuses of ncclient
 */
#ifndef NC_NCCLIENT_STATUS_H
#define NC_NCCLIENT_STATUS_H

/* Those of sysexits.h that fit, so that scripts can tell what to do next. ncclient(1) lists them.
 * Every function of ncclient that may fail for a reason of its user returns one. */
enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,        /* the server refused, or answered with an error */
	STATUS_USAGE = 64,        /* wrong options, functions or arguments */
	STATUS_DATA = 65,         /* an illegal name, bad JSON, too much data */
	STATUS_NOINPUT = 66,      /* a file cannot be opened */
	STATUS_UNAVAILABLE = 69,  /* no server, or it went away */
	STATUS_OS = 71,           /* no memory, or a system call failed */
	STATUS_IO = 74,           /* reading or writing failed */
	STATUS_TIMEOUT = 75,      /* the time ran out: try again */
	STATUS_PROTOCOL = 76,     /* the server speaks something else */
	STATUS_DENIED = 77,       /* the channel's lists, or its mode, say no */
	STATUS_INTERRUPTED = 130, /* ended by SIGINT, as the shell says it */
	STATUS_TERMINATED = 143,  /* ended by SIGTERM or SIGHUP */
};

#endif
