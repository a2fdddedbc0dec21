/* net.c - the mesh of this server: its begin, its turn and its end */
#include "ncserver/io/net_impl.h"

#include "ncserver/io/fault.h"
#include "ncserver/io/loop.h"
#include "ncserver/io/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/timerfd.h>

static void on_timer_of(struct server *s, uint64_t at, uint64_t now);

/* ---- what the session asks for ---- */

static void on_random(void *arg, void *p, size_t n)
{
	uint8_t *to = p;

	(void)arg;
	while (n > 0) {
		ssize_t k = getrandom(to, n, 0);

		if (k < 0 && errno != EINTR)
			abort();
		if (k > 0) {
			to += k;
			n -= (size_t)k;
		}
	}
}

static const char *addr_text(const struct mesh_addr *a, char text[NETADDR_TEXT_MAX])
{
	struct netaddr addr;

	net_addr_get(&addr, a);
	return netaddr_text(&addr, text);
}

/* Being silent for a while, and heard again, is not worth a line. */
static bool is_quiet(enum mesh_peer_state is, enum mesh_peer_state was)
{
	return is == MESH_PEER_SUSPECT || is == MESH_PEER_NEW ||
	       (is == MESH_PEER_UP && was == MESH_PEER_SUSPECT);
}

static void on_peer(void *arg, const struct mesh_peer_info *info, enum mesh_peer_state was)
{
	struct net *n = arg;
	char addr[NETADDR_TEXT_MAX];
	bool is_refused = info->state >= MESH_PEER_REFUSED_NAME;
	const struct log_field fields[] = {
	        log_str("host", info->host),
	        log_str("state", mesh_peer_state_str(info->state)),
	        log_str("was", mesh_peer_state_str(was)),
	        log_str("addr", addr_text(&info->addr, addr)),
	        log_str("version", info->version),
	        info->state == MESH_PEER_REFUSED_MTU ? log_uint("passes", info->mtu_passes)
	                                             : (struct log_field){0},
	        {0},
	};

	if (is_quiet(info->state, was))
		return;
	log_write(&n->server->log, is_refused ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "host", fields);
}

static void on_evicted(void *arg, const struct mesh_peer_info *info, const char *channel)
{
	struct net *n = arg;

	log_warning(&n->server->log, "a host took nothing for too long, and is left behind",
	            log_str("host", info->host), log_str("channel", channel),
	            log_str("limit", "net_block_timeout"));
}

/* ---- what the sockets tell ---- */

static void on_datagram(void *arg, const struct udp_in *d)
{
	struct net *n = arg;
	struct mesh_addr from;

	if (n->look && d->is_group && net_look_heard(n, d))
		return;
	net_addr_put(&from, d->from);
	mesh_recv(n->mesh, d->data, d->len, &from, d->is_group, d->read_ns);
}

static void on_read(void *arg)
{
	net_fill_done(arg);
}

static void on_room(void *arg)
{
	struct net *n = arg;

	n->is_blocked = false;
}

/* Datagrams are as long as they were made to be at the start. */
static void check_mtu(struct net *n, const struct udp_state *state)
{
	if (state->is_up && state->len_max < n->mtu)
		log_warning(&n->server->log,
		            "datagrams are too long for this interface: another net_mtu, or a "
		            "restart",
		            log_str("interface", state->interface), log_uint("datagram", n->mtu),
		            log_uint("passes", state->len_max));
}

static void on_change(void *arg, const struct udp_state *state)
{
	struct net *n = arg;

	n->is_blocked = false;
	mesh_set_rcvbuf(n->mesh, state->rcvbuf);
	check_mtu(n, state);
}

/* ---- making ---- */

static bool is_unicast(const struct conf *c)
{
	return c->peers.n > 0;
}

static int find_group(struct net *n, const struct conf *conf)
{
	if (is_unicast(conf))
		return 0;
	if (!netaddr_from_ip(&n->group, conf->addr))
		return -EINVAL;
	netaddr_set_port(&n->group, conf->port);
	return 0;
}

static int open_udp(struct net *n, const struct conf *conf, struct fault *f)
{
	static const struct udp_handlers handlers = {.on_datagram = on_datagram,
	                                             .on_read = on_read,
	                                             .on_writable = on_room,
	                                             .on_change = on_change};
	const struct udp_options o = {
	        .group = n->group.sa.sa_family ? &n->group : NULL,
	        .interface = conf->interface,
	        .family = n->family,
	        .port = is_unicast(conf) ? conf->port : 0,
	        .may_wait = true,
	        .rcvbuf = conf->net_rcvbuf,
	        .log = &n->server->log,
	};

	return udp_new(&n->udp, &n->server->loop, &o, &handlers, n, f);
}

