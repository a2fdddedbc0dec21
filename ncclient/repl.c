/*
 * The command line: reads lines with libedit and runs them
 *
 * libedit gets its characters from us, so the connections are served while a line is being edited.
 * What is then heard is printed above the line, which is taken away before and drawn again after.
 */

#include "ncclient/repl.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "ncclient/actions.h"
#include "ncclient/candidates.h"
#include "ncclient/complete.h"
#include "ncclient/history.h"
#include "ncclient/option.h"
#include "ncclient/run.h"
#include "ncclient/session.h"
#include "ncclient/signals.h"
#include "ncclient/text.h"

#define PROMPT "NC-#: "
#define CANCEL L'\003' /* what Ctrl-C becomes: bound to cancel() */

struct repl {
	struct session *s;
	const struct options *o;
	EditLine *el;
	History *history;
	struct candidates candidates;
	bool is_editing; /* the prompt is on the screen */
	bool is_hidden;  /* it was taken away, to print something */
	enum status ended;
};

static struct repl *repl_of(EditLine *el)
{
	void *r = NULL;

	el_get(el, EL_CLIENTDATA, &r);
	return r;
}

static char prompt_text[] = PROMPT;

static char *prompt(EditLine *el)
{
	(void)el;
	return prompt_text;
}

/* ---- printing above the line */

/* Takes prompt and line away and leaves the cursor where they began. */
static void hide_line(void *arg)
{
	struct repl *r = arg;
	const LineInfo *line;
	size_t columns;

	if (!r->is_editing || r->is_hidden)
		return;
	line = el_line(r->el);
	columns = strlen(PROMPT) + text_width(line->buffer, (size_t)(line->cursor - line->buffer));
	putc('\r', r->s->out.f);
	if (columns / r->s->out.width)
		fprintf(r->s->out.f, "\033[%zuA", columns / r->s->out.width);
	fputs("\033[J", r->s->out.f);
	fflush(r->s->out.f);
	r->is_hidden = true;
}

static void show_line(struct repl *r)
{
	if (!r->is_hidden)
		return;
	r->is_hidden = false;
	fflush(r->s->out.f);
	fflush(r->s->err);
	el_set(r->el, EL_REFRESH);
}

/* ---- reading characters */

static int read_char(wchar_t *out)
{
	mbstate_t state = {0};
	char byte;

	for (;;) {
		ssize_t n = read(STDIN_FILENO, &byte, 1);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return 0;
		switch (mbrtowc(out, &byte, 1, &state)) {
		case (size_t)-2: continue;
		case (size_t)-1: state = (mbstate_t){0}; continue;
		default: return 1;
		}
	}
}

/* Ctrl-Z: the terminal is put in order before, and taken again after. */
static void stop(struct repl *r)
{
	el_set(r->el, EL_PREP_TERM, 0);
	putc('\n', r->s->out.f);
	fflush(r->s->out.f);
	signals_stop();
	el_set(r->el, EL_PREP_TERM, 1);
	r->is_hidden = true;
}

/* Gives libedit its next character: 1, or 0 at the end. */
static int get_char(EditLine *el, wchar_t *out)
{
	struct repl *r = repl_of(el);

	for (;;) {
		if (signals_resized()) {
			el_resize(el);
			output_resize(&r->s->out);
		}
		if (signals_stop_wanted())
			stop(r);
		show_line(r);
		switch (session_wait(r->s, STDIN_FILENO, SESSION_FOREVER)) {
		case WAIT_INPUT: show_line(r); return read_char(out);
		case WAIT_SIGNAL:
			if (signals_ending() != SIGINT) {
				r->ended = STATUS_TERMINATED;
				return 0;
			}
			signals_clear_interrupt();
			*out = CANCEL;
			return 1;
		case WAIT_HANGUP: r->ended = STATUS_IO; return 0;
		case WAIT_AGAIN:
		case WAIT_TIMEOUT: break;
		}
	}
}

/* ---- functions of the editor */

/* Gives the line up and begins a new one. */
static unsigned char cancel(EditLine *el, int ch)
{
	struct repl *r = repl_of(el);
	const LineInfo *line = el_line(el);
	size_t behind = text_chars(line->cursor, (size_t)(line->lastchar - line->cursor));

	(void)ch;
	el_cursor(el, (int)behind);
	line = el_line(el);
	el_deletestr(el, (int)text_chars(line->buffer, (size_t)(line->cursor - line->buffer)));
	fputs("^C\n", r->s->out.f);
	fflush(r->s->out.f);
	return CC_REDISPLAY;
}

/* Prints candidates in columns below the line. */
static void list_candidates(struct repl *r, const struct complete_list *list)
{
	size_t width = 0, per_row;

	for (size_t i = 0; i < list->n; i++) {
		size_t w = text_width(list->items[i], strlen(list->items[i]));

		if (w > width)
			width = w;
	}
	per_row = r->s->out.width / (width + 2);
	if (!per_row)
		per_row = 1;
	putc('\n', r->s->out.f);
	for (size_t i = 0; i < list->n; i++) {
		bool last = i + 1 == list->n || (i + 1) % per_row == 0;

		text_put_fit(r->s->out.f, list->items[i], last ? strlen(list->items[i]) : width + 2,
		             false, r->s->out.utf8);
		if (last)
			putc('\n', r->s->out.f);
	}
	fflush(r->s->out.f);
}

