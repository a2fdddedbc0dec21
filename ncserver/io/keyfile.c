/* keyfile.c - opens, checks and makes key files */
#include "ncserver/io/keyfile.h"

#include "libnc/base/buf.h"
#include "ncserver/io/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* Says no for everything but a file that root's or this user's hands alone have reached. */
static int check_file(int fd, const char *path, struct fault *f)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fault_set(f, EX_NOINPUT, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fault_set(f, EX_NOINPUT, "%s: no regular file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return fault_set(f, EX_NOPERM,
		                 "%s: belongs to uid %u; a key file belongs to root or to the "
		                 "server's user",
		                 path, (unsigned)st.st_uid);
	if (st.st_mode & 077)
		return fault_set(f, EX_NOPERM,
		                 "%s: mode %04o; group and others have no right to a key file "
		                 "(chmod 600)",
		                 path, (unsigned)st.st_mode & 07777);
	return 0;
}

/* Reads until the end or until `cap` bytes are there. Returns their number, or -errno. */
static ssize_t read_all(int fd, char *text, size_t cap)
{
	size_t len = 0;

	while (len < cap) {
		ssize_t n = read(fd, text + len, cap - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int read_key(struct key *k, struct crypto *c, int fd, const char *path, struct fault *f)
{
	char text[KEY_FILE_MAX + 1];
	struct key_problem problem;
	ssize_t len = read_all(fd, text, sizeof(text));
	int err;

	if (len < 0)
		return fault_set(f, EX_NOINPUT, "%s: %s", path, strerror((int)-len));
	err = key_parse(k, c, text, (size_t)len, &problem);
	explicit_bzero(text, sizeof(text));
	if (err < 0)
		return fault_set(f, EX_OSERR, "%s: %s", path, strerror(-err));
	if (err && problem.line)
		return fault_set(f, EX_CONFIG, "%s:%u: %s", path, problem.line, problem.text);
	if (err)
		return fault_set(f, EX_CONFIG, "%s: %s", path, problem.text);
	return 0;
}

int keyfile_read(struct key *k, struct crypto *c, const char *path, struct fault *f)
{
	/* a FIFO or a device must not hold up the server */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	int err;

	*k = (struct key){0};
	if (fd < 0 && errno == ELOOP)
		return fault_set(f, EX_NOINPUT, "%s: a symbolic link, which is not followed", path);
	if (fd < 0)
		return fault_set(f, EX_NOINPUT, "%s: %s", path, strerror(errno));
	err = check_file(fd, path, f);
	if (!err)
		err = read_key(k, c, fd, path, f);
	close(fd);
	return err;
}

static int draw(struct key *k, struct crypto *c, enum cipher cipher)
{
	uint8_t secret[CRYPTO_KEY_LEN];
	int err;

	do {
		/* 256 bytes and less come whole, once the kernel is seeded */
		if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
			return -EIO;
		err = key_init(k, c, cipher, secret);
	} while (err == -EINVAL);
	explicit_bzero(secret, sizeof(secret));
	return err;
}

static int write_all(int fd, const uint8_t *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_file(const char *path, const struct buf *b, struct fault *f)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int err;

	if (fd < 0 && errno == EEXIST)
		return fault_set(f, EX_CANTCREAT, "%s: exists; no file is replaced by a key", path);
	if (fd < 0)
		return fault_set(f, fault_exit_of(errno), "%s: %s%s", path, strerror(errno),
		                 errno == ENOENT ? " (its folder is to be made first)" : "");
	err = write_all(fd, b->data, b->len);
	if (!err && fsync(fd) < 0)
		err = -errno;
	close(fd);
	if (!err)
		return 0;
	unlink(path);
	return fault_set(f, EX_IOERR, "%s: %s", path, strerror(-err));
}

static int write_key(const char *path, const struct key *k, struct fault *f)
{
	struct buf b;
	int err;

	buf_init(&b, KEY_FILE_MAX);
	err = key_print(&b, k);
	if (err)
		err = fault_set(f, EX_OSERR, "%s", strerror(-err));
	else if (path)
		err = write_file(path, &b, f);
	else if ((err = write_all(STDOUT_FILENO, b.data, b.len)))
		err = fault_set(f, EX_IOERR, "standard output: %s", strerror(-err));
	if (b.data)
		explicit_bzero(b.data, b.cap);
	buf_fini(&b);
	return err;
}

int keyfile_make(const char *path, enum cipher cipher, uint32_t *id, struct fault *f)
{
	struct crypto *c;
	struct key k;
	int err = crypto_new(&c, CRYPTO_PORTABLE);

	if (err)
		return fault_set(f, EX_OSERR, "%s", crypto_strerror(err));
	err = draw(&k, c, cipher);
	crypto_free(c);
	if (err)
		return fault_set(f, EX_OSERR, "no key: %s", strerror(-err));
	*id = k.id;
	err = write_key(path, &k, f);
	key_wipe(&k);
	return err;
}