/* Bytes of a datagram. */
static size_t mtu_of(const struct net *n, const struct conf *conf)
{
	size_t len = n->udp ? udp_state(n->udp)->len_max : UDP_LEN_MAX;

	if (len >= UDP_LEN_MAX)
		len = NET_MTU_USUAL;
	if (conf->net_mtu > 0 && conf->net_mtu < len)
		len = conf->net_mtu;
	return len > MESH_DATAGRAM_MAX ? MESH_DATAGRAM_MAX : len;
}

/* A session that follows another one is another boot for the other hosts, whose nonces must not be
 * used again; what its clients' ids begin with stays. */
static void make_boot(struct server *s, uint8_t boot[MESH_BOOT_LEN])
{
	memcpy(boot, s->env.boot, MESH_BOOT_LEN);
	if (s->net_serial > 1)
		on_random(NULL, boot + 4, MESH_BOOT_LEN - 4);
}

static int open_mesh(struct net *n, const struct conf *conf, uint64_t now)
{
	const struct mesh_env env = {.arg = n,
	                             .random = on_random,
	                             .accept = net_on_accept,
	                             .deliver = net_on_deliver,
	                             .gap = net_on_gap,
	                             .gone = net_on_gone,
	                             .writable = net_on_writable,
	                             .peer = on_peer,
	                             .evicted = on_evicted};
	struct server *s = n->server;
	struct mesh_config c;
	int err;

	mesh_config_init(&c);
	c.host = s->host;
	c.cluster = conf->cluster;
	c.version = s->env.version;
	make_boot(s, c.boot);
	memcpy(c.hash_key, s->env.hash_key, sizeof(c.hash_key));
	c.mtu = n->mtu = mtu_of(n, conf);
	n->is_mtu_guessed = n->udp && !udp_state(n->udp)->is_up;
	c.rate = conf->net_rate / 8;
	if (n->udp)
		c.rcvbuf = udp_state(n->udp)->rcvbuf;
	c.memory_max = conf->net_memory;
	c.lane_max = conf->net_window;
	c.announce_ms = conf->net_announce_ms;
	c.liveness_ms = conf->net_liveness_ms;
	c.block_ms = conf->net_block_timeout_ms;
	c.unicast = is_unicast(conf);
	err = mesh_new(&n->mesh, &c, &env, s->crypto, &n->ring, now);
	explicit_bzero(c.boot, sizeof(c.boot));
	return err;
}

static void net_free(struct net *n, uint64_t now)
{
	mesh_free(n->mesh);
	net_lanes_end(n, now);
	map_fini(&n->by_in);
	net_sent_fini(n);
	net_look_end(n);
	udp_free(n->udp);
	net_send_close(n);
	keyring_fini(&n->ring);
	free(n);
}

static int need_crypto(struct server *s, struct fault *f)
{
	int err = s->crypto ? 0 : crypto_new(&s->crypto, 0);

	return err ? fault_set(f, EX_UNAVAILABLE, "no cryptography: %s", crypto_strerror(err)) : 0;
}

static struct net *net_alloc(struct server *s)
{
	struct net *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->server = s;
	s->net_serial++;
	list_init(&n->lanes);
	list_init(&n->rooms);
	map_init(&n->by_in, MAP_U64, MAP_MAX_ENTRIES, s->env.hash_key);
	net_sent_init(n, s->env.hash_key);
	keyring_init(&n->ring);
	return n;
}

/* Makes all of it; or, where it opens late, what needs no sockets. */
static int net_new(struct net **out, struct server *s, const struct conf *conf, bool opens_late,
                   struct fault *f)
{
	struct net *n = net_alloc(s);
	int err = n ? 0 : -ENOMEM;

	if (!err)
		err = net_keys_read(&n->ring, s, conf, f);
	if (!err)
		err = find_group(n, conf);
	if (!err)
		err = net_send_open(n, conf, f);
	if (!err && !opens_late)
		err = open_udp(n, conf, f);
	if (!err && !opens_late)
		err = open_mesh(n, conf, server_now());
	if (err && n)
		net_free(n, server_now());
	*out = err ? NULL : n;
	return err;
}

