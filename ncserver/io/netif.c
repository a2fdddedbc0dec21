/* netif.c - which interface the mesh speaks over */
#include "ncserver/io/netif.h"

#include "ncserver/io/fault.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Of the interfaces that a fault names; the rest is counted. */
#define NAMED_MAX 16

static const char *family_name(int family)
{
	return family == AF_INET6 ? "IPv6" : "IPv4";
}

/* ---- the list ---- */

static unsigned mtu_of(int fd, const char *name)
{
	struct ifreq r = {0};

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFMTU, &r) < 0 || r.ifr_mtu < 0)
		return 0;
	return (unsigned)r.ifr_mtu;
}

/* Returns whether it counts: one that vanished meanwhile does not. */
static bool take(struct netif *i, const struct ifaddrs *a, int fd)
{
	*i = (struct netif){.index = if_nametoindex(a->ifa_name)};
	if (!i->index || strlen(a->ifa_name) >= sizeof(i->name))
		return false;
	snprintf(i->name, sizeof(i->name), "%s", a->ifa_name);
	i->mtu = mtu_of(fd, i->name);
	i->is_up = (a->ifa_flags & IFF_UP) != 0;
	i->is_running = (a->ifa_flags & IFF_RUNNING) != 0;
	i->is_loopback = (a->ifa_flags & IFF_LOOPBACK) != 0;
	i->can_multicast = (a->ifa_flags & IFF_MULTICAST) != 0;
	if (a->ifa_addr && a->ifa_addr->sa_family == AF_INET)
		memcpy(&i->addr.in, a->ifa_addr, sizeof(i->addr.in));
	else if (a->ifa_addr && a->ifa_addr->sa_family == AF_INET6)
		memcpy(&i->addr.in6, a->ifa_addr, sizeof(i->addr.in6));
	return true;
}

int netif_list(struct netif **list, size_t *n)
{
	struct ifaddrs *all, *a;
	size_t len = 0;
	int fd, err = 0;

	*list = NULL;
	*n = 0;
	if (getifaddrs(&all) < 0)
		return -errno;
	for (a = all; a; a = a->ifa_next)
		len++;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 && errno == EAFNOSUPPORT)
		fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		err = -errno;
	else
		*list = calloc(len + 1, sizeof(**list));
	if (!err && !*list)
		err = -ENOMEM;
	for (a = all; a && !err; a = a->ifa_next)
		if (take(&(*list)[*n], a, fd))
			++*n;
	if (fd >= 0)
		close(fd);
	freeifaddrs(all);
	return err;
}

/* ---- the choice ---- */

struct text {
	char at[512];
	size_t len;
	size_t n, n_more;
};

static void add(struct text *t, const struct netif *i)
{
	char addr[NETADDR_TEXT_MAX];
	int len;

	if (t->n >= NAMED_MAX) {
		t->n_more++;
		return;
	}
	len = snprintf(t->at + t->len, sizeof(t->at) - t->len, "%s%s (%s)", t->n ? ", " : "",
	               i->name, netaddr_text(&i->addr, addr));
	if (len < 0 || (size_t)len >= sizeof(t->at) - t->len) {
		t->at[t->len] = '\0';
		t->n_more++;
		return;
	}
	t->len += (size_t)len;
	t->n++;
}

static const char *end(struct text *t)
{
	if (t->n_more > 0 && sizeof(t->at) - t->len > 32)
		snprintf(t->at + t->len, sizeof(t->at) - t->len, " and %zu more", t->n_more);
	return t->at;
}

/* Whether it could be meant by saying nothing. */
static bool is_candidate(const struct netif *i, int family)
{
	return i->is_up && i->can_multicast && !i->is_loopback && i->addr.sa.sa_family == family;
}

static bool is_better(const struct netif *i, const struct netif *than)
{
	return netaddr_is_link_local(&i->addr) && !netaddr_is_link_local(&than->addr);
}

static int say_absent(const struct netif *list, size_t n, int family, struct fault *f,
                      const char *what)
{
	struct text t = {.at = ""};

	for (size_t i = 0; i < n; i++)
		if (is_candidate(&list[i], family))
			add(&t, &list[i]);
	fault_set(f, EX_UNAVAILABLE, "%s; %s%s", what,
	          t.n ? "there is " : "there is none that is up, can multicast and has one",
	          end(&t));
	return NETIF_ABSENT;
}

/* Of the interfaces for which `is` holds the only one, and its address; `what` is what was asked
 * for. */
static int only_one(struct netif *out, const struct netif *list, size_t n, int family,
                    bool (*is)(const struct netif *, int, const void *), const void *arg,
                    struct fault *f, const char *what)
{
	const struct netif *found = NULL;
	struct text t = {.at = ""};
	char text[256];