/* Replaces the word before the cursor by a candidate, or by what all have in common. */
static void insert(EditLine *el, const char *word, size_t len, const struct complete_place *place,
                   const struct complete_list *list)
{
	size_t common = complete_common(list);
	char text[COMPLETE_ARG_LEN + 8];
	const char *before = place->kind == COMPLETE_ARGUMENT && !place->quote ? "\"" : "";
	const char *after = list->n == 1 ? candidates_suffix(place, list->items[0]) : "";

	snprintf(text, sizeof(text), "%s%.*s%s", before, (int)common, list->items[0], after);
	el_deletestr(el, (int)text_chars(word, len));
	el_insertstr(el, text);
}

static unsigned char complete(EditLine *el, int ch)
{
	struct repl *r = repl_of(el);
	const LineInfo *line = el_line(el);
	size_t len = (size_t)(line->cursor - line->buffer);
	struct complete_list list = {0};
	struct complete_place place;
	unsigned char result = CC_REFRESH;
	const char *word;

	(void)ch;
	complete_find(line->buffer, len, &place);
	word = line->buffer + place.word_at;
	len -= place.word_at;
	if (place.kind != COMPLETE_NOTHING)
		candidates_find(&r->candidates, r->s, &place, word, len, &list);
	if (!list.n) {
		result = CC_REFRESH_BEEP;
	} else if (list.n > 1 && complete_common(&list) <= len) {
		list_candidates(r, &list);
		result = CC_REDISPLAY;
	} else {
		insert(el, word, len, &place, &list);
	}
	complete_fini(&list);
	return result;
}

/* ---- its life */

static void on_heard(void *arg, const char *event)
{
	struct repl *r = arg;

	candidates_heard(&r->candidates, event);
}

static int open_editor(struct repl *r)
{
	HistEvent ev;

	r->el = el_init("ncclient", stdin, r->s->out.f, r->s->err);
	r->history = history_init();
	if (!r->el || !r->history)
		return -ENOMEM;
	history(r->history, &ev, H_SETSIZE, HISTORY_MAX);
	history(r->history, &ev, H_SETUNIQUE, 1);
	el_set(r->el, EL_CLIENTDATA, r);
	el_set(r->el, EL_SIGNAL, 0);
	el_set(r->el, EL_EDITOR, "emacs");
	el_set(r->el, EL_PROMPT, prompt);
	el_set(r->el, EL_HIST, history, r->history);
	el_set(r->el, EL_GETCFN, get_char);
	/* wide, since libedit keeps these as they are, while of narrow ones it never frees its copy
	 */
	el_wset(r->el, EL_ADDFN, L"nc-complete", L"Complete names, channels and clients", complete);
	el_wset(r->el, EL_ADDFN, L"nc-cancel", L"Give the line up", cancel);
	el_set(r->el, EL_BIND, "^I", "nc-complete", NULL);
	el_set(r->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	el_source(r->el, NULL);
	/* after the user's own file: Ctrl-C is how get_char() says SIGINT */
	el_set(r->el, EL_BIND, "^C", "nc-cancel", NULL);
	return 0;
}

static void close_editor(struct repl *r)
{
	if (r->el)
		el_end(r->el);
	if (r->history)
		history_end(r->history);
}

static void greet(struct session *s)
{
	struct link *l;
	enum status status = session_link(s, "control", &l);

	if (!status && !s->quiet)
		fprintf(s->out.f, "%s on %s, channel control at %s\n", nc_server(l->nc),
		        nc_host(l->nc), nc_socket(l->nc));
	if (!s->quiet)
		fputs("help() lists the functions, Tab completes, Ctrl-D leaves.\n", s->out.f);
	if (!status)
		watch_log(s);
}

static enum status loop(struct repl *r)
{
	struct run_place place = {0};
	bool quit = false;
	HistEvent ev;

	while (!quit && !r->ended) {
		const char *line;
		int n;

		fflush(r->s->out.f);
		/* before the prompt invites to type, not after, as libedit does by itself */
		el_set(r->el, EL_PREP_TERM, 1);
		r->is_editing = true;
		line = el_gets(r->el, &n);
		r->is_editing = false;
		r->is_hidden = false;
		if (!line || n <= 0)
			break;
		if (line[0] != '\n')
			history(r->history, &ev, H_ENTER, line);
		if (line[n - 1] == '\n')
			n--;
		run_line(r->s, r->o, line, (size_t)n, &place, &quit);
		signals_clear_interrupt();
	}
	if (!quit)
		putc('\n', r->s->out.f);
	return r->ended;
}

enum status repl_run(struct session *s, const struct options *o)
{
	struct repl r = {.s = s, .o = o};
	char *path = history_path();
	enum status status = STATUS_OS;

	s->interactive = true;
	s->ends_with_output = true;
	s->before_print = hide_line;
	s->before_print_arg = &r;
	s->on_heard = on_heard;
	s->on_heard_arg = &r;
	if (!signals_catch() && !open_editor(&r)) {
		if (path)
			history_load(r.history, path);
		greet(s);
		status = loop(&r);
		if (path)
			history_store(r.history, path);
	}
	close_editor(&r);
	candidates_fini(&r.candidates);
	s->before_print = NULL;
	s->on_heard = NULL;
	free(path);
	return status;
}
