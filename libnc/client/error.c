/* error.c - the texts of errors, and the version */

#include <netcluster/nc.h>

#define VERSION_TEXT2(major, minor, patch) #major "." #minor "." #patch
#define VERSION_TEXT(major, minor, patch)  VERSION_TEXT2(major, minor, patch)

const char *nc_version(void)
{
	return VERSION_TEXT(NC_VERSION_MAJOR, NC_VERSION_MINOR, NC_VERSION_PATCH);
}

const char *nc_strerror(int error)
{
	/* no default, so that the compiler names a code that has no text */
	switch ((enum nc_error)error) {
	case NC_OK: return "no error";
	case NC_AGAIN: return "the queue is full";
	case NC_ENOMEM: return "no memory";
	case NC_EINVAL: return "an argument is out of its range";
	case NC_ENAME: return "illegal channel name, event name or pattern";
	case NC_ERESERVED: return "this event comes from servers only";
	case NC_ETOOBIG: return "larger than the server takes";
	case NC_ESTATE: return "not possible now";
	case NC_ENOENT: return "no such handler, channel or client";
	case NC_ENOSERVER: return "no ncserver listens there";
	case NC_EDENIED: return "permission denied";
	case NC_EPROTO: return "the other side broke the protocol";
	case NC_EVERSION: return "no protocol version in common";
	case NC_ETIMEOUT: return "timed out";
	case NC_ECLOSED: return "the connection is closed";
	case NC_EQUOTA: return "a quota is used up";
	case NC_ESLOW: return "disconnected for reading too slowly";
	case NC_EJSON: return "not valid JSON or UTF-8";
	case NC_EDEPTH: return "JSON is nested too deep";
	case NC_ESHUTDOWN: return "the server stops, or the channel was removed";
	case NC_ENOBODY: return "nobody answers such requests";
	case NC_EREMOTE: return "the request failed";
	case NC_ESYS: return "a system call failed";
	}
	return "unknown error";
}
