/* SPDX-License-Identifier: MIT */

/*
 * The proxies between gemgate and Gemini: UPSTREAM_PROXY, PROJECT_PROXIES, a key's `proxy`, and variables
 * that many programs share. A project has one proxy, wherever it is named. For what has none, UPSTREAM_PROXY
 * decides, and only without it HTTPS_PROXY, then ALL_PROXY; NO_PROXY is about these two alone. What goes to
 * loopback passes no proxy: the keys would be readable there, and the proxy's loopback is another machine's.
 *
 * Messages show proxies without their users.
 */

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "config/internal.h"
#include "core/no-proxy.h"

#define FORM \
        "none or http://HOST:PORT, or https:// or socks5://, if needed with USER:PASSWORD and @ before it"
#define SCHEME_MAX 16U
#define HOST_MAX   256U

typedef struct ProxyRow {
        ProjectProxy row;
        const Setting *from;
} ProxyRow;

struct ProxySet {
        Proxy **all; /* each different one, sorted */
        size_t n;
        Proxy *upstream; /* UPSTREAM_PROXY; NULL: not set */
        ProxyRow *rows;
        size_t n_rows;
};

static ProxySet *set_of(ConfigCheck *k) {
        if (!k->proxy_set)
                k->proxy_set = calloc(1, sizeof(ProxySet));
        return k->proxy_set;
}

static void row_done(ProxyRow *r) {
        free(r->row.project);
        proxy_unref(r->row.proxy);
        *r = (ProxyRow){};
}

void config_proxies_done(ProxySet *set) {
        if (!set)
                return;
        for (size_t i = 0; i < set->n; i++)
                proxy_unref(set->all[i]);
        for (size_t i = 0; i < set->n_rows; i++)
                row_done(set->rows + i);
        free(set->all);
        free(set->rows);
        proxy_unref(set->upstream);
        free(set);
}

/* --- one proxy --- */

/* Of a wrong value no more is shown than its scheme: anywhere else may be the password. */
static void report(ConfigCheck *k, const Setting *s, const char *shown, const char *text) {
        char scheme[SCHEME_MAX + sizeof("://…")];
        size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" TEXT_DIGITS);

        if (!shown && n > 0 && n <= SCHEME_MAX && startswith(text + n, "://")) {
                (void) snprintf(scheme, sizeof(scheme), "%.*s://…", (int) n, text);
                shown = scheme;
        }
        config_fault(k, s, shown, "must be " FORM);
}

