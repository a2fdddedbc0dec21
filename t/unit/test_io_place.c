/*
 * Unit tests of io/place, io/dirlock and io/rundir
 */

#include "ncserver/io/dirlock.h"
#include "ncserver/io/fault.h"
#include "ncserver/io/place.h"
#include "ncserver/io/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[64];
static char sock[80], fifo[80];
static struct fault fault;

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/nc-test-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(sock, sizeof(sock), "%s/A.sock", dir);
	snprintf(fifo, sizeof(fifo), "%s/A.fifo", dir);
	memset(&fault, 0, sizeof(fault));
	return 0;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static size_t files_in_dir(void)
{
	struct dirent *e;
	DIR *d = opendir(dir);
	size_t n = 0;

	while ((e = readdir(d)))
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

static int connect_to(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), err = 0;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		err = errno;
	close(fd);
	return err;
}

/* What a server that was killed leaves: a socket that nobody listens on. */
static ino_t leave_dead_socket(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct stat st;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	close(fd);
	assert_int_equal(lstat(path, &st), 0);
	return st.st_ino;
}

static ino_t inode(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_ino : 0;
}

static mode_t mode(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static struct place_want want(enum place_kind kind, mode_t m)
{
	return (struct place_want){.kind = kind,
	                           .channel = "A",
	                           .path = kind == PLACE_FIFO ? fifo : sock,
	                           .mode = m,
	                           .owner = (uid_t)-1,
	                           .group = (gid_t)-1};
}

static void stand(struct place *p, const struct place_want *w)
{
	assert_int_equal(place_prepare(p, w, NULL, &fault), 0);
	assert_int_equal(place_publish(p, NULL, NULL, &fault), 0);
	place_commit(p);
}

static void a_socket_appears_complete_and_goes_with_its_server(void **state)
{
	struct place_want w = want(PLACE_SOCKET, 0620);
	struct place p;
	mode_t old = umask(0077);

	(void)state;
	assert_int_equal(place_prepare(&p, &w, NULL, &fault), 0);
	assert_int_equal(inode(sock), 0);
	assert_int_equal(mode(p.temp), 0620);
	assert_int_equal(connect_to(p.temp), 0);
	assert_int_equal(place_publish(&p, NULL, NULL, &fault), 0);
	place_commit(&p);
	assert_int_equal(mode(sock), 0620);
	assert_int_equal(connect_to(sock), 0);
	assert_int_equal(files_in_dir(), 1);
	assert_true(place_is(&p, &w));
	w.mode = 0660;
	assert_false(place_is(&p, &w));
	place_unlink(&p);
	place_fini(&p);
	assert_int_equal(files_in_dir(), 0);
	umask(old);
}

static void a_dead_socket_is_taken_over(void **state)
{
	struct place_want w = want(PLACE_SOCKET, 0660);
	ino_t dead = leave_dead_socket(sock);
	struct place p;

	(void)state;
	stand(&p, &w);
	assert_int_not_equal(inode(sock), dead);
	assert_int_equal(connect_to(sock), 0);
	assert_int_equal(files_in_dir(), 1);
	place_unlink(&p);
	place_fini(&p);
	assert_int_equal(files_in_dir(), 0);
}

static void a_rollback_brings_back_what_was_there(void **state)
{
	struct place_want w = want(PLACE_SOCKET, 0660);
	ino_t dead = leave_dead_socket(sock);
	struct place p;

	(void)state;
	assert_int_equal(place_prepare(&p, &w, NULL, &fault), 0);
	assert_int_equal(place_publish(&p, NULL, NULL, &fault), 0);
	assert_int_not_equal(inode(sock), dead);
	place_rollback(&p);
	assert_int_equal(inode(sock), dead);
	assert_int_equal(files_in_dir(), 1);
	/* Before it was published, and where nothing was. */
	unlink(sock);
	assert_int_equal(place_prepare(&p, &w, NULL, &fault), 0);
	place_rollback(&p);
	assert_int_equal(place_prepare(&p, &w, NULL, &fault), 0);
	assert_int_equal(place_publish(&p, NULL, NULL, &fault), 0);
	place_rollback(&p);
	assert_int_equal(files_in_dir(), 0);
}

static void a_living_socket_is_never_taken_over(void **state)
{
	struct place_want w = want(PLACE_SOCKET, 0660);
	struct place mine, other;
	char pid_text[64];
	int ready[2];
	ino_t living;
	pid_t pid;
	char c;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		stand(&other, &w);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	living = inode(sock);
	assert_int_equal(place_prepare(&mine, &w, NULL, &fault), 0);
	assert_int_equal(place_publish(&mine, NULL, NULL, &fault), 1);
	assert_int_equal(fault.exit_code, FAULT_EXIT_BUSY);
	snprintf(pid_text, sizeof(pid_text), "(pid %ld) serves channel A", (long)pid);
	assert_non_null(strstr(fault.text, pid_text));
	assert_non_null(strstr(fault.text, sock));
	place_rollback(&mine);
	assert_int_equal(inode(sock), living);
	assert_int_equal(files_in_dir(), 1);
	/* Killed, it is dead. */
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	stand(&mine, &w);
	place_unlink(&mine);
	place_fini(&mine);
	close(ready[0]);
	close(ready[1]);
}

static void what_is_no_socket_is_left_alone(void **state)
{
	struct place_want w = want(PLACE_SOCKET, 0660);
	struct place p;
	ino_t there;

	(void)state;
	for (int i = 0; i < 3; i++) {
		switch (i) {
		case 0: close(open(sock, O_CREAT | O_WRONLY, 0600)); break;
		case 1: assert_int_equal(mkdir(sock, 0700), 0); break;
		case 2: assert_int_equal(symlink("/nowhere", sock), 0); break;
		}
		there = inode(sock);
		assert_int_equal(place_prepare(&p, &w, NULL, &fault), 0);
		assert_int_equal(place_publish(&p, NULL, NULL, &fault), 1);
		assert_int_equal(fault.exit_code, EX_CANTCREAT);
		assert_non_null(strstr(fault.text, "exists and is no socket"));
		place_rollback(&p);
		assert_int_equal(inode(sock), there);
		assert_int_equal(files_in_dir(), 1);
		assert_int_equal(remove(sock), 0);
	}
}

static void only_the_own_file_is_unlinked(void **state)
{
	struct place_want w = want(PLACE_SOCKET, 0660);
	struct place p;
	ino_t other;

	(void)state;
	stand(&p, &w);
	unlink(sock);
	other = leave_dead_socket(sock);
	place_unlink(&p);
	assert_int_equal(inode(sock), other);
	place_fini(&p);
}

static bool is_place(void *arg, dev_t dev, ino_t ino)
{
	const struct place *p = arg;

	return p->dev == dev && p->ino == ino;
}

static void an_own_socket_is_replaced_without_a_gap(void **state)
{
	struct place_want w = want(PLACE_SOCKET, 0660);
	struct place old, new;

	(void)state;
	stand(&old, &w);
	w.mode = 0600;
	assert_int_equal(place_prepare(&new, &w, &old, &fault), 0);
	/* Nobody said that it is ours. */
	assert_int_equal(place_publish(&new, NULL, NULL, &fault), 1);
	assert_int_equal(fault.exit_code, EX_CONFIG);
	assert_int_equal(place_publish(&new, is_place, &old, &fault), 0);
	assert_int_equal(connect_to(sock), 0);
	place_rollback(&new);
	assert_int_equal(inode(sock), old.ino);
	assert_int_equal(mode(sock), 0660);
	assert_int_equal(place_prepare(&new, &w, &old, &fault), 0);
	assert_int_equal(place_publish(&new, is_place, &old, &fault), 0);
	place_commit(&new);
	place_unlink(&old);
	place_fini(&old);
	assert_int_equal(mode(sock), 0600);
	assert_int_equal(connect_to(sock), 0);
	assert_int_equal(files_in_dir(), 1);
	place_unlink(&new);
	place_fini(&new);
}

/* Where the directory is long, the temporary name beside it is longer than an address can be. */
static void a_path_as_long_as_can_be_works(void **state)
{
	struct place_want w = want(PLACE_SOCKET, 0660);
	const size_t max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

	(void)state;
	for (size_t name_len = 1; name_len < 60; name_len += 29) {
		char deep[128], path[256];
		struct place p;
		size_t len = max - name_len - 1;

		memset(deep, 'd', len);
		memcpy(deep, dir, strlen(dir));
		deep[strlen(dir)] = '/';
		deep[len] = '\0';
		assert_int_equal(mkdir(deep, 0700), 0);
		snprintf(path, sizeof(path), "%s/%.*s", deep, (int)name_len,
		         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
		assert_int_equal(strlen(path), max);
		w.path = path;
		stand(&p, &w);
		assert_int_equal(connect_to(path), 0);
		place_unlink(&p);
		place_fini(&p);
		assert_int_equal(rmdir(deep), 0);
	}
}

static void a_missing_directory_is_told(void **state)
{
	struct place_want w = want(PLACE_SOCKET, 0660);
	struct place p;

	(void)state;
	w.path = "/nonexistent/A.sock";
	assert_int_equal(place_prepare(&p, &w, NULL, &fault), 1);
	assert_int_equal(fault.exit_code, EX_CANTCREAT);
	assert_string_equal(fault.text, "channel A: cannot make socket /nonexistent/A.sock: "
	                                "No such file or directory");
	assert_int_equal(p.state, PLACE_EMPTY);
	assert_int_equal(p.fd, -1);
}

/* ---- FIFOs ---- */

static void a_fifo_has_its_mode_and_no_end(void **state)
{
	struct place_want w = want(PLACE_FIFO, 0620);
	struct place p;
	char text[8];
	int fd;

	(void)state;
	stand(&p, &w);
	assert_int_equal(mode(fifo), 0620);
	fd = open(fifo, O_WRONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x\n", 2), 2);
	close(fd);
	assert_int_equal(read(p.fd, text, sizeof(text)), 2);
	assert_int_equal(read(p.fd, text, sizeof(text)), -1);
	assert_int_equal(errno, EAGAIN);
	place_unlink(&p);
	place_fini(&p);
	assert_int_equal(files_in_dir(), 0);
}

static void a_fifo_that_was_there_is_used_and_left(void **state)
{
	struct place_want w = want(PLACE_FIFO, 0622);
	struct place p;
	ino_t there;

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	there = inode(fifo);
	/* A rollback gives it its old mode. */
	assert_int_equal(place_prepare(&p, &w, NULL, &fault), 0);
	assert_int_equal(mode(fifo), 0622);
	place_rollback(&p);
	assert_int_equal(mode(fifo), 0600);
	stand(&p, &w);
	assert_int_equal(mode(fifo), 0622);
	place_unlink(&p);
	place_fini(&p);
	assert_int_equal(inode(fifo), there);
}

static void a_fifo_that_somebody_reads_is_not_used(void **state)
{
	struct place_want w = want(PLACE_FIFO, 0622);
	struct place first, second;

	(void)state;
	stand(&first, &w);
	assert_int_equal(place_prepare(&second, &w, NULL, &fault), 1);
	assert_int_equal(fault.exit_code, FAULT_EXIT_BUSY);
	assert_non_null(strstr(fault.text, "another process reads from the FIFO"));
	place_unlink(&first);
	place_fini(&first);
}

static void a_fifo_of_somebody_else_is_not_used(void **state)
{
	struct place_want w = want(PLACE_FIFO, 0622);
	struct place p;

	(void)state;
	if (geteuid() != 0) {
		print_message("# only root can give a file away\n");
		skip();
	}
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(chmod(fifo, 0622), 0);
	assert_int_equal(chown(fifo, 65534, (gid_t)-1), 0);
	assert_int_equal(place_prepare(&p, &w, NULL, &fault), 1);
	assert_int_equal(fault.exit_code, EX_NOPERM);
	assert_non_null(strstr(fault.text, "belongs to user 65534"));
	/* But one that was given to the owner who is asked for is. */
	w.owner = 65534;
	stand(&p, &w);
	place_fini(&p);
}

static void an_own_fifo_changes_its_mode_and_stays(void **state)
{
	struct place_want w = want(PLACE_FIFO, 0622);
	struct place old, new;
	int writer;

	(void)state;
	stand(&old, &w);
	writer = open(fifo, O_WRONLY | O_NONBLOCK);
	w.mode = 0600;
	assert_int_equal(place_prepare(&new, &w, &old, &fault), 0);
	assert_int_equal(place_publish(&new, NULL, NULL, &fault), 0);
	assert_int_equal(mode(fifo), 0600);
	place_rollback(&new);
	assert_int_equal(mode(fifo), 0622);
	assert_int_equal(place_prepare(&new, &w, &old, &fault), 0);
	assert_int_equal(place_publish(&new, NULL, NULL, &fault), 0);
	place_commit(&new);
	place_fini(&old);
	assert_int_equal(mode(fifo), 0600);
	assert_int_equal(write(writer, "x", 1), 1);
	place_unlink(&new);
	place_fini(&new);
	assert_int_equal(files_in_dir(), 0);
	close(writer);
}

static void what_is_no_fifo_is_left_alone(void **state)
{
	struct place_want w = want(PLACE_FIFO, 0622);
	struct place p;

	(void)state;
	close(open(fifo, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(place_prepare(&p, &w, NULL, &fault), 1);
	assert_int_equal(fault.exit_code, EX_CANTCREAT);
	assert_non_null(strstr(fault.text, "exists and is no FIFO"));
	assert_int_equal(files_in_dir(), 1);
}

/* ---- the lock of a directory ---- */

static void one_lock_for_a_directory_by_all_its_names(void **state)
{
	char link[80], lock[96];
	const char *dirs[] = {dir, link, dir};
	struct dirlocks a, b;

	(void)state;
	snprintf(link, sizeof(link), "%s/link", dir);
	snprintf(lock, sizeof(lock), "%s/%s", dir, DIRLOCK_NAME);
	assert_int_equal(symlink(dir, link), 0);
	assert_int_equal(dirlocks_acquire(&a, dirs, 3, 0, &fault), 0);
	assert_int_equal(a.n, 1);
	assert_int_equal(mode(lock), 0600);
	assert_int_equal(dirlocks_acquire(&b, dirs + 1, 1, 20, &fault), 1);
	assert_int_equal(fault.exit_code, FAULT_EXIT_BUSY);
	assert_non_null(strstr(fault.text, dir));
	dirlocks_release(&a);
	assert_int_equal(inode(lock), 0);
	assert_int_equal(dirlocks_acquire(&b, dirs + 1, 1, 20, &fault), 0);
	dirlocks_release(&b);
	assert_int_equal(files_in_dir(), 1);
}

static void a_lock_that_a_killed_server_left_is_used_again(void **state)
{
	const char *dirs[] = {dir};
	struct dirlocks l;
	char lock[96];

	(void)state;
	snprintf(lock, sizeof(lock), "%s/%s", dir, DIRLOCK_NAME);
	close(open(lock, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(dirlocks_acquire(&l, dirs, 1, 0, &fault), 0);
	dirlocks_release(&l);
	assert_int_equal(files_in_dir(), 0);
}

/* Each child counts itself in and out of a section that holds one at a time. */
static void the_lock_holds_one_at_a_time(void **state)
{
	const char *dirs[] = {dir};
	char inside[80];

	(void)state;
	snprintf(inside, sizeof(inside), "%s/inside", dir);
	for (int i = 0; i < 4; i++) {
		if (fork() > 0)
			continue;
		for (int n = 0; n < 200; n++) {
			struct dirlocks l;

			if (dirlocks_acquire(&l, dirs, 1, 20000, &fault) != 0)
				_exit(1);
			if (mkdir(inside, 0700) < 0)
				_exit(2);
			if (rmdir(inside) < 0)
				_exit(3);
			dirlocks_release(&l);
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(files_in_dir(), 0);
}

static void without_directories_nothing_is_locked(void **state)
{
	struct dirlocks l;
	const char *dirs[] = {"/nonexistent"};

	(void)state;
	assert_int_equal(dirlocks_acquire(&l, NULL, 0, 0, &fault), 0);
	dirlocks_release(&l);
	assert_int_equal(dirlocks_acquire(&l, dirs, 1, 0, &fault), 1);
	assert_string_equal(fault.text, "directory /nonexistent: No such file or directory");
}

/* ---- the directories that are ours to make ---- */

static void the_directory_of_a_path(void **state)
{
	static const char *const cases[][2] = {
	        {"/run/netcluster/A.sock", "/run/netcluster"},
	        {"/A.sock", "/"},
	        {"A.sock", "."},
	        {"x/A.sock", "x"},
	};
	char d[PATH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		rundir_of(d, sizeof(d), cases[i][0]);
		assert_string_equal(d, cases[i][1]);
	}
}

static void the_runtime_directory_of_a_user_is_made(void **state)
{
	const struct rundir_env env = {.uid = geteuid(), .runtime_dir = dir};
	char ours[80], other[80];
	mode_t old = umask(0);

	(void)state;
	snprintf(ours, sizeof(ours), "%s/netcluster", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	assert_int_equal(rundir_ensure(ours, &env, &fault), 0);
	assert_int_equal(mode(ours), 0700);
	assert_int_equal(rundir_ensure(ours, &env, &fault), 0);
	/* Others are the administrator's to make. */
	assert_int_equal(rundir_ensure(other, &env, &fault), 0);
	assert_int_equal(inode(other), 0);
	umask(old);
}

static void a_directory_below_tmp_must_be_ours_alone(void **state)
{
	/* A user that does not exist, so that the name is free. */
	struct rundir_env env = {.uid = 4000000000u - (uid_t)getpid()};
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/netcluster-%lu", (unsigned long)env.uid);
	assert_int_equal(symlink(dir, path), 0);
	assert_int_equal(rundir_ensure(path, &env, &fault), 1);
	assert_non_null(strstr(fault.text, "is not a directory"));
	unlink(path);
	/* Made by us, who are somebody else. */
	assert_int_equal(rundir_ensure(path, &env, &fault), 1);
	assert_int_equal(fault.exit_code, EX_NOPERM);
	assert_non_null(strstr(fault.text, "belongs to user"));
	if (geteuid() == 0) {
		assert_int_equal(chown(path, env.uid, (gid_t)-1), 0);
		assert_int_equal(rundir_ensure(path, &env, &fault), 0);
		assert_int_equal(chmod(path, 0750), 0);
		assert_int_equal(rundir_ensure(path, &env, &fault), 1);
		assert_non_null(strstr(fault.text, "mode 0750"));
	}
	rmdir(path);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        test(a_socket_appears_complete_and_goes_with_its_server),
	        test(a_dead_socket_is_taken_over),
	        test(a_rollback_brings_back_what_was_there),
	        test(a_living_socket_is_never_taken_over),
	        test(what_is_no_socket_is_left_alone),
	        test(only_the_own_file_is_unlinked),
	        test(an_own_socket_is_replaced_without_a_gap),
	        test(a_path_as_long_as_can_be_works),
	        test(a_missing_directory_is_told),
	        test(a_fifo_has_its_mode_and_no_end),
	        test(a_fifo_that_was_there_is_used_and_left),
	        test(a_fifo_that_somebody_reads_is_not_used),
	        test(a_fifo_of_somebody_else_is_not_used),
	        test(an_own_fifo_changes_its_mode_and_stays),
	        test(what_is_no_fifo_is_left_alone),
	        test(one_lock_for_a_directory_by_all_its_names),
	        test(a_lock_that_a_killed_server_left_is_used_again),
	        test(the_lock_holds_one_at_a_time),
	        test(without_directories_nothing_is_locked),
	        test(the_directory_of_a_path),
	        test(the_runtime_directory_of_a_user_is_made),
	        test(a_directory_below_tmp_must_be_ours_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