/* ---- plans ---- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_names(const struct conf_names *a, const struct conf_names *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = strcmp(a->list[i], b->list[i]) == 0;
	return same;
}

/* Whether one session does for both. */
static bool same_session(const struct conf *a, const struct conf *b)
{
	return same_text(a->addr, b->addr) && a->port == b->port &&
	       same_text(a->cluster, b->cluster) && same_text(a->interface, b->interface) &&
	       same_names(&a->peers, &b->peers) && a->insecure == b->insecure &&
	       a->net_rate == b->net_rate && a->net_mtu == b->net_mtu &&
	       a->net_block_timeout_ms == b->net_block_timeout_ms &&
	       a->net_window == b->net_window && a->net_memory == b->net_memory &&
	       a->net_rcvbuf == b->net_rcvbuf && a->net_announce_ms == b->net_announce_ms &&
	       a->net_liveness_ms == b->net_liveness_ms;
}

static int plan_keys(struct net_plan *p, struct server *s, const struct conf *conf, struct fault *f)
{
	int err;

	p->ring = malloc(sizeof(*p->ring));
	if (!p->ring)
		return -ENOMEM;
	err = net_keys_read(p->ring, s, conf, f);
	return err ? err : net_keys_check(s->net, p->ring, f);
}

int net_plan_make(struct net_plan *p, struct server *s, const struct conf *conf, struct fault *f)
{
	const struct conf *old = s->bus ? bus_conf(s->bus) : NULL;
	int err;

	*p = (struct net_plan){0};
	if (!conf_needs_net(conf))
		return 0;
	err = need_crypto(s, f);
	if (err)
		return err;
	p->is_kept = s->net && same_session(old, conf);
	p->opens_late = s->net && is_unicast(conf) && is_unicast(old) && old->port == conf->port;
	err = p->is_kept ? plan_keys(p, s, conf, f) : net_new(&p->next, s, conf, p->opens_late, f);
	if (err)
		net_plan_rollback(p);
	return err;
}

static void ring_free(struct keyring *r)
{
	if (r)
		keyring_fini(r);
	free(r);
}

void net_plan_rollback(struct net_plan *p)
{
	if (p->next)
		net_free(p->next, server_now());
	ring_free(p->ring);
	*p = (struct net_plan){0};
}

/* Removes keys that `next` does not have, but for the one that seals. */
static void remove_keys(struct keyring *r, const struct keyring *next)
{
	const struct key *k = keyring_next(r, NULL);

	while (k) {
		const struct key *after = keyring_next(r, k);

		if (k != r->current && !keyring_find(next, k->id))
			keyring_remove(r, k->id);
		k = after;
	}
}

/* Makes the ring that is used what it is to be; its keys stay where they are. */
static void exchange_keys(struct net *n, const struct keyring *next)
{
	remove_keys(&n->ring, next);
	for (const struct key *k = keyring_next(next, NULL); k; k = keyring_next(next, k))
		if (!keyring_find(&n->ring, k->id))
			keyring_install(&n->ring, k);
	keyring_use(&n->ring, next->current->id);
	remove_keys(&n->ring, next);
	mesh_keys_changed(n->mesh);
}

static void keep(struct net_plan *p, struct server *s, uint64_t now)
{
	exchange_keys(s->net, p->ring);
	ring_free(p->ring);
	net_lanes_out(s->net, now);
	mesh_offers_changed(s->net->mesh, now);
	net_fill_done(s->net);
}

static int start(struct net *n, const struct conf *conf, uint64_t now)
{
	struct server *s = n->server;
	struct fault f = {0};
	int err = n->udp ? 0 : open_udp(n, conf, &f);

	if (!err && !n->mesh)
		err = open_mesh(n, conf, now);
	if (err) {
		log_error(&s->log, "this server takes no part in the network any more",
		          log_str("why", err > 0 ? f.text : strerror(-err)));
		net_free(n, now);
		return err;
	}
	s->net = n;
	net_lanes_out(n, now);
	check_mtu(n, udp_state(n->udp));
	log_info(&s->log, "on the network", log_str("host", s->host),
	         log_str("cluster", conf->cluster),
	         log_str("group", is_unicast(conf) ? "none, but peers" : conf->addr),
	         log_str("interface", udp_state(n->udp)->interface), log_uint("datagram", n->mtu),
	         log_str("cipher", cipher_name(n->ring.current->cipher)));
	net_look_first(n, now);
	return 0;
}

