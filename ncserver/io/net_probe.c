/* net_probe.c - whether the network works, in words
 *
 * A question begins a look that lasts some seconds: all hosts are asked to speak, who is heard by
 * the group is noted, a datagram is sent that only this host gets, and the group is listened to on
 * other interfaces. What questions that go on with it are answered is what has happened since, so
 * that what was mended is no longer complained of. The first answer can only say what is known so
 * far. A look begins with the network, too: what that comes to goes to the log, once.
 *
 * Who is noted here is believed on his word: anybody can send from any address to the group. It is
 * shown, and nothing else depends on it.
 */
#include "ncserver/io/net_impl.h"

#include "libnc/base/buf.h"
#include "libnc/json/packet.h"
#include "ncserver/io/server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* Addresses that are noted. */
#define HEARD_MAX 1024u
/* Interfaces that are listened to besides. */
#define OTHERS_MAX 16u
/* Shorter than any datagram of the mesh: other servers of this host drop it. */
#define MARK_LEN 16u
/* Of a list of hosts in a text; the others are counted. */
#define LIST_LEN 160u
#define TEXT_LEN 640u

struct heard {
	struct mesh_addr from;
	bool is_known; /* it is a peer's that counts as one */
};

struct net_look {
	uint64_t since;
	uint64_t marked_at;
	bool is_first;           /* its result is to be logged */
	struct mesh_stats mesh;  /* when it began */
	struct udp_counters udp; /* likewise */
	struct map heard;        /* by the group: mesh_addr -> struct heard */
	uint8_t mark[MARK_LEN];
	bool is_marked; /* it came back */
	int mark_err;   /* of sending it */
	int fd;         /* hears the group on others[], or negative */
	struct udp_other others[OTHERS_MAX];
	size_t n_others;
};

/* ---- the look ---- */

static void send_mark(struct net *n, struct net_look *l, uint64_t now)
{
	l->marked_at = now;
	if (!l->is_marked)
		l->mark_err = udp_test_self(n->udp, l->mark, sizeof(l->mark));
}

static struct net_look *look_begin(struct net *n, uint64_t now)
{
	struct net_look *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->since = now;
	l->fd = -1;
	map_init(&l->heard, MAP_BYTES, HEARD_MAX, n->server->env.hash_key);
	if (getrandom(l->mark, sizeof(l->mark), 0) != sizeof(l->mark))
		l->is_marked = true;
	mesh_stats(n->mesh, &l->mesh);
	udp_count(n->udp, &l->udp);
	if (n->group.sa.sa_family)
		l->fd = udp_test_others(n->udp, l->others, OTHERS_MAX, &l->n_others);
	return l;
}

void net_look_end(struct net *n)
{
	struct net_look *l = n->look;
	struct map_walk w;
	struct heard *h;

	n->look = NULL;
	if (!l)
		return;
	map_walk_begin(&l->heard, &w);
	while ((h = map_walk_next(&l->heard, &w)))
		free(h);
	map_fini(&l->heard);
	if (l->fd >= 0)
		close(l->fd);
	free(l);
}

bool net_look_heard(struct net *n, const struct udp_in *d)
{
	struct net_look *l = n->look;
	struct mesh_addr from;
	struct heard *h;

	if (d->len == MARK_LEN && memcmp(d->data, l->mark, MARK_LEN) == 0) {
		l->is_marked = true;
		return true;
	}
	net_addr_put(&from, d->from);
	if (map_len(&l->heard) == HEARD_MAX || map_get(&l->heard, &from, sizeof(from)))
		return false;
	h = calloc(1, sizeof(*h));
	if (!h)
		return false;
	h->from = from;
	if (map_put(&l->heard, &h->from, sizeof(h->from), h))
		free(h);
	return false;
}

/* ---- what it has come to ---- */

/* Hosts by name, or by address while they have none. */
struct names {
	unsigned n;
	unsigned n_more;
	char text[LIST_LEN];
};

struct finding {
	struct net *net;
	struct net_look *look;
	bool is_fresh; /* the look has only begun: what was known before */
	struct mesh_stats mesh;
	struct udp_counters udp; /* since the look began, or if fresh since the start */
	unsigned n_up, n_multicast;
	uint64_t passes; /* the least that does */
	struct names silent, one_way, mtu, name, strange;
	/* the answer, or NULL: it is logged */
	struct buf *out;
	const char *sep;
	int rc;
	int level; /* of the log */
};

