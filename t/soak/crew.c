/*
 * The processes of a soak
 */

#include "t/soak/crew.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define DISMISS_MS   60000u
#define WITNESSES_MS 60000u
#define STOP_MAX_MS  2500u

void crew_init(struct crew *c, uint64_t seed, nc_client *control)
{
	memset(c, 0, sizeof(*c));
	c->seed = seed;
	c->control = control;
	c->n_senders = 1;
	c->target = 10;
}

/* fork() of a process that dies with this one, and has its own chance. */
static pid_t spawn(struct crew *c, uint64_t number)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0) {
		fprintf(stderr, "soak: fork: %s\n", strerror(errno));
		exit(EXIT_FAILURE);
	}
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	chance_init(c->seed, number);
	close(nc_fd(c->control));
	return 0;
}

/* ---- witnesses */

static bool all_answered(uint32_t inquiry)
{
	for (unsigned i = 0; i < n_witnesses; i++)
		if (atomic_load(&soak->witnesses[i].answered) != inquiry)
			return false;
	return true;
}

void crew_start_witnesses(struct crew *c)
{
	uint64_t end = util_now_ms() + WITNESSES_MS;
	uint32_t inquiry = atomic_fetch_add(&soak->inquiry, 1) + 1;

	for (unsigned i = 0; i < n_witnesses; i++) {
		c->witnesses[i] = spawn(c, SOAK_SENDERS_MAX + i);
		if (c->witnesses[i] == 0)
			witness_live(i);
	}
	while (!all_answered(inquiry) && util_left_ms(end) > 0 && soak->failures == 0)
		poll(NULL, 0, 10);
	if (!all_answered(inquiry))
		soak_fail("the witnesses did not come");
}

void crew_await_witnesses(struct crew *c)
{
	uint64_t end = util_now_ms() + WITNESSES_MS;

	for (unsigned i = 0; i < n_witnesses; i++) {
		while (c->witnesses[i] > 0 && waitpid(c->witnesses[i], NULL, WNOHANG) == 0) {
			if (util_left_ms(end) == 0) {
				soak_fail("%s did not see the end", witness_kinds[i].label);
				kill(c->witnesses[i], SIGKILL);
			}
			poll(NULL, 0, 5);
		}
		c->witnesses[i] = 0;
	}
}

/* ---- visitors */

static void reap(struct member *m)
{
	int status;

	if (m->pid == 0 || waitpid(m->pid, &status, WNOHANG) != m->pid)
		return;
	/* one that was dismissed may not have got as far as to heed it */
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM)
		status = 0;
	if (!m->is_killed && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		soak_fail("one of the %s (pid %d) ended by %s %d", visit_names[m->visit],
		          (int)m->pid, WIFEXITED(status) ? "status" : "signal",
		          WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	m->pid = 0;
}

static void admit(struct crew *c, struct member *m)
{
	uint32_t number = c->n_senders;
	enum visit v = visit_choose();
	pid_t pid;

	if (number >= SOAK_SENDERS_MAX)
		return;
	c->n_senders++;
	pid = spawn(c, number);
	if (pid == 0) {
		visit_live(v, number);
		_exit(0);
	}
	*m = (struct member){.pid = pid, .visit = v};
	c->n_visits++;
}

/* Something happens to a visitor, now and then. */
static void harass(struct crew *c, struct member *m)
{
	if (m->wakes_at_ms) {
		if (util_left_ms(m->wakes_at_ms) > 0)
			return;
		kill(m->pid, SIGCONT);
		m->wakes_at_ms = 0;
	} else if (chance_one_in(400)) {
		kill(m->pid, SIGKILL);
		m->is_killed = true;
		c->n_killed++;
	} else if (chance_one_in(400)) {
		kill(m->pid, SIGSTOP);
		m->wakes_at_ms = util_now_ms() + chance_below(STOP_MAX_MS);
		c->n_stopped++;
	}
}

void crew_turn(struct crew *c)
{
	unsigned n = 0;

	if (chance_one_in(100))
		c->target = 2 + chance_below(30);
	for (size_t i = 0; i < CREW_MAX; i++) {
		struct member *m = &c->members[i];

		reap(m);
		if (m->pid == 0 && n < c->target && chance_one_in(4))
			admit(c, m);
		if (m->pid > 0) {
			n++;
			if (!m->is_killed)
				harass(c, m);
		}
	}
}

void crew_dismiss(struct crew *c)
{
	uint64_t end = util_now_ms() + DISMISS_MS;

	for (size_t i = 0; i < CREW_MAX; i++) {
		struct member *m = &c->members[i];

		if (m->pid == 0)
			continue;
		kill(m->pid, SIGTERM);
		kill(m->pid, SIGCONT);
	}
	for (size_t i = 0; i < CREW_MAX; i++) {
		struct member *m = &c->members[i];

		while (m->pid > 0) {
			reap(m);
			if (m->pid > 0 && !m->is_killed && util_left_ms(end) == 0) {
				soak_fail("one of the %s (pid %d) does not go",
				          visit_names[m->visit], (int)m->pid);
				m->is_killed = true;
				kill(m->pid, SIGKILL);
			}
			if (m->pid > 0)
				poll(NULL, 0, 5);
		}
	}
}

uint32_t crew_emit_last(struct crew *c, unsigned n)
{
	struct client_options o = {.dialect = DIALECT_NATIVE,
	                           .channel = CH_CALM,
	                           .label = "the last emitter",
	                           .policy = -1};
	uint32_t number = c->n_senders++;
	struct client e;

	if (!client_open(&e, &o, number, (int)WITNESSES_MS))
		soak_fail("%s was not let in", o.label);
	for (unsigned i = 0; i < n && !e.is_ended;)
		if (client_emit(&e, NUMBER_HEAD_MAX + chance_below(3000)))
			i++;
		else
			client_step(&e, 100);
	client_leave(&e, (int)WITNESSES_MS);
	return number;
}
