/* SPDX-License-Identifier: MIT */

/* The lists of addresses: ALLOWED_IPS, TRUSTED_PROXIES, LISTEN, CORS_ORIGINS. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/text.h"
#include "config/internal.h"

/* --- addresses --- */

static int add_rule(ConfigCheck *k, const Setting *s, const ListEntry *e, CidrSet *set) {
        char network[CIDR_STRING_MAX], address[ADDRESS_STRING_MAX];
        int r = -EINVAL;

        if (strlen(e->text) == e->n)
                r = cidr_set_add(set, e->text);
        if (r >= 0 && cidr_has_host_bits(set->rules + set->n - 1, network)) {
                address_format(&set->rules[set->n - 1].address, address);
                config_warn(k, s, e->text, "means %s: should be written like this, or as %s for one address",
                            network, address);
        }
        if (r == -E2BIG)
                config_fault(k, s, e->text, "must be at most %u rules", CIDR_RULES_MAX);
        else if (r == -EINVAL)
                config_fault(k, s, e->text, NULL);
        else
                return r;
        return 0;
}

static int add_allowed_ip(ConfigCheck *k, const Setting *s, const ListEntry *e) {
        /* Peers on a unix socket always pass; the socket's mode decides about access. */
        if (streq(e->text, "unix:")) {
                config_fault(k, s, e->text, NULL);
                return 0;
        }
        return add_rule(k, s, e, &k->config->allowed_ips);
}

static int add_trusted_proxy(ConfigCheck *k, const Setting *s, const ListEntry *e) {
        /* If every client were a trusted proxy, each could claim any address. */
        if (streq(e->text, "*") || strcaseeq(e->text, "all")) {
                config_fault(k, s, e->text, NULL);
                return 0;
        }
        return add_rule(k, s, e, &k->config->trusted_proxies);
}

static int parse_allowed_ips(ConfigCheck *k, const Setting *s, const char *value) {
        return config_each_entry(k, s, value, add_allowed_ip);
}

static int parse_trusted_proxies(ConfigCheck *k, const Setting *s, const char *value) {
        return config_each_entry(k, s, value, add_trusted_proxy);
}

const SettingType setting_allowed_ips = { "addresses, CIDRs or *", parse_allowed_ips };
const SettingType setting_trusted_proxies = { "addresses, CIDRs or unix:", parse_trusted_proxies };

/* --- LISTEN --- */

/* ADDRESS:PORT, [IPv6]:PORT. */
static int listen_address(const char *text, Address *ret) {
        char host[ADDRESS_STRING_MAX + 2];
        const char *colon = strrchr(text, ':');
        unsigned port;
        size_t n;

        if (!colon || (size_t) (colon - text) >= sizeof(host))
                return -EINVAL;
        if (strlen(colon + 1) > 5 || text_parse_uint(colon + 1, &port) < 0 || port > UINT16_MAX)
                return -EINVAL;
        n = (size_t) (colon - text);
        memcpy(host, text, n);
        host[n] = 0;
        if (*host != '[')
                return strchr(host, ':') ? -EINVAL : address_parse(host, ret);
        if (host[n - 1] != ']')
                return -EINVAL;
        host[n - 1] = 0;
        return strchr(host, ':') ? address_parse(host + 1, ret) : -EINVAL;
}

static bool listen_is_valid(const char *text) {
        const char *path = startswith(text, "unix:");
        Address a;

        if (path)
                return *path == '/' && strlen(path) < sizeof(((struct sockaddr_un *) NULL)->sun_path);
        return listen_address(text, &a) >= 0;
}

static int add_listener(ConfigCheck *k, const Setting *s, const ListEntry *e) {
        Config *c = k->config;
        size_t n = 0;
        char **listen;

        if (strlen(e->text) != e->n || !listen_is_valid(e->text)) {
                config_fault(k, s, e->text, NULL);
                return 0;
        }
        for (; c->listen && c->listen[n]; n++)
                if (streq(c->listen[n], e->text)) {
                        config_warn(k, s, e->text, "is given twice and counts once");
                        return 0;
                }
        if (n >= LISTENERS_MAX) {
                config_fault(k, s, e->text, "must be at most %u listeners", LISTENERS_MAX);
                return 0;
        }
        listen = reallocarray(c->listen, n + 2, sizeof(char *));
        if (!listen)
                return -ENOMEM;
        c->listen = listen;
        listen[n + 1] = NULL;
        listen[n] = strdup(e->text);
        return listen[n] ? 0 : -ENOMEM;
}

static int parse_listen(ConfigCheck *k, const Setting *s, const char *value) {
        size_t before = k->n_faults;
        int r;

        r = config_each_entry(k, s, value, add_listener);
        if (r >= 0 && !k->config->listen && k->n_faults == before)
                config_fault(k, s, value, NULL);
        return r;
}

const SettingType setting_listen = { "ADDRESS:PORT, [IPv6]:PORT or unix:/PATH, without host names; "
                                     "several separated by commas",
                                     parse_listen };

bool config_listens_beyond_loopback(const Config *c) {
        Address a;

        for (size_t i = 0; c->listen && c->listen[i]; i++)
                if (listen_address(c->listen[i], &a) >= 0 && !address_is_loopback(&a))
                        return true;
        return false;
}

/* --- origins --- */

static int add_origin(ConfigCheck *k, const Setting *s, const ListEntry *e) {
        int r = -EINVAL;

        if (strlen(e->text) == e->n)
                r = origin_set_add(&k->config->cors_origins, e->text);
        if (r == -E2BIG)
                config_fault(k, s, e->text, "must be at most %u origins", CORS_ORIGINS_MAX);
        else if (r == -EINVAL) /* a password may be before an @ */
                config_fault(k, s, strchr(e->text, '@') ? "****" : e->text, NULL);
        else
                return r;
        return 0;
}

static int parse_origins(ConfigCheck *k, const Setting *s, const char *value) {
        return config_each_entry(k, s, value, add_origin);
}

const SettingType setting_origins = { "SCHEME://HOST[:PORT] without a path, or *", parse_origins };
