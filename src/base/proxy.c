/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "base/proxy.h"
#include "base/text.h"

#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" TEXT_DIGITS "-._~"
#define HOST_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" TEXT_DIGITS "-._"
#define HOST_MAX   255U
#define SOCKS_MAX  255U /* bytes of a user or a password in SOCKS5 */

struct Proxy {
        unsigned n_ref;
        bool https, has_user;
        Secret *url; /* NULL: none */
        size_t n_scheme;
        char shown[PROXY_SHOWN_MAX];
};

static const struct Scheme {
        const char *name, *curl; /* as it is written; libcurl's own, with which the proxy resolves names */
        unsigned port;
        bool https, socks;
} schemes[] = {
        { "http://", "http://", 1080, false, false },
        { "https://", "https://", 443, true, false },
        { "socks5://", "socks5h://", 1080, false, true },
        { "socks5h://", "socks5h://", 1080, false, true },
};

/* The parts of a text, which point into it. */
typedef struct Parts {
        const struct Scheme *scheme;
        const char *user, *host; /* user NULL: there is none */
        size_t n_user, n_host;
        unsigned port;
} Parts;

static bool host_is_valid(const char *s, size_t n) {
        char six[INET6_ADDRSTRLEN];
        struct in6_addr a;

        if (*s != '[')
                return n <= HOST_MAX && text_in_charset(s, n, HOST_CHARS);
        if (n < 3 || n - 2 >= sizeof(six) || memchr(s, 0, n))
                return false;
        memcpy(six, s + 1, n - 2);
        six[n - 2] = 0;
        return inet_pton(AF_INET6, six, &a) == 1;
}

static bool read_port(const char *s, size_t n, unsigned *ret) {
        char digits[6];

        if (n >= sizeof(digits) || !text_in_charset(s, n, TEXT_DIGITS)) /* not a NUL, either */
                return false;
        memcpy(digits, s, n);
        digits[n] = 0;
        return text_parse_uint(digits, ret) >= 0 && *ret > 0 && *ret <= UINT16_MAX;
}

/* HOST[:PORT][/] */
static bool read_host(const char *s, size_t n, Parts *ret) {
        const char *end, *colon;

        if (n > 0 && s[n - 1] == '/')
                n--;
        end = n > 0 && *s == '[' ? memchr(s, ']', n) : s;
        if (n == 0 || !end)
                return false;
        colon = memchr(end, ':', (size_t) (s + n - end));
        ret->host = s;
        ret->n_host = colon ? (size_t) (colon - s) : n;
        ret->port = ret->scheme->port;
        if (*s == '[' && end != s + ret->n_host - 1)
                return false;
        return host_is_valid(s, ret->n_host) &&
               (!colon || read_port(colon + 1, n - ret->n_host - 1, &ret->port));
}

/* A scheme that is not known must not be taken for a user. */
static bool has_scheme(const char *text, size_t n) {
        size_t k = 0;

        while (k < n && strchr(UNRESERVED "+", text[k]) && text[k])
                k++;
        return k > 0 && n - k >= 3 && memcmp(text + k, "://", 3) == 0;
}

static bool read_parts(const char *text, size_t n, Parts *ret) {
        bool needs_port;
        const char *at;
        size_t k = 0;

        ret->scheme = schemes; /* without one */
        for (size_t i = 0; i < ELEMENTSOF(schemes); i++)
                if (n > strlen(schemes[i].name) &&
                    strncasecmp(text, schemes[i].name, strlen(schemes[i].name)) == 0) {
                        ret->scheme = schemes + i;
                        k = strlen(schemes[i].name);
                }
        if (k == 0 && has_scheme(text, n))
                return false;
        /* A password may hold an @ that is not escaped, but a host does not. */
        at = memrchr(text + k, '@', n - k);
        ret->user = at ? text + k : NULL;
        ret->n_user = at ? (size_t) (at - text) - k : 0;
        needs_port = k == 0; /* a bare name may be anything, even a key in the wrong place */
        k += at ? ret->n_user + 1 : 0;
        return read_host(text + k, n - k, ret) && !(needs_port && ret->n_host + 1 >= n - k);
}

/* Appends a part of the user's, with escapes where a URL needs them. Returns how many bytes it means, or
 * SIZE_MAX if that is too long or has a control character. */
