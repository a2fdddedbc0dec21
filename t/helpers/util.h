/* util.h - what every process-level test needs: deadlines, a folder of its own, JSON to look into
 *
 * Nothing here sleeps to wait for something: tests poll with a deadline, which is long, because
 * only a broken server reaches it.
 */
#ifndef NC_T_HELPERS_UTIL_H
#define NC_T_HELPERS_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yajl/yajl_tree.h>

/* How long a test waits for something that has to happen. Sanitizers, valgrind and a busy machine
 * are slow; a test that passes never waits that long. The environment's NC_TEST_DEADLINE_MS
 * overrides it. */
#define UTIL_DEADLINE_MS 20000u

/* Room for a path that fits sun_path, and for longer ones. */
#define UTIL_PATH_MAX 108u

/* Monotonic time in milliseconds. */
uint64_t util_now_ms(void);

/* When what begins now is overdue. */
uint64_t util_deadline(void);

/* Milliseconds until `deadline` for poll(2): 0 where it has passed. */
int util_left_ms(uint64_t deadline);

/* Makes a folder of its own under $TMPDIR, short enough for socket paths and open to other users,
 * and writes its path to `out`. Fails the test where it can't. */
void util_dir_make(char out[UTIL_PATH_MAX]);

/* Removes the folder and everything in it. */
void util_dir_remove(const char *path);

/* Reads a file whole, terminated; NULL where there is none. The caller frees it. */
char *util_read_file(const char *path);

/* Writes a file whole. Fails the test where it can't. */
void util_write_file(const char *path, const char *text);

/* printf into memory, which the caller frees. */
char *util_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* `text` as a JSON string, quotes included. The caller frees it. */
char *util_quote(const char *text);

/* Parses JSON text; fails the test where it is none. The caller frees it with yajl_tree_free(). */
yajl_val util_json(const char *text);

/* The value at a path of keys, "out.flow.routed"; NULL where there is none. */
yajl_val util_json_at(yajl_val v, const char *path);

/* The whole number, or the text, at a path; fails the test where there is none. */
int64_t util_json_int(yajl_val v, const char *path);
const char *util_json_text(yajl_val v, const char *path);

/* Whether two JSON texts mean the same: whole numbers by their digits, others by their value, keys
 * in any order. */
bool util_json_equal(const char *a, size_t a_len, const char *b, size_t b_len);

/* The raw bytes of the value of `key` in the object `p` (valid JSON). Returns NULL where it has no
 * such key. */
const char *util_json_raw(const char *p, size_t len, const char *key, size_t *raw_len);

#endif
