/* net_show.c - hosts, lanes and counters of the network as JSON */
#include "ncserver/io/net_impl.h"

#include "libnc/base/buf.h"
#include "libnc/json/packet.h"
#include "ncserver/io/server.h"

#include <string.h>

#define U(x) ((unsigned long long)(x))

struct show {
	struct net *net; /* NULL: none */
	struct buf *out;
	const char *sep;
	uint64_t now;
	int rc;
};

static const char *bool_str(bool b)
{
	return b ? "true" : "false";
}

static void show_text(struct show *s, const char *key, const char *text)
{
	s->rc |= buf_printf(s->out, ",\"%s\":", key);
	if (packet_append_string(s->out, text, strlen(text)) != 0)
		s->rc |= buf_append_str(s->out, "\"?\"");
}

static void show_boot(struct show *s, const uint8_t boot[MESH_BOOT_LEN])
{
	s->rc |= buf_append_str(s->out, ",\"boot\":\"");
	for (unsigned i = 0; i < MESH_BOOT_LEN; i++)
		s->rc |= buf_printf(s->out, "%02x", boot[i]);
	s->rc |= buf_append_byte(s->out, '"');
}

static uint64_t ms_since(const struct show *s, uint64_t then)
{
	return s->now > then ? (s->now - then) / 1000000 : 0;
}

static const char *addr_text(const struct mesh_addr *a, char text[NETADDR_TEXT_MAX])
{
	struct netaddr addr;

	net_addr_get(&addr, a);
	return netaddr_text(&addr, text);
}

/* ---- peers ---- */

static void show_peer(void *arg, const struct mesh_peer_info *i)
{
	char addr[NETADDR_TEXT_MAX];
	uint64_t datagrams_out, bytes_out;
	struct show *s = arg;

	net_sent_get(s->net, &i->addr, &datagrams_out, &bytes_out);
	s->rc |= buf_printf(s->out, "%s{\"state\":\"%s\"", s->sep, mesh_peer_state_str(i->state));
	show_text(s, "host", i->host);
	show_text(s, "version", i->version);
	show_text(s, "addr", addr_text(&i->addr, addr));
	show_boot(s, i->boot);
	s->rc |= buf_printf(s->out,
	                    ",\"state_ms\":%llu,\"heard_ms\":%llu,\"rtt_us\":%llu,\"multicast\":%s,"
	                    "\"passes\":%llu,\"lanes_in\":%u,\"lanes_out\":%u,\"datagrams\":%llu,"
	                    "\"bytes\":%llu,\"datagrams_out\":%llu,\"bytes_out\":%llu,"
	                    "\"lost\":%llu,\"replayed\":%llu",
	                    U(ms_since(s, i->state_since_ns)), U(ms_since(s, i->last_heard_ns)),
	                    U(i->rtt_ns / 1000), bool_str(i->multicast_heard), U(i->mtu_passes),
	                    i->n_in, i->n_out, U(i->datagrams), U(i->bytes), U(datagrams_out),
	                    U(bytes_out), U(i->lost), U(i->replayed));
	s->rc |= buf_printf(s->out,
	                    ",\"naks_in\":%llu,\"naks_out\":%llu,\"repairs_in\":%llu,"
	                    "\"repairs_out\":%llu,\"gaps\":%llu,\"evictions\":%llu,"
	                    "\"window\":%llu,\"key\":\"%08x\"}",
	                    U(i->naks_in), U(i->naks_out), U(i->repairs_in), U(i->repairs_out),
	                    U(i->gaps), U(i->evictions), U(i->window), i->key_id);
	s->sep = ",";
}

static int ask_peers(struct net *n, struct show *s)
{
	s->rc |= buf_append_byte(s->out, '[');
	if (n)
		mesh_each_peer(n->mesh, show_peer, s);
	return s->rc | buf_append_byte(s->out, ']');
}

/* ---- lanes ---- */

static void show_lane(void *arg, const struct mesh_lane_info *i)
{
	struct show *s = arg;

	s->rc |= buf_printf(s->out, "%s{\"channel\":\"%s\",\"class\":\"%s\"", s->sep, i->channel,
	                    i->class == MESH_RELIABLE ? "reliable" : "best-effort");
	if (i->host)
		show_text(s, "host", i->host);
	else
		s->rc |= buf_append_str(s->out, ",\"host\":null");
	s->rc |= buf_printf(s->out,
	                    ",\"members\":%u,\"messages\":%llu,\"bytes\":%llu,\"held\":%llu,"
	                    "\"gaps\":%llu,\"waiting\":%s,\"next\":%llu,\"first\":%llu}",
	                    i->n_members, U(i->messages), U(i->bytes), U(i->held), U(i->gaps),
	                    bool_str(i->waiting), U(i->next_seq), U(i->first_seq));
	s->sep = ",";
}

static int ask_lanes(struct net *n, struct show *s)
{
	s->rc |= buf_append_byte(s->out, '[');
	if (n)
		mesh_each_lane(n->mesh, show_lane, s);
	return s->rc | buf_append_byte(s->out, ']');
}

/* ---- the session and its sockets ---- */

