/* netaddr.c - an IPv4 or IPv6 address with its port */
#include "ncserver/io/netaddr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The index of an interface, by number or by name; 0: none. */
static unsigned scope_of(const char *name)
{
	char *end;
	unsigned long n = strtoul(name, &end, 10);

	if (*name >= '0' && *name <= '9' && *end == '\0' && n <= INT32_MAX)
		return (unsigned)n;
	return if_nametoindex(name);
}

bool netaddr_from_ip(struct netaddr *a, const char *host)
{
	char ip[INET6_ADDRSTRLEN];
	const char *scope = strchr(host, '%');
	size_t len = scope ? (size_t)(scope - host) : strlen(host);

	*a = (struct netaddr){.in6 = {0}};
	if (len >= sizeof(ip))
		return false;
	memcpy(ip, host, len);
	ip[len] = '\0';
	if (!scope && inet_pton(AF_INET, ip, &a->in.sin_addr) == 1) {
		a->in.sin_family = AF_INET;
		return true;
	}
	if (inet_pton(AF_INET6, ip, &a->in6.sin6_addr) != 1)
		return false;
	a->in6.sin6_family = AF_INET6;
	if (!scope)
		return true;
	a->in6.sin6_scope_id = scope_of(scope + 1);
	return a->in6.sin6_scope_id != 0;
}

static bool is_name(const char *host)
{
	struct netaddr a;

	if (netaddr_from_ip(&a, host))
		return true;
	for (const char *p = host; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		      (*p >= '0' && *p <= '9') || *p == '-' || *p == '.' || *p == '_'))
			return false;
	return *host != '-' && *host != '.';
}

int netaddr_split(char host[NETADDR_HOST_MAX], uint16_t *port, const char *text)
{
	const char *begin = text, *end, *colon;
	unsigned long n = 0;

	if (*text == '[') {
		begin++;
		end = strchr(begin, ']');
		if (!end)
			return NETADDR_BAD_HOST;
		colon = end + 1;
	} else {
		end = colon = strchr(text, ':');
		/* two colons and no brackets: which one begins the port? */
		if (!colon || strchr(colon + 1, ':'))
			return NETADDR_NO_PORT;
	}
	if (*colon != ':')
		return NETADDR_NO_PORT;
	if (end == begin || (size_t)(end - begin) >= NETADDR_HOST_MAX)
		return NETADDR_BAD_HOST;
	memcpy(host, begin, (size_t)(end - begin));
	host[end - begin] = '\0';
	if (!is_name(host) || (*text == '[' && !strchr(host, ':')))
		return NETADDR_BAD_HOST;
	for (const char *p = colon + 1; *p; p++) {
		if (*p < '0' || *p > '9' || n > UINT16_MAX)
			return NETADDR_BAD_PORT;
		n = n * 10 + (unsigned long)(*p - '0');
	}
	if (n == 0 || n > UINT16_MAX)
		return NETADDR_BAD_PORT;
	*port = (uint16_t)n;
	return NETADDR_OK;
}

const char *netaddr_error_text(int err)
{
	switch ((enum netaddr_error)err) {
	case NETADDR_OK: break;
	case NETADDR_NO_PORT: return "it is not \"host:port\" or \"[IPv6 address]:port\"";
	case NETADDR_BAD_PORT: return "the port is not 1 to 65535";
	case NETADDR_BAD_HOST: return "the host is neither a name nor an address";
	}
	return "nothing is wrong with it";
}

uint16_t netaddr_port(const struct netaddr *a)
{
	return ntohs(a->sa.sa_family == AF_INET6 ? a->in6.sin6_port : a->in.sin_port);
}

void netaddr_set_port(struct netaddr *a, uint16_t port)
{
	if (a->sa.sa_family == AF_INET6)
		a->in6.sin6_port = htons(port);
	else
		a->in.sin_port = htons(port);
}

bool netaddr_same_ip(const struct netaddr *a, const struct netaddr *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) == 0;
}

bool netaddr_equal(const struct netaddr *a, const struct netaddr *b)
{
	if (!netaddr_same_ip(a, b) || netaddr_port(a) != netaddr_port(b))
		return false;
	return a->sa.sa_family == AF_INET || a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

bool netaddr_is_multicast(const struct netaddr *a)
{
	if (a->sa.sa_family == AF_INET)
		return IN_MULTICAST(ntohl(a->in.sin_addr.s_addr));
	return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_MULTICAST(&a->in6.sin6_addr);
}

bool netaddr_is_link_local(const struct netaddr *a)
{
	return a->sa.sa_family == AF_INET6 && (IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr) ||
	                                       IN6_IS_ADDR_MC_LINKLOCAL(&a->in6.sin6_addr));
}

bool netaddr_in_prefix(const struct netaddr *a, const struct netaddr *prefix, unsigned bits)
{
	const uint8_t *p, *q;

	if (a->sa.sa_family != prefix->sa.sa_family)
		return false;
	p = a->sa.sa_family == AF_INET6 ? a->in6.sin6_addr.s6_addr
	                                : (const uint8_t *)&a->in.sin_addr;
	q = a->sa.sa_family == AF_INET6 ? prefix->in6.sin6_addr.s6_addr
	                                : (const uint8_t *)&prefix->in.sin_addr;
	if (memcmp(p, q, bits / 8) != 0)
		return false;
	return bits % 8 == 0 || ((p[bits / 8] ^ q[bits / 8]) >> (8 - bits % 8)) == 0;
}

void netaddr_map(struct netaddr *a)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = a->in.sin_port};

	if (a->sa.sa_family != AF_INET)
		return;
	in6.sin6_addr.s6_addr[10] = in6.sin6_addr.s6_addr[11] = 0xFF;
	memcpy(in6.sin6_addr.s6_addr + 12, &a->in.sin_addr, 4);
	a->in6 = in6;
}

void netaddr_unmap(struct netaddr *a)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	if (a->sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
		return;
	in.sin_port = a->in6.sin6_port;
	memcpy(&in.sin_addr, a->in6.sin6_addr.s6_addr + 12, 4);
	*a = (struct netaddr){.in6 = {0}};
	a->in = in;
}

const char *netaddr_text(const struct netaddr *a, char text[NETADDR_TEXT_MAX])
{
	char ip[INET6_ADDRSTRLEN] = "?", name[IF_NAMESIZE + 1] = "", port[8] = "";

	if (netaddr_port(a))
		snprintf(port, sizeof(port), ":%u", (unsigned)netaddr_port(a));
	if (a->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &a->in.sin_addr, ip, sizeof(ip));
		snprintf(text, NETADDR_TEXT_MAX, "%s%s", ip, port);
		return text;
	}
	if (a->sa.sa_family != AF_INET6) {
		snprintf(text, NETADDR_TEXT_MAX, "no address");
		return text;
	}
	inet_ntop(AF_INET6, &a->in6.sin6_addr, ip, sizeof(ip));
	if (a->in6.sin6_scope_id) {
		name[0] = '%';
		if (!if_indextoname(a->in6.sin6_scope_id, name + 1))
			snprintf(name + 1, sizeof(name) - 1, "%u", a->in6.sin6_scope_id);
	}
	snprintf(text, NETADDR_TEXT_MAX, *port ? "[%s%s]%s" : "%s%s%s", ip, name, port);
	return text;
}