static void name_host(struct names *list, const char *host, const struct mesh_addr *a)
{
	char addr[NETADDR_TEXT_MAX];
	size_t len = strlen(list->text);
	struct netaddr at;

	net_addr_get(&at, a);
	if (!*host)
		host = netaddr_text(&at, addr);
	if (len + strlen(host) + 2 >= sizeof(list->text)) {
		list->n_more++;
		return;
	}
	snprintf(list->text + len, sizeof(list->text) - len, "%s%s", len ? ", " : "", host);
	list->n++;
}

static unsigned n_of(const struct names *list)
{
	return list->n + list->n_more;
}

/* "a, b and 3 more" */
static const char *list_of(struct names *list, char out[static LIST_LEN + 24])
{
	if (list->n_more)
		snprintf(out, LIST_LEN + 24, "%s and %u more", list->text, list->n_more);
	else
		snprintf(out, LIST_LEN + 24, "%s", list->text);
	return out;
}

static void look_at_up(struct finding *f, const struct mesh_peer_info *i, const struct heard *h)
{
	bool by_group = f->is_fresh ? i->multicast_heard : h != NULL;

	f->n_up++;
	f->n_multicast += by_group;
	if (!by_group)
		name_host(&f->silent, i->host, &i->addr);
}

static void look_at(void *arg, const struct mesh_peer_info *i)
{
	struct finding *f = arg;
	struct heard *h = map_get(&f->look->heard, &i->addr, sizeof(i->addr));

	if (h && i->state != MESH_PEER_NEW)
		h->is_known = true;
	switch (i->state) {
	case MESH_PEER_UP:
	case MESH_PEER_SUSPECT: look_at_up(f, i, h); break;
	case MESH_PEER_ONE_WAY: name_host(&f->one_way, i->host, &i->addr); break;
	case MESH_PEER_REFUSED_MTU:
		name_host(&f->mtu, i->host, &i->addr);
		if (!f->passes || (i->mtu_passes && i->mtu_passes < f->passes))
			f->passes = i->mtu_passes;
		break;
	case MESH_PEER_REFUSED_NAME:
	case MESH_PEER_REFUSED_SELF: name_host(&f->name, i->host, &i->addr); break;
	case MESH_PEER_NEW:
		/* one that was heard by the group is found there */
		if (!f->is_fresh && !h)
			name_host(&f->strange, i->host, &i->addr);
		break;
	default: break;
	}
}

/* Who was heard by the group, and did not become a peer: it does not answer, unless it is somebody
 * of whom nothing can be opened. */
static void look_at_strangers(struct finding *f)
{
	struct map_walk w;
	struct heard *h;

	if (f->is_fresh || f->mesh.dropped[MESH_DROP_UNPROVEN] == 0)
		return;
	map_walk_begin(&f->look->heard, &w);
	while ((h = map_walk_next(&f->look->heard, &w)))
		if (!h->is_known && f->mesh.dropped[MESH_DROP_KEY] == 0 &&
		    f->mesh.dropped[MESH_DROP_AUTH] == 0)
			name_host(&f->strange, "", &h->from);
}

static void subtract(struct finding *f)
{
	const struct net_look *l = f->look;

	for (int i = 0; i < MESH_DROP_N; i++)
		f->mesh.dropped[i] -= l->mesh.dropped[i];
	f->udp.datagrams_in -= l->udp.datagrams_in;
	f->udp.kernel_drops -= l->udp.kernel_drops;
	f->udp.refused -= l->udp.refused;
	f->udp.too_big -= l->udp.too_big;
}

/* ---- advice ---- */

static void __attribute__((format(printf, 2, 3))) advise(struct finding *f, const char *fmt, ...)
{
	char text[TEXT_LEN];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!f->out) {
		log_write(&f->net->server->log, f->level,
		          f->level == LOG_LEVEL_INFO ? "no other host is here yet"
		                                     : "the network does not work as it should",
		          LOG_FIELDS(log_str("advice", text)));
		return;
	}
	f->rc |= buf_append_str(f->out, f->sep);
	f->rc |= packet_append_string(f->out, text, strlen(text));
	f->sep = ",";
}

static const char *group_of(const struct net *n, char text[static NETADDR_TEXT_MAX])
{
	struct netaddr group = n->group;

	netaddr_set_port(&group, 0);
	return netaddr_text(&group, text);
}

static const char *snooping_of(const struct net *n)
{
	return n->group.sa.sa_family == AF_INET6 ? "MLD" : "IGMP";
}

static void advise_lengths(struct finding *f)
{
	char hosts[LIST_LEN + 24] = "";
	const char *to = "";

	if (f->udp.too_big == 0 && n_of(&f->mtu) == 0)
		return;
	if (n_of(&f->mtu) > 0) {
		to = " between here and ";
		list_of(&f->mtu, hosts);
	}
	advise(f,
	       "datagrams of %zu bytes do not pass%s%s, the MTU is too small: set net_mtu to what "
	       "does pass, %llu, on all hosts",
	       f->net->mtu, to, hosts,
	       (unsigned long long)(f->passes ? f->passes : udp_state(f->net->udp)->len_max));
}