static size_t put_escaped(char *to, size_t size, const char *s, size_t n) {
        size_t k = strlen(to), meant = 0;

        for (size_t i = 0; i < n; i++, meant++) {
                unsigned char c = (unsigned char) s[i];
                int high, low;

                if (c == '%' && n - i > 2 && (high = text_unhex(s[i + 1])) >= 0 &&
                    (low = text_unhex(s[i + 2])) >= 0) {
                        c = (unsigned char) (high << 4 | low);
                        i += 2;
                }
                if (c < 0x20 || c == 0x7f || size - k < 4)
                        return SIZE_MAX;
                if (strchr(UNRESERVED, c))
                        to[k++] = (char) c;
                else
                        k += (size_t) snprintf(to + k, size - k, "%%%02X", c);
                to[k] = 0;
        }
        return meant;
}

/* Appends USER[:PASSWORD]@. */
static bool put_user(char *to, size_t size, const Parts *parts) {
        const char *colon = memchr(parts->user, ':', parts->n_user);
        size_t n = colon ? (size_t) (colon - parts->user) : parts->n_user, user, password = 1;

        user = put_escaped(to, size, parts->user, n);
        if (colon) {
                (void) text_append(to, size, strlen(to), ":");
                password = put_escaped(to, size, colon + 1, parts->n_user - n - 1);
        }
        if (user == SIZE_MAX || password == SIZE_MAX)
                return false;
        (void) text_append(to, size, strlen(to), "@");
        return !parts->scheme->socks || (user > 0 && user <= SOCKS_MAX && password > 0 &&
                                         password <= SOCKS_MAX);
}

static int set_url(Proxy *p, const Parts *parts) {
        char url[SECRET_LENGTH_MAX + 2], address[HOST_MAX + 8];
        bool good = true;
        int r = -EINVAL;

        (void) snprintf(address, sizeof(address), "%.*s:%u", (int) parts->n_host, parts->host, parts->port);
        text_copy(url, sizeof(url), parts->scheme->curl);
        if (parts->user)
                good = put_user(url, sizeof(url), parts);
        if (good && strlen(url) + strlen(address) <= SECRET_LENGTH_MAX) {
                (void) text_append(url, sizeof(url), strlen(url), address);
                r = secret_new(url, strlen(url), &p->url);
        }
        explicit_bzero(url, sizeof(url));
        p->https = parts->scheme->https;
        p->has_user = parts->user;
        p->n_scheme = strlen(parts->scheme->name);
        (void) snprintf(p->shown, sizeof(p->shown), "%s%s", parts->scheme->name, address);
        return r;
}

int proxy_new(const char *text, size_t n, Proxy **ret) {
        _cleanup_(proxy_unrefp) Proxy *p = NULL;
        Parts parts = {};
        int r;

        p = calloc(1, sizeof(Proxy));
        if (!p)
                return -ENOMEM;
        p->n_ref = 1;
        if (n == strlen("none") && strncasecmp(text, "none", n) == 0)
                text_copy(p->shown, sizeof(p->shown), "none");
        else {
                if (!read_parts(text, n, &parts))
                        return -EINVAL;
                r = set_url(p, &parts);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(p);
        return 0;
}

Proxy *proxy_ref(Proxy *p) {
        if (p)
                p->n_ref++;
        return p;
}

Proxy *proxy_unref(Proxy *p) {
        if (!p || --p->n_ref > 0)
                return NULL;
        secret_unref(p->url);
        free(p);
        return NULL;
}

bool proxy_is_none(const Proxy *p) {
        return !p->url;
}

bool proxy_is_https(const Proxy *p) {
        return p->https;
}

bool proxy_has_user(const Proxy *p) {
        return p->has_user;
}

const char *proxy_shown(const Proxy *p) {
        return p->shown;
}

const char *proxy_address(const Proxy *p) {
        return p->shown + p->n_scheme;
}

const Secret *proxy_url(const Proxy *p) {
        assert(p->url);
        return p->url;
}

int proxy_compare(const Proxy *a, const Proxy *b) {
        if (a == b)
                return 0;
        if (!a || !b)
                return a ? 1 : -1;
        if (!a->url || !b->url)
                return (a->url != NULL) - (b->url != NULL);
        return secret_compare(a->url, b->url);
}

static int compare_project(const void *key, const void *row) {
        return strcmp(key, ((const ProjectProxy *) row)->project);
}

Proxy *project_proxy_find(const ProjectProxy *rows, size_t n, const char *project) {
        const ProjectProxy *row = n > 0 ? bsearch(project, rows, n, sizeof(*rows), compare_project) : NULL;

        return row ? row->proxy : NULL;
}