/* Where the proxy is among the sorted ones, or belongs. */
static size_t place_of(const ProxySet *set, const Proxy *p) {
        size_t low = 0, high = set->n;

        while (low < high) {
                size_t middle = (low + high) / 2;

                if (proxy_compare(set->all[middle], p) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

int config_proxy(ConfigCheck *k, const Setting *s, const char *shown, const char *text, size_t n,
                 Proxy **ret) {
        _cleanup_(proxy_unrefp) Proxy *p = NULL;
        ProxySet *set = set_of(k);
        Proxy **all;
        size_t at;
        int r;

        *ret = NULL;
        if (!set)
                return -ENOMEM;
        r = proxy_new(text, n, &p);
        if (r == -EINVAL) {
                report(k, s, shown, text);
                return 0;
        }
        if (r < 0)
                return r;
        at = place_of(set, p);
        if (at == set->n || proxy_compare(set->all[at], p) != 0) {
                if (set->n >= PROXIES_MAX) {
                        config_fault(k, s, shown, "must be at most %u different proxies", PROXIES_MAX);
                        return 0;
                }
                all = reallocarray(set->all, set->n + 1, sizeof(Proxy *));
                if (!all)
                        return -ENOMEM;
                set->all = all;
                memmove(all + at + 1, all + at, (set->n++ - at) * sizeof(Proxy *));
                all[at] = TAKE_PTR(p);
        }
        *ret = proxy_ref(set->all[at]);
        return 0;
}

/* The value may come from its own file, with comments. */
static int parse_upstream(ConfigCheck *k, const Setting *s, const char *value) {
        _cleanup_free_ char *copy = strdup(value);
        char *rest = copy, *line, *found = NULL;
        ProxySet *set = set_of(k);
        size_t n_lines = 0;
        int r = 0;

        if (!copy || !set)
                return -ENOMEM;
        while ((line = strsep(&rest, "\n"))) {
                line = text_strip(line);
                if (!*line || *line == '#')
                        continue;
                found = line;
                n_lines++;
        }
        if (n_lines > 1)
                config_fault(k, s, NULL, "must be one proxy");
        else if (found)
                r = config_proxy(k, s, NULL, found, strlen(found), &set->upstream);
        explicit_bzero(copy, strlen(value));
        return r;
}

static int parse_environment(ConfigCheck *k, const Setting *s, const char *value) {
        k->proxies[s->field] = value;
        return 0;
}

const SettingType setting_upstream_proxy = { FORM, parse_upstream };
const SettingType setting_environment = { FORM, parse_environment };
const SettingType setting_no_proxy = {
        "names, addresses and CIDRs, separated by commas; or * for all",
        parse_environment,
};

/* --- the proxies of projects --- */

static int add_row(ConfigCheck *k, const Setting *s, const char *project, Proxy *proxy) {
        ProxySet *set = set_of(k);
        ProxyRow *rows;

        if (!set)
                return -ENOMEM;
        if ((set->n_rows & (set->n_rows - 1)) == 0) {
                rows = reallocarray(set->rows, MAX(2 * set->n_rows, (size_t) 1), sizeof(ProxyRow));
                if (!rows)
                        return -ENOMEM;
                set->rows = rows;
        }
        set->rows[set->n_rows] = (ProxyRow){
                .row = { .project = strdup(project), .proxy = proxy_ref(proxy) },
                .from = s,
        };
        return set->rows[set->n_rows++].row.project ? 0 : -ENOMEM;
}

static int read_project(ConfigCheck *k, const Setting *s, const char *name, struct json_object *o) {
        _cleanup_(proxy_unrefp) Proxy *proxy = NULL;
        int r;

        if (!config_label_is_valid(name, strlen(name)) || !json_object_is_type(o, json_type_string)) {
                config_fault(k, s, name, NULL);
                return 0;
        }
        r = config_proxy(k, s, name, json_object_get_string(o), (size_t) json_object_get_string_len(o),
                         &proxy);
        return r < 0 || !proxy ? r : add_row(k, s, name, proxy);
}

static int parse_projects(ConfigCheck *k, const Setting *s, const char *value) {
        return config_each_member(k, s, value, read_project);
}

const SettingType setting_project_proxies = {
        "{\"PROJECT\": \"PROXY\"}, each proxy as in UPSTREAM_PROXY",
        parse_projects,
};

static int compare_rows(const void *a, const void *b) {
        const ProxyRow *x = a, *y = b;

        return strcmp(x->row.project, y->row.project) ?:
               (x->from > y->from) - (x->from < y->from) ?:
               proxy_compare(x->row.proxy, y->row.proxy);
}

/* A key's proxy is the one of its project. */
static int rows_of_keys(ConfigCheck *k) {
        const Setting *s = config_setting("API_KEYS");

        for (size_t i = 0; i < k->config->n_keys; i++) {
                KeyConfig *key = k->config->keys + i;
                int r;

                if (!key->project || !key->proxy)
                        continue;
                r = add_row(k, s, key->project, key->proxy);
                if (r < 0)
                        return r;
                key->proxy = proxy_unref(key->proxy);
        }
        return 0;
}

static int settle_projects(ConfigCheck *k) {
        ProxySet *set = set_of(k);
        Config *c = k->config;

        if (!set)
                return -ENOMEM;
        if (set->n_rows == 0)
                return 0;
        qsort(set->rows, set->n_rows, sizeof(ProxyRow), compare_rows);
        c->project_proxies = calloc(set->n_rows, sizeof(ProjectProxy));
        if (!c->project_proxies)
                return -ENOMEM;
        for (size_t i = 0; i < set->n_rows; i++) {
                ProjectProxy *last = c->n_project_proxies > 0 ?
                                             c->project_proxies + c->n_project_proxies - 1 :
                                             NULL,
                             *row = &set->rows[i].row;

                if (!last || !streq(last->project, row->project))
                        c->project_proxies[c->n_project_proxies++] =
                                (ProjectProxy){ TAKE_PTR(row->project), TAKE_PTR(row->proxy) };
                else if (proxy_compare(last->proxy, row->proxy) != 0)
                        config_fault(k, set->rows[i].from, row->project,
                                     "must have one proxy, not both %s and %s%s", proxy_shown(last->proxy),
                                     proxy_shown(row->proxy),
                                     streq(proxy_shown(last->proxy), proxy_shown(row->proxy)) ?
                                             " with another user or password" :
                                             "");
        }
        return 0;
}

/* --- the proxy of all others --- */

/* The host of an URL that is valid; of an IPv6 address with the brackets. */
static void host_of(const char *url, char ret[static HOST_MAX]) {
        const char *host = strstr(url, "://") + strlen("://");
        size_t n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");

        (void) snprintf(ret, HOST_MAX, "%.*s", (int) n, host);
}

static bool is_loopback(const char *host) {
        char bare[HOST_MAX];
        Address a;

        (void) snprintf(bare, sizeof(bare), "%.*s", (int) strcspn(host + (*host == '['), "]"),
                        host + (*host == '['));
        return strcaseeq(bare, "localhost") || strcaseeq(bare, "localhost.") ||
               (address_parse(bare, &a) >= 0 && address_is_loopback(&a));
}

/* Takes the first of UPSTREAM_PROXY, HTTPS_PROXY and ALL_PROXY. *ret NULL: none of them is set. */
static int choose(ConfigCheck *k, const char **ret_from, Proxy **ret) {
        static const struct {
                const char *name;
                ConfigProxyText text;
        } variables[] = { { "HTTPS_PROXY", CONFIG_HTTPS_PROXY }, { "ALL_PROXY", CONFIG_ALL_PROXY } };

        size_t n;

        *ret_from = "UPSTREAM_PROXY";
        *ret = proxy_ref(set_of(k)->upstream);
        for (size_t i = 0; i < ELEMENTSOF(variables) && !*ret; i++) {
                const char *text = k->proxies[variables[i].text];

                if (!text)
                        continue;
                *ret_from = variables[i].name;
                text += strspn(text, TEXT_WHITESPACE);
                n = strlen(text);
                while (n > 0 && strchr(TEXT_WHITESPACE, text[n - 1]))
                        n--;
                return config_proxy(k, config_setting(*ret_from), NULL, text, n, ret);
        }
        return 0;
}

static size_t drop_others(Config *c, bool drop) {
        size_t n = c->n_project_proxies;

        for (size_t i = 0; i < c->n_keys; i++) {
                n += c->keys[i].proxy != NULL;
                if (drop)
                        c->keys[i].proxy = proxy_unref(c->keys[i].proxy);
        }
        if (drop)
                config_project_proxies_free(c);
        return n;
}

/* What is used, for people. */
static void tell(ConfigCheck *k, const char *from, const char *why, size_t n_others) {
        const Config *c = k->config;
        char line[2 * PROXY_SHOWN_MAX + 256], others[96] = "";

        if (n_others > 0)
                (void) snprintf(others, sizeof(others), "; %zu %s", n_others,
                                n_others == 1 ? "project or key has another setting" :
                                                "projects or keys have other settings");
        if (c->proxy)
                (void) snprintf(line, sizeof(line), "Gemini is reached through the proxy %s (%s)%s",
                                proxy_shown(c->proxy), from, others);
        else
                (void) snprintf(line, sizeof(line), "Gemini is reached directly%s%s%s",
                                *why ? ": " : ", without a proxy", why, others);
        k->say(LOG_LEVEL_INFO, line, k->userdata);
}

int config_check_proxies(ConfigCheck *k) {
        _cleanup_(proxy_unrefp) Proxy *proxy = NULL;
        const char *from, *list = k->proxies[CONFIG_NO_PROXY];
        char host[HOST_MAX] = "", why[HOST_MAX + 64] = "";
        size_t n_others;
        int r;

        r = rows_of_keys(k);
        if (r >= 0)
                r = settle_projects(k);
        if (r >= 0)
                r = choose(k, &from, &proxy);
        if (r < 0 || k->n_faults > 0)
                return r;

        host_of(k->config->gemini_base_url, host);
        n_others = drop_others(k->config, is_loopback(host));
        if (!proxy && n_others == 0)
                return 0;
        if (is_loopback(host)) {
                (void) snprintf(why, sizeof(why), "%s is this machine, and no proxy leads there", host);
                n_others = 0;
        } else if (proxy && proxy_is_none(proxy))
                (void) snprintf(why, sizeof(why), "%s is none", from);
        else if (proxy && !streq(from, "UPSTREAM_PROXY") && list && no_proxy_covers(list, host))
                (void) snprintf(why, sizeof(why), "NO_PROXY covers %s", host);
        else
                k->config->proxy = TAKE_PTR(proxy);
        tell(k, from, why, n_others);
        return 0;
}

void config_project_proxies_free(Config *c) {
        for (size_t i = 0; i < c->n_project_proxies; i++) {
                free(c->project_proxies[i].project);
                proxy_unref(c->project_proxies[i].proxy);
        }
        free(TAKE_PTR(c->project_proxies));
        c->n_project_proxies = 0;
}
