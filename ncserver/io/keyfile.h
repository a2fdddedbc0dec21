/* keyfile.h - key files of the mesh on disk: made by --keygen, read at the start and on request
 *
 * What stands in them is key.h's; here is who may have touched them. A key that others could read
 * or replace protects nothing, so such a file is refused, not repaired.
 */
#ifndef NC_IO_KEYFILE_H
#define NC_IO_KEYFILE_H

#include "mesh/key.h"

struct fault;

/*
 * Reads the key in the file at `path`: a regular file, not a symbolic link, that belongs to root or
 * this process's user, with no permissions for anybody else.
 *
 * Returns 0, or 1 with *f filled in and *k wiped: EX_NOINPUT it can't be opened or read, EX_NOPERM
 * its owner or mode, EX_CONFIG what it says (with the line), EX_OSERR memory.
 */
int keyfile_read(struct key *k, struct crypto *c, const char *path, struct fault *f);

/*
 * Makes a key, with random bytes of the kernel, and a file of it with mode 0600 at `path`, where
 * nothing must stand yet; or, with `path` NULL, on standard output.
 *
 * Returns 0 with *id of the key, or 1 with *f filled in, and no file: EX_CANTCREAT, EX_NOPERM,
 * EX_IOERR, EX_OSERR.
 */
int keyfile_make(const char *path, enum cipher cipher, uint32_t *id, struct fault *f);

#endif
