/* error.h - what the errors of nc.h are called, for libnc and ncserver alike */
#ifndef NC_WIRE_ERROR_H
#define NC_WIRE_ERROR_H

/* The text of an enum nc_error, in English; of any other number "unknown error". Never NULL. */
const char *error_text(int error);

#endif