static void advise_keys(struct finding *f)
{
	if (f->mesh.dropped[MESH_DROP_KEY] > 0)
		advise(f, "datagrams come that are sealed with a key that this host does not hold: "
		          "compare the ids of keys() here and there");
	if (f->mesh.dropped[MESH_DROP_AUTH] > 0)
		advise(f,
		       "datagrams come that do not open with the key that they name: is it another "
		       "cluster in the same group, or somebody who has no key?");
}

/* Of single hosts. */
static void advise_hosts(struct finding *f)
{
	char hosts[LIST_LEN + 24];

	if (n_of(&f->name) > 0)
		advise(f, "two hosts are named %s: set \"host\" on one of them",
		       list_of(&f->name, hosts));
	if (n_of(&f->one_way) > 0)
		advise(f,
		       "%s can be heard, but does not hear this host: what leaves here does not "
		       "arrive; look at the firewall there, and at the switch between",
		       list_of(&f->one_way, hosts));
	if (n_of(&f->strange) > 0)
		advise(f,
		       "%s can be heard, but does not answer: a firewall, there or here, stops UDP "
		       "from host to host",
		       list_of(&f->strange, hosts));
}

/* Whether this host's own filters keep the group away. */
static bool is_filtered(const struct finding *f)
{
	const struct net_look *l = f->look;

	return !f->is_fresh && l->mark_err == 0 && !l->is_marked && f->udp.kernel_drops == 0;
}

/* The other interface by which the group was heard, or NULL. */
static const struct udp_other *better_other(const struct finding *f)
{
	for (size_t i = 0; i < f->look->n_others; i++)
		if (f->look->others[i].n_heard > 0)
			return &f->look->others[i];
	return NULL;
}

static void advise_interface(struct finding *f)
{
	const struct udp_other *other = better_other(f);
	const struct udp_state *u = udp_state(f->net->udp);
	char addr[NETADDR_TEXT_MAX], group[NETADDR_TEXT_MAX];

	if (other)
		advise(f,
		       "%s is heard on the interface %s (%s), and this server speaks on %s: set "
		       "\"interface\"",
		       group_of(f->net, group), other->name, netaddr_text(&other->addr, addr),
		       u->interface);
}

static void advise_group(struct finding *f)
{
	struct net *n = f->net;
	char group[NETADDR_TEXT_MAX], hosts[LIST_LEN + 24];

	if (is_filtered(f))
		advise(f,
		       "what is sent to the group does not get through the firewall of this host: "
		       "allow UDP to %s port %u on %s",
		       group_of(n, group), netaddr_port(&n->group), udp_state(n->udp)->interface);
	else if (n_of(&f->silent) > 0)
		advise(f,
		       "%s can be reached, but what it sends to the group does not come: a switch "
		       "with %s snooping and without a querier does that, or a firewall there; "
		       "give the network a querier, or set \"peers\" on all hosts",
		       list_of(&f->silent, hosts), snooping_of(n));
}

static bool is_nobody_there(const struct finding *f)
{
	return f->n_up == 0 && n_of(&f->one_way) == 0 && n_of(&f->mtu) == 0 &&
	       n_of(&f->name) == 0 && n_of(&f->strange) == 0;
}

static void advise_alone(struct finding *f)
{
	const struct net_look *l = f->look;
	char also[LIST_LEN] = "", addr[NETADDR_TEXT_MAX];

	if (is_filtered(f) || better_other(f))
		return;
	for (size_t i = 0; i < l->n_others; i++) {
		size_t len = strlen(also);

		snprintf(also + len, sizeof(also) - len, "%s%s (%s)",
		         len ? ", " : "; this host has other interfaces, too: ", l->others[i].name,
		         netaddr_text(&l->others[i].addr, addr));
	}
	f->level = LOG_LEVEL_INFO;
	advise(f,
	       "no other host is heard on %s: is one there, with the same addr, port, cluster and "
	       "keys? A switch with %s snooping and without a querier keeps the group away, too: "
	       "then give the network a querier, or set \"peers\"%s",
	       udp_state(f->net->udp)->interface, snooping_of(f->net), also);
}

