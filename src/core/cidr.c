/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "core/cidr.h"

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

static bool is_ipv4(const Address *a) {
        return memcmp(a->bytes, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

static void set_ipv4(Address *a, const void *bytes) {
        memcpy(a->bytes, mapped_prefix, sizeof(mapped_prefix));
        memcpy(a->bytes + sizeof(mapped_prefix), bytes, 4);
}

int address_parse(const char *s, Address *ret) {
        struct in_addr four;
        Address a;

        /* inet_pton() is as strict as needed: no zone, no port, no leading zeros, no octal, no missing
         * parts. */
        if (inet_pton(AF_INET, s, &four) == 1)
                set_ipv4(&a, &four);
        else if (inet_pton(AF_INET6, s, a.bytes) != 1)
                return -EINVAL;
        *ret = a;
        return 0;
}

void address_format(const Address *a, char ret[static ADDRESS_STRING_MAX]) {
        if (is_ipv4(a))
                (void) inet_ntop(AF_INET, a->bytes + sizeof(mapped_prefix), ret, ADDRESS_STRING_MAX);
        else
                (void) inet_ntop(AF_INET6, a->bytes, ret, ADDRESS_STRING_MAX);
}

bool address_is_loopback(const Address *a) {
        static const uint8_t one[16] = { [15] = 1 };

        return is_ipv4(a) ? a->bytes[12] == 127 : memcmp(a->bytes, one, sizeof(one)) == 0;
}

int address_from_sockaddr(const struct sockaddr *sa, Address *ret) {
        if (sa->sa_family == AF_INET)
                set_ipv4(ret, &((const struct sockaddr_in *) (const void *) sa)->sin_addr);
        else if (sa->sa_family == AF_INET6)
                memcpy(ret->bytes, &((const struct sockaddr_in6 *) (const void *) sa)->sin6_addr, 16);
        else
                return -EAFNOSUPPORT;
        return 0;
}

static int cidr_parse(const char *text, Cidr *ret) {
        char address[ADDRESS_STRING_MAX];
        const char *slash = strchrnul(text, '/');
        unsigned bits, most;
        Cidr c = {};
        int r;

        if (streq(text, "*") || strcaseeq(text, "all")) {
                c.any = true;
                *ret = c;
                return 0;
        }
        if (streq(text, "unix:")) {
                c.unix_peer = true;
                *ret = c;
                return 0;
        }

        if ((size_t) (slash - text) >= sizeof(address))
                return -EINVAL;
        memcpy(address, text, (size_t) (slash - text));
        address[slash - text] = 0;
        r = address_parse(address, &c.address);
        if (r < 0)
                return r;

        /* `10.0.0.0/8` counts from the beginning of the IPv4 address, `::ffff:10.0.0.0/104` from that of the
         * IPv6 address. */
        most = strchr(address, ':') ? 128 : 32;
        bits = most;
        if (*slash && (text_parse_uint(slash + 1, &bits) < 0 || bits > most))
                return -EINVAL;
        c.bits = bits + 128 - most;
        *ret = c;
        return 0;
}

bool cidr_has_host_bits(const Cidr *c, char ret[static CIDR_STRING_MAX]) {
        unsigned bits = is_ipv4(&c->address) && c->bits >= 96 ? c->bits - 96 : c->bits;
        Address network = c->address;
        size_t n;

        if (c->any || c->unix_peer)
                return false;
        for (unsigned i = c->bits; i < 128; i++)
                network.bytes[i / 8] &= (uint8_t) ~(0x80U >> i % 8);
        if (memcmp(network.bytes, c->address.bytes, sizeof(network.bytes)) == 0)
                return false;
        address_format(&network, ret);
        n = strlen(ret);
        (void) snprintf(ret + n, CIDR_STRING_MAX - n, "/%u", bits);
        return true;
}

int cidr_set_add(CidrSet *s, const char *text) {
        Cidr c, *rules;
        int r;

        r = cidr_parse(text, &c);
        if (r < 0)
                return r;
        if (s->n >= CIDR_RULES_MAX)
                return -E2BIG;
        rules = reallocarray(s->rules, s->n + 1, sizeof(Cidr));
        if (!rules)
                return -ENOMEM;
        s->rules = rules;
        c.text = strdup(text);
        if (!c.text)
                return -ENOMEM;
        s->rules[s->n++] = c;
        return 0;
}

void cidr_set_done(CidrSet *s) {
        for (size_t i = 0; i < s->n; i++)
                free(s->rules[i].text);
        free(s->rules);
        *s = (CidrSet){};
}

static bool cidr_matches(const Cidr *c, const Address *a) {
        unsigned whole = c->bits / 8, rest = c->bits % 8;

        if (c->any)
                return true;
        if (c->unix_peer)
                return false;
        /* `::/0` means every IPv6 address; that IPv4 addresses are stored as IPv6 must not show. */
        if (c->bits < 96 && is_ipv4(a))
                return false;
        if (memcmp(c->address.bytes, a->bytes, whole) != 0)
                return false;
        return rest == 0 || (c->address.bytes[whole] ^ a->bytes[whole]) >> (8 - rest) == 0;
}

const Cidr *cidr_set_match(const CidrSet *s, const Address *a) {
        for (size_t i = 0; i < s->n; i++)
                if (cidr_matches(s->rules + i, a))
                        return s->rules + i;
        return NULL;
}

bool cidr_set_match_unix(const CidrSet *s) {
        for (size_t i = 0; i < s->n; i++)
                if (s->rules[i].unix_peer)
                        return true;
        return false;
}

static bool is_port(const char *s) {
        unsigned port;

        return strlen(s) <= 5 && text_parse_uint(s, &port) >= 0 && port <= UINT16_MAX;
}

/* One element of X-Forwarded-For: 1.2.3.4, 1.2.3.4:80, ::1, [::1], [::1]:80. */
static int hop_parse(const char *s, size_t n, Address *ret) {
        char hop[ADDRESS_STRING_MAX + sizeof("[]:65535")], *colon, *bracket;

        while (n > 0 && strchr(" \t", *s))
                s++, n--;
        while (n > 0 && strchr(" \t", s[n - 1]))
                n--;
        if (n >= sizeof(hop))
                return -EINVAL;
        memcpy(hop, s, n);
        hop[n] = 0;

        if (hop[0] == '[') {
                bracket = strchr(hop, ']');
                if (!bracket || (bracket[1] && (bracket[1] != ':' || !is_port(bracket + 2))))
                        return -EINVAL;
                *bracket = 0;
                if (!strchr(hop, ':'))
                        return -EINVAL;
                return address_parse(hop + 1, ret);
        }

        /* One colon precedes a port; more are an IPv6 address, which has no port without brackets. */
        colon = strchr(hop, ':');
        if (colon && !strchr(colon + 1, ':')) {
                if (!is_port(colon + 1))
                        return -EINVAL;
                *colon = 0;
        }
        return address_parse(hop, ret);
}

int cidr_client_address(const CidrSet *trusted, const Address *peer, const char *forwarded, Address *ret) {
        const char *end, *begin;
        Address hop;

        /* Empty elements of a list do not count (RFC 9110, 5.6.1): `,1.2.3.4`, `1.2.3.4,`. */
        if (forwarded) {
                forwarded += strspn(forwarded, ", \t");
                if (!*forwarded)
                        forwarded = NULL;
        }
        if (!forwarded || !(peer ? cidr_set_match(trusted, peer) != NULL : cidr_set_match_unix(trusted))) {
                if (!peer)
                        return CIDR_E_UNIX;
                *ret = *peer;
                return 0;
        }

        /* From the right: each proxy appends the address of its peer. Anything left of the first hop that is
         * not trusted can be forged, so it is not read. */
        end = forwarded + strlen(forwarded);
        for (unsigned i = 0; i < FORWARDED_HOPS_MAX; i++) {
                while (strchr(", \t", end[-1]))
                        end--;
                for (begin = end; begin > forwarded && begin[-1] != ','; begin--)
                        ;
                if (hop_parse(begin, (size_t) (end - begin), &hop) < 0)
                        return CIDR_E_MALFORMED;
                if (begin == forwarded || !cidr_set_match(trusted, &hop)) {
                        *ret = hop;
                        return 0;
                }
                end = begin - 1;
        }
        return CIDR_E_MALFORMED;
}
