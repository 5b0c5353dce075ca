/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A proxy between gemgate and Gemini. Its URL has a user and a password, so it is a Secret; what people see
 * is the scheme, the host and the port.
 *
 *     none
 *     {http|https|socks5|socks5h}://[USER[:PASSWORD]@]HOST[:PORT][/]
 *     [USER[:PASSWORD]@]HOST:PORT
 *
 * Without a scheme it is http. Without a port it is curl's: 443 of https, else 1080. A SOCKS proxy always
 * resolves the names itself. User and password may have %-escapes; other characters that a URL cannot hold
 * there are escaped here.
 */

#include "base/secret.h"

typedef struct Proxy Proxy;

#define PROXY_SHOWN_MAX 288U /* a host of 255 bytes with its scheme and port */

/* -EINVAL: it is none of the above, or longer than a Secret may be. */
int proxy_new(const char *text, size_t n, Proxy **ret);
Proxy *proxy_ref(Proxy *p); /* NULL is passed on */
Proxy *proxy_unref(Proxy *p);
DEFINE_CLEANUP(Proxy *, proxy_unref);

bool proxy_is_none(const Proxy *p);
bool proxy_is_https(const Proxy *p); /* TLS up to the proxy */
bool proxy_has_user(const Proxy *p);
const char *proxy_shown(const Proxy *p);   /* `http://10.0.0.1:3128`; `none` */
const char *proxy_address(const Proxy *p); /* `10.0.0.1:3128` */
const Secret *proxy_url(const Proxy *p);   /* as libcurl takes it, with the user; not of `none` */

/* By everything, the password too; NULL is less than any proxy. */
int proxy_compare(const Proxy *a, const Proxy *b);

/* The proxy of all keys of a project. */
typedef struct ProjectProxy {
        char *project;
        Proxy *proxy;
} ProjectProxy;

/* The rows are sorted by project. NULL: it has none. */
Proxy *project_proxy_find(const ProjectProxy *rows, size_t n, const char *project);