/* The server was there before its interface, and had to guess how long datagrams may be. Nobody has
 * been met as yet. */
static void begin_anew(struct server *s, uint64_t now)
{
	const struct udp_state *u = udp_state(s->net->udp);
	const struct conf *conf = bus_conf(s->bus);
	struct fault f = {0};
	struct net *next;
	int err;

	if (!u->is_up)
		return;
	s->net->is_mtu_guessed = false;
	if (mtu_of(s->net, conf) == s->net->mtu)
		return;
	err = net_new(&next, s, conf, is_unicast(conf), &f);
	if (err) {
		log_warning(&s->log, "datagrams are not as long as the interface takes them",
		            log_uint("datagram", s->net->mtu),
		            log_str("why", err > 0 ? f.text : strerror(-err)));
		return;
	}
	net_close(s, now);
	(void)start(next, conf, now);
}

void net_plan_commit(struct net_plan *p, struct server *s, const struct conf *conf)
{
	uint64_t now = server_now();

	if (p->is_kept) {
		keep(p, s, now);
		return;
	}
	net_close(s, now);
	if (p->next)
		start(p->next, conf, now);
}

/* ---- the turn ---- */

void net_tick(struct server *s, uint64_t now)
{
	struct net *n = s->net;

	if (!n)
		return;
	if (mesh_next_expiry(n->mesh) <= now)
		mesh_tick(n->mesh, now);
	if (n->look)
		net_look_tick(n, now);
	net_fill_done(n);
}

bool net_turn(struct server *s, uint64_t now)
{
	unsigned rounds = 0;
	struct net *n;
	uint64_t at;

	if (s->net && s->net->is_mtu_guessed && s->state == SERVER_RUNNING)
		begin_anew(s, now);
	n = s->net;
	if (!n)
		return false;
	net_fill_done(n);
	net_tick(s, now);
	while (rounds < NET_ROUNDS) {
		bool is_done = net_send(n, now);

		is_done |= net_write_rooms(n, now);
		if (!is_done)
			break;
		now = server_now();
		rounds++;
	}
	if (rounds == NET_ROUNDS)
		return true;
	at = mesh_next_expiry(n->mesh);
	on_timer_of(s, n->is_blocked && at <= now ? UINT64_MAX : at, now);
	return false;
}

void net_retry(struct server *s, uint64_t now)
{
	struct net *n = s->net;
	struct list *it, *next;

	if (!n || !n->is_starved)
		return;
	n->is_starved = false;
	list_for_each_safe(it, next, &n->lanes) {
		struct net_lane *l = list_entry(it, struct net_lane, link);

		if (l->in && l->client)
			net_lane_update(l->client, now);
	}
}

/* ---- the end ---- */

void net_hush(struct server *s, uint64_t now)
{
	if (!s->net)
		return;
	s->net->is_deaf = true;
	mesh_offers_changed(s->net->mesh, now);
	net_fill_done(s->net);
}

bool net_is_drained(struct server *s, uint64_t now)
{
	struct net *n = s->net;

	if (!n)
		return true;
	if (!n->is_leaving)
		mesh_leave(n->mesh, now);
	n->is_leaving = true;
	return mesh_is_drained(n->mesh);
}

void net_close(struct server *s, uint64_t now)
{
	struct net *n = s->net;

	if (!n)
		return;
	s->net = NULL;
	n->is_deaf = true;
	mesh_bye(n->mesh, now);
	for (unsigned i = 0; i < NET_ROUNDS && net_send(n, now); i++)
		;
	net_free(n, now);
}

/* ---- the timer ---- */

/* The loop's timers count milliseconds, which is longer than a round trip. */
static void on_timer_of(struct server *s, uint64_t at, uint64_t now)
{
	struct itimerspec when = {0};

	/* what is due at once and could not be done is tried again soon, not forever */
	if (at <= now)
		at = now + NET_AGAIN_NS;
	/* One that is set for earlier goes off, and is set anew then: what is due moves away with
	 * each datagram, and setting it each time would cost more than the datagram. */
	if (at >= s->net_timer_at && s->net_timer_at > now)
		return;
	s->net_timer_at = at;
	if (at != UINT64_MAX) {
		when.it_value.tv_sec = (time_t)(at / 1000000000);
		when.it_value.tv_nsec = (long)(at % 1000000000);
	}
	timerfd_settime(s->net_timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}
