/* error.c - what the errors of nc.h are called */
#include "libnc/wire/error.h"

#include "libnc/netcluster/nc.h"

const char *error_text(int error)
{
	/* no default: the compiler names a code that is missing */
	switch ((enum nc_error)error) {
	case NC_OK: return "no error";
	case NC_AGAIN: return "the queue is full";
	case NC_ENOMEM: return "no memory";
	case NC_EINVAL: return "an argument is out of its range";
	case NC_ENAME: return "illegal name or pattern";
	case NC_ERESERVED: return "that event comes from servers only";
	case NC_ETOOBIG: return "larger than the server takes";
	case NC_ESTATE: return "not possible in this state";
	case NC_ENOENT: return "there is no such thing";
	case NC_ENOSERVER: return "no ncserver listens there";
	case NC_EDENIED: return "permission denied";
	case NC_EPROTO: return "the protocol was broken";
	case NC_EVERSION: return "no protocol version in common";
	case NC_ETIMEOUT: return "the time ran out";
	case NC_ECLOSED: return "the connection ended";
	case NC_EQUOTA: return "a quota of this user is used up";
	case NC_ESLOW: return "disconnected for reading too slowly";
	case NC_EJSON: return "not valid JSON or UTF-8";
	case NC_EDEPTH: return "JSON nested too deep";
	case NC_ESHUTDOWN: return "the server stops, or the channel was removed";
	case NC_ENOBODY: return "nobody answers such requests";
	case NC_EREMOTE: return "the request failed";
	case NC_ESYS: return "a system call failed";
	}
	return "unknown error";
}