/* Without a group. */
static void advise_peers(struct finding *f)
{
	const struct netaddr *own = &udp_state(f->net->udp)->own;
	size_t n = netnames_count(f->net->peers);
	unsigned unknown = 0;

	for (size_t i = 0; i < n; i++)
		unknown += !netnames_at(f->net->peers, i);
	if (unknown > 0)
		advise(f, "no address is known of %u of the %zu \"peers\": the log names them",
		       unknown, n);
	if (!is_nobody_there(f))
		return;
	f->level = LOG_LEVEL_INFO;
	advise(f,
	       "%s from any of the \"peers\": do they run, with this host among theirs, "
	       "and with the same keys and cluster? Does a firewall, here or there, stop "
	       "UDP to port %u?",
	       f->udp.datagrams_in > 0 ? "nothing that can be used comes" : "nothing comes",
	       netaddr_port(own));
}

/* What does not work, and what to do. */
static void advise_all(struct finding *f)
{
	const struct udp_state *u = udp_state(f->net->udp);
	char group[NETADDR_TEXT_MAX];
	bool has_group = f->net->group.sa.sa_family != 0;

	if (!u->is_up) {
		advise(f, "%s", u->why && *u->why ? u->why : "the interface is down");
		return;
	}
	if (f->udp.refused > 0 || f->look->mark_err == -EPERM)
		advise(f, "a firewall of this host refuses what it sends: allow UDP to %s",
		       has_group ? group_of(f->net, group) : "the \"peers\"");
	advise_lengths(f);
	advise_keys(f);
	advise_hosts(f);
	if (!has_group) {
		advise_peers(f);
		return;
	}
	advise_group(f);
	if (map_len(&f->look->heard) == 0)
		advise_interface(f);
	if (is_nobody_there(f))
		advise_alone(f);
}

static bool is_working(const struct finding *f)
{
	bool has_group = f->net->group.sa.sa_family != 0;

	return f->n_up > 0 && n_of(&f->one_way) == 0 && n_of(&f->mtu) == 0 && n_of(&f->name) == 0 &&
	       n_of(&f->strange) == 0 && (!has_group || f->n_multicast == f->n_up);
}

static void find(struct finding *f)
{
	struct net *n = f->net;

	mesh_stats(n->mesh, &f->mesh);
	udp_count(n->udp, &f->udp);
	if (!f->is_fresh)
		subtract(f);
	mesh_each_peer(n->mesh, look_at, f);
	look_at_strangers(f);
	if (f->look->fd >= 0)
		udp_test_hear(n->udp, f->look->fd, f->look->others, f->look->n_others);
}

int net_ask_probe(struct net *n, bool goes_on, struct buf *out, uint64_t now)
{
	struct finding f = {.net = n, .out = out, .sep = ""};

	if (!n)
		return buf_append_str(out, "{\"works\":false,\"hosts\":0,\"by_multicast\":0,"
		                           "\"advice\":[\"this server takes part in no "
		                           "network\"]}");
	if (n->look && !goes_on)
		net_look_end(n);
	if (!n->look)
		n->look = look_begin(n, now);
	if (!n->look)
		return -ENOMEM;
	f.look = n->look;
	f.look->is_first = false; /* who asks is told */
	f.is_fresh = now < f.look->since + NET_LOOK_LEAST_NS;
	send_mark(n, f.look, now);
	mesh_probe(n->mesh, now);
	find(&f);
	f.rc |= buf_printf(out,
	                   "{\"works\":%s,\"looked_ms\":%llu,\"hosts\":%u,\"by_multicast\":%u,"
	                   "\"advice\":[",
	                   is_working(&f) ? "true" : "false",
	                   (unsigned long long)((now - f.look->since) / 1000000), f.n_up,
	                   f.n_multicast);
	advise_all(&f);
	return f.rc | buf_append_str(out, "]}");
}

/* ---- the first look ---- */

void net_look_first(struct net *n, uint64_t now)
{
	n->look = look_begin(n, now);
	if (!n->look)
		return;
	n->look->is_first = true;
	send_mark(n, n->look, now);
	mesh_probe(n->mesh, now);
}

static void log_result(struct net *n)
{
	struct finding f = {.net = n, .look = n->look, .level = LOG_LEVEL_WARNING};

	find(&f);
	if (is_working(&f))
		log_info(&n->server->log, "the network works", log_uint("hosts", f.n_up),
		         log_uint("by_multicast", f.n_multicast));
	advise_all(&f);
}

void net_look_tick(struct net *n, uint64_t now)
{
	struct net_look *l = n->look;

	if (l->is_first && now > l->marked_at + NET_LOOK_LEAST_NS)
		send_mark(n, l, now);
	if (l->is_first && now > l->since + NET_LOOK_FIRST_NS && !n->is_leaving) {
		log_result(n);
		net_look_end(n);
	} else if (now > l->since + NET_LOOK_NS) {
		net_look_end(n);
	}
}
