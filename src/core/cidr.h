/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Addresses, and rules for them. An address is 16 bytes; IPv4 is held as ::ffff:a.b.c.d, so a mapped address
 * equals the address it maps. A rule is `*`, `all`, an address, or a CIDR; it is shown as configured. A rule
 * for IPv6 never matches an IPv4 address: `::/0` does not allow 1.2.3.4.
 */

#include "base/limits.h"
#include "base/macros.h"

typedef struct Address {
        uint8_t bytes[16];
} Address;

#define ADDRESS_STRING_MAX 46U

/* Accepts 1.2.3.4, ::1, ::ffff:1.2.3.4; no zone, no port, no brackets. -EINVAL. */
int address_parse(const char *s, Address *ret);
void address_format(const Address *a, char ret[static ADDRESS_STRING_MAX]);
bool address_is_loopback(const Address *a);

struct sockaddr;
/* -EAFNOSUPPORT if it is neither AF_INET nor AF_INET6. */
int address_from_sockaddr(const struct sockaddr *sa, Address *ret);

typedef struct Cidr {
        Address address;
        unsigned bits;  /* 0–128; an IPv4 rule has 96 and more */
        bool any;       /* `*`, `all` */
        bool unix_peer; /* `unix:`, only for trusted proxies */
        char *text;     /* as configured */
} Cidr;

#define CIDR_STRING_MAX (ADDRESS_STRING_MAX + 4U)

/* True, with the rule as it should be written, if its address has bits behind the prefix: 10.0.0.5/8. */
bool cidr_has_host_bits(const Cidr *c, char ret[static CIDR_STRING_MAX]);

typedef struct CidrSet {
        Cidr *rules;
        size_t n;
} CidrSet;

/* -EINVAL if it is not a rule (10.0.0.1/8 is one, and means 10.0.0.0/8), -E2BIG. */
int cidr_set_add(CidrSet *s, const char *text);
void cidr_set_done(CidrSet *s);
const Cidr *cidr_set_match(const CidrSet *s, const Address *a); /* the first matching rule, or NULL */
bool cidr_set_match_unix(const CidrSet *s);

/*
 * The client's address behind proxies. `forwarded` is all X-Forwarded-For headers in order, joined by
 * commas (NULL if there is none); it is read only if the peer is trusted. `peer` NULL is a unix peer. The
 * hops are read from right to left, as long as they are trusted. The first hop that is not trusted is the
 * client; if all are trusted, the leftmost one is. Ports and brackets are removed; an empty element is not
 * an address.
 *
 * 0 with the address; CIDR_E_UNIX if the client itself is a unix peer; CIDR_E_MALFORMED if a hop that must
 * be read is not an address (403).
 */
enum {
        _CIDR_E_SUCCESS,
        CIDR_E_UNIX,
        CIDR_E_MALFORMED,
};
int cidr_client_address(const CidrSet *trusted, const Address *peer, const char *forwarded, Address *ret);
