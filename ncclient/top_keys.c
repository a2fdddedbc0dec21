/*
 * The keys of top
 *
 * Pure: keys change the screen's state, which is drawn by others.
 */

#include "ncclient/top_keys.h"

#include "ncclient/top_model.h"
#include "ncclient/top_view.h"
#include "ncclient/tty.h"

/* Steps of + and -. */
static const uint64_t intervals_ms[] = {100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000};

#define N_INTERVALS (sizeof(intervals_ms) / sizeof(intervals_ms[0]))

static void change_interval(struct top_screen *s, int faster)
{
	size_t i = 0;

	if (faster) {
		for (i = N_INTERVALS - 1; i && intervals_ms[i] >= s->interval_ms; i--)
			;
	} else {
		while (i + 1 < N_INTERVALS && intervals_ms[i] <= s->interval_ms)
			i++;
	}
	s->interval_ms = intervals_ms[i];
}

/* Scrolls so that row FIRST is the first one, as far as there are rows. */
static void scroll(struct top_screen *s, const struct top_model *m, long first)
{
	size_t n = m->lists[s->list].n, page = top_view_page(s);
	long last = n > page ? (long)(n - page) : 0;

	s->first = (size_t)(first < 0 ? 0 : first > last ? last : first);
}

static void show_list(struct top_screen *s, enum top_list_id list)
{
	s->list = list;
	s->first = 0;
	/* a channel's number of clients is nothing to sort clients by */
	if (s->by < N_TOP_METRICS && !top_has_metric(list, s->by))
		s->by = TOP_IN;
}

/* Hosts are there only where there is a network. */
static void show_next_list(struct top_screen *s, const struct top_model *m)
{
	unsigned n = m->has_net ? N_TOP_LISTS : TOP_HOSTS;

	show_list(s, (enum top_list_id)((s->list + 1u) % n));
}

static bool scroll_key(struct top_screen *s, const struct top_model *m, int key)
{
	long first = (long)s->first, page = (long)top_view_page(s);

	switch (key) {
	case KEY_UP:
	case 'k': scroll(s, m, first - 1); return true;
	case KEY_DOWN:
	case 'j': scroll(s, m, first + 1); return true;
	case KEY_PAGE_UP: scroll(s, m, first - page); return true;
	case KEY_PAGE_DOWN: scroll(s, m, first + page); return true;
	case KEY_HOME: scroll(s, m, 0); return true;
	case KEY_END: scroll(s, m, (long)m->lists[s->list].n); return true;
	default: return false;
	}
}

static void view_key(struct top_screen *s, const struct top_model *m, int key)
{
	switch (key) {
	case 'c': show_list(s, TOP_CHANNELS); break;
	case 'l': show_list(s, TOP_CLIENTS_LIST); break;
	case 'm':
		if (m->has_net)
			show_list(s, TOP_HOSTS);
		break;
	case '\t': show_next_list(s, m); break;
	case '<':
	case KEY_LEFT: s->by = top_view_next_column(s, -1); break;
	case '>':
	case KEY_RIGHT: s->by = top_view_next_column(s, 1); break;
	case 'r': s->descending = !s->descending; break;
	case 'n':
		s->by = TOP_BY_NAME;
		s->descending = false;
		break;
	case 's':
		s->by = TOP_BY_SERVER;
		s->descending = false;
		break;
	case 'p':
	case ' ': s->paused = !s->paused; break;
	case '+': change_interval(s, 1); break;
	case '-': change_interval(s, 0); break;
	case '?':
	case 'h': s->help = !s->help; break;
	case KEY_ESCAPE: s->help = false; break;
	default: break;
	}
}

bool top_key(struct top_screen *s, const struct top_model *m, int key)
{
	if (key == 'q')
		return true;
	if (!scroll_key(s, m, key))
		view_key(s, m, key);
	return false;
}