	for (size_t i = 0; i < n; i++) {
		const struct netif *it = &list[i];

		if (!is(it, family, arg))
			continue;
		if (!found || found->index != it->index)
			add(&t, it);
		if (!found || (found->index == it->index && is_better(it, found)))
			found = it;
	}
	if (t.n + t.n_more > 1) {
		fault_set(f, EX_CONFIG, "several interfaces have %s: %s; one must be named", what,
		          end(&t));
		return NETIF_SEVERAL;
	}
	if (found) {
		*out = *found;
		return NETIF_OK;
	}
	snprintf(text, sizeof(text), "no interface that is up has %s", what);
	return say_absent(list, n, family, f, text);
}

static bool is_unnamed(const struct netif *i, int family, const void *arg)
{
	(void)arg;
	return is_candidate(i, family);
}

struct prefix {
	struct netaddr addr;
	unsigned bits;
};

static bool is_in_prefix(const struct netif *i, int family, const void *arg)
{
	const struct prefix *p = arg;

	(void)family;
	/* the address of one link may stand for each interface */
	if (p->addr.sa.sa_family == AF_INET6 && p->addr.in6.sin6_scope_id &&
	    p->addr.in6.sin6_scope_id != i->index)
		return false;
	return i->is_up && i->addr.sa.sa_family != 0 &&
	       netaddr_in_prefix(&i->addr, &p->addr, p->bits);
}

static int by_name(struct netif *out, const struct netif *list, size_t n, const char *name,
                   int family, struct fault *f)
{
	const struct netif *found = NULL, *any = NULL;
	char text[128];

	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].name, name) != 0)
			continue;
		any = &list[i];
		if (!any->is_up || any->addr.sa.sa_family != family)
			continue;
		if (!found || is_better(any, found))
			found = any;
	}
	if (found) {
		*out = *found;
		return NETIF_OK;
	}
	if (!any)
		snprintf(text, sizeof(text), "there is no interface \"%s\"", name);
	else if (!any->is_up)
		snprintf(text, sizeof(text), "interface \"%s\" is down", name);
	else
		snprintf(text, sizeof(text), "interface \"%s\" has no %s address", name,
		         family_name(family));
	return say_absent(list, n, family, f, text);
}

/* Returns 1: a prefix or an address, 0: neither, -1: almost a prefix. */
static int read_prefix(struct prefix *p, const char *spec)
{
	char host[NETADDR_TEXT_MAX];
	const char *slash = strchr(spec, '/');
	size_t len = slash ? (size_t)(slash - spec) : strlen(spec);
	unsigned max, bits = 0;

	if (len >= sizeof(host))
		return slash ? -1 : 0;
	memcpy(host, spec, len);
	host[len] = '\0';
	if (!netaddr_from_ip(&p->addr, host))
		return slash ? -1 : 0;
	max = p->addr.sa.sa_family == AF_INET6 ? 128 : 32;
	p->bits = max;
	if (!slash)
		return 1;
	if (!slash[1])
		return -1;
	for (const char *c = slash + 1; *c; c++) {
		if (*c < '0' || *c > '9' || bits > max)
			return -1;
		bits = bits * 10 + (unsigned)(*c - '0');
	}
	p->bits = bits;
	return bits <= max ? 1 : -1;
}

static bool is_name(const char *spec)
{
	size_t len = strlen(spec);

	return len < IF_NAMESIZE && !strpbrk(spec, "/: \t\n") && strcmp(spec, ".") != 0 &&
	       strcmp(spec, "..") != 0;
}

int netif_choose(struct netif *out, const struct netif *list, size_t n, const char *spec,
                 int family, struct fault *f)
{
	struct prefix p;
	char what[128];

	if (!spec || !*spec) {
		snprintf(what, sizeof(what), "an %s address and multicast", family_name(family));
		return only_one(out, list, n, family, is_unnamed, NULL, f, what);
	}
	switch (read_prefix(&p, spec)) {
	case 1:
		if (p.addr.sa.sa_family != family)
			break;
		snprintf(what, sizeof(what), "%s %s",
		         strchr(spec, '/') ? "an address in" : "the address", spec);
		return only_one(out, list, n, family, is_in_prefix, &p, f, what);
	case 0:
		if (is_name(spec))
			return by_name(out, list, n, spec, family, f);
		fault_set(f, EX_CONFIG, "\"%s\" is no name, prefix or address of an interface",
		          spec);
		return NETIF_BAD;
	default:
		fault_set(f, EX_CONFIG, "\"%s\" is no prefix: an address, \"/\", and %s", spec,
		          strchr(spec, ':') ? "0 to 128" : "0 to 32");
		return NETIF_BAD;
	}
	fault_set(f, EX_CONFIG, "interface \"%s\" is not of the family of the group, %s", spec,
	          family_name(family));
	return NETIF_BAD;
}