static void show_session(struct show *s, const struct mesh_stats *m)
{
	const char *sep = "";

	s->rc |= buf_printf(
	        s->out,
	        ",\"session\":{\"datagrams_in\":%llu,\"bytes_in\":%llu,\"datagrams_out\":%llu,"
	        "\"bytes_out\":%llu,\"control_out\":%llu,\"data_out\":%llu,\"data_in\":%llu,"
	        "\"messages_out\":%llu,\"messages_in\":%llu,\"unheard\":%llu",
	        U(m->datagrams_in), U(m->bytes_in), U(m->datagrams_out), U(m->bytes_out),
	        U(m->control_out), U(m->data_out), U(m->data_in), U(m->messages_out),
	        U(m->messages_in), U(m->unheard));
	s->rc |= buf_printf(
	        s->out,
	        ",\"repairs_out\":%llu,\"repair_bytes_out\":%llu,\"naks_out\":%llu,"
	        "\"naks_in\":%llu,\"gaps\":%llu,\"gap_messages\":%llu,\"evictions\":%llu,"
	        "\"memory_out\":%llu,\"memory_in\":%llu,\"peers\":%u,\"peers_up\":%u,"
	        "\"lanes_in\":%u,\"lanes_out\":%u,\"dropped\":{",
	        U(m->repairs_out), U(m->repair_bytes_out), U(m->naks_out), U(m->naks_in),
	        U(m->gaps), U(m->gap_messages), U(m->evictions), U(m->memory_out), U(m->memory_in),
	        m->n_peers, m->n_peers_up, m->n_lanes_in, m->n_lanes_out);
	for (int i = 0; i < MESH_DROP_N; i++) {
		s->rc |= buf_printf(s->out, "%s\"%s\":%llu", sep, mesh_drop_str((enum mesh_drop)i),
		                    U(m->dropped[i]));
		sep = ",";
	}
	s->rc |= buf_append_str(s->out, "}}");
}

static void show_sockets(struct show *s, struct udp *udp)
{
	struct udp_counters c;

	udp_count(udp, &c);
	s->rc |= buf_printf(
	        s->out,
	        ",\"sockets\":{\"datagrams_in\":%llu,\"bytes_in\":%llu,\"packets_in\":%llu,"
	        "\"reads\":%llu,\"datagrams_out\":%llu,\"bytes_out\":%llu,\"packets_out\":%llu,"
	        "\"writes\":%llu,\"truncated\":%llu,\"kernel_drops\":%llu,\"read_errors\":%llu",
	        U(c.datagrams_in), U(c.bytes_in), U(c.packets_in), U(c.reads), U(c.datagrams_out),
	        U(c.bytes_out), U(c.packets_out), U(c.writes), U(c.truncated), U(c.kernel_drops),
	        U(c.read_errors));
	s->rc |= buf_printf(
	        s->out,
	        ",\"blocked\":%llu,\"too_big\":%llu,\"no_buffers\":%llu,\"down\":%llu,"
	        "\"unreachable\":%llu,\"refused\":%llu,\"other\":%llu,\"reopened\":%llu}",
	        U(c.blocked), U(c.too_big), U(c.no_buffers), U(c.down), U(c.unreachable),
	        U(c.refused), U(c.other), U(c.reopened));
}

static void show_state(struct show *s, struct net *n, const struct conf *conf)
{
	const struct udp_state *u = udp_state(n->udp);
	char text[NETADDR_TEXT_MAX];

	show_text(s, "host", n->server->host);
	show_text(s, "cluster", conf->cluster);
	if (n->group.sa.sa_family)
		show_text(s, "group", netaddr_text(&n->group, text));
	else
		s->rc |= buf_append_str(s->out, ",\"group\":null");
	s->rc |= buf_printf(s->out, ",\"targets\":%zu,\"up\":%s",
	                    n->peers ? netnames_count(n->peers) : 0, bool_str(u->is_up));
	show_text(s, "why", u->why ? u->why : "");
	show_text(s, "interface", u->interface);
	show_text(s, "addr", u->own.sa.sa_family ? netaddr_text(&u->own, text) : "");
	s->rc |= buf_printf(s->out,
	                    ",\"datagram\":%zu,\"mtu\":%u,\"rcvbuf\":%zu,\"gso\":%s,"
	                    "\"rate\":%llu,\"insecure\":%s",
	                    n->mtu, u->mtu, u->rcvbuf, bool_str(u->has_gso), U(conf->net_rate),
	                    bool_str(n->ring.current->cipher == CIPHER_NONE));
	show_text(s, "cipher", cipher_name(n->ring.current->cipher));
	show_text(s, "library", crypto_library(n->server->crypto, n->ring.current->cipher));
}

static int ask_net(struct net *n, struct show *s, const struct conf *conf)
{
	struct mesh_stats m;

	s->rc |= buf_printf(s->out, "{\"connected\":%s", bool_str(n != NULL));
	if (n) {
		mesh_stats(n->mesh, &m);
		show_state(s, n, conf);
		show_session(s, &m);
		show_sockets(s, n->udp);
	}
	return s->rc | buf_append_byte(s->out, '}');
}

enum nc_error net_ask(struct server *s, const char *what, size_t len, const char *data,
                      size_t data_len, struct buf *out, char **why)
{
	struct show show = {.net = s->net, .out = out, .sep = "", .now = server_now()};
	int rc;

	if (len == 5 && memcmp(what, "peers", 5) == 0)
		rc = ask_peers(s->net, &show);
	else if (len == 5 && memcmp(what, "lanes", 5) == 0)
		rc = ask_lanes(s->net, &show);
	else if (len == 3 && memcmp(what, "net", 3) == 0)
		rc = ask_net(s->net, &show, bus_conf(s->bus));
	else if (len == 5 && memcmp(what, "probe", 5) == 0)
		rc = net_ask_probe(s->net, data_len == 4 && memcmp(data, "true", 4) == 0, out,
		                   show.now);
	else
		return net_ask_keys(s, what, len, data, data_len, out, why);
	return rc ? NC_ENOMEM : NC_OK;
}
