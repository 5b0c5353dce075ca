/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/day-clock.h"
#include "core/model.h"
#include "dialect/gemini/path.h"
#include "dialect/json.h"
#include "engine/engine-cli.h"
#include "pool/reset.h"
#include "server/admin/internal.h"
#include "server/admin/long-answer.h"
#include "server/admin/manage.h"
#include "server/http.h"
#include "server/reply.h"
#include "server/routes.h"

#define SMALL_ANSWER_MAX (1U << 20) /* of routes whose answer grows only with the configuration */

/* --- GET / --- */

/* A prefix is shown with a placeholder for its rest. */
static void write_path(JWriter *w, const char *path) {
        size_t n = strlen(path);
        char s[128];

        (void) snprintf(s, sizeof(s), "%s%s", path, n > 1 && path[n - 1] == '/' ? "{id}" : "");
        jwrite_string(w, "path", s);
}

/* The rest of Google's API, which has the same paths under /v1 and /v1alpha. */
static void write_google(JWriter *w) {
        const GeminiPath *rows;
        size_t n;

        rows = gemini_paths(&n);
        for (size_t i = 0; i < n; i++) {
                if (rows[i].way == GEMINI_WAY_EXCHANGE || rows[i].way == GEMINI_WAY_MODELS)
                        continue; /* they are above */
                jwrite_object(w, NULL);
                jwrite_string(w, "method", rows[i].method);
                jwrite_string(w, "path", rows[i].path);
                jwrite_string(w, "description",
                              rows[i].way == GEMINI_WAY_REFUSED ? "is refused" : "as in Google's API");
                jwrite_end(w);
        }
}

static void write_routes(JWriter *w) {
        const Route *routes;
        size_t n;

        routes = routes_all(&n);
        jwrite_array(w, "routes");
        for (size_t i = 0; i < n; i++) {
                jwrite_object(w, NULL);
                jwrite_string(w, "method", routes[i].method);
                write_path(w, routes[i].path);
                jwrite_string(w, "description", routes[i].what);
                jwrite_end(w);
        }
        write_google(w);
        jwrite_end(w);
}

/* Programs ask for this path to see whether anything is there, before they have a token. */
int manage_root(Request *q, ApiError *ret_error _unused_) {
        _cleanup_buf_ Buf body = BUF_INIT(SMALL_ANSWER_MAX);
        JWriter w = JWRITER_INIT(&body);

        jwrite_object(&w, NULL);
        jwrite_string(&w, "name", "gemgate");
        jwrite_string(&w, "description", "A gateway to Google's Gemini API. Its paths need a token.");
        if (q->token)
                write_routes(&w);
        jwrite_end(&w);
        request_reply(q, 200, REPLY_JSON, &body);
        return 0;
}

/* --- GET /health --- */

/* Counts keys that are not disabled: a pool without any does not recover by itself. */
static const char *health_status(size_t usable, size_t total) {
        if (total == 0)
                return "no_keys";
        return usable == total ? "healthy" : "degraded";
}

int manage_health(Request *q, ApiError *ret_error _unused_) {
        _cleanup_buf_ Buf body = BUF_INIT(SMALL_ANSWER_MAX);
        JWriter w = JWRITER_INIT(&body);
        Http *h = q->http;
        usec_t now = day_clock_now();
        size_t usable = pool_usable_keys(h->p.pool, now), total = pool_enabled_keys(h->p.pool);
        EngineCliStatus cli;

        engine_cli_status(h->p.cli, &cli);
        jwrite_object(&w, NULL);
        jwrite_string(&w, "status", health_status(usable, total));
        jwrite_uint(&w, "timestamp", clock_realtime() / USEC_PER_SEC);
        jwrite_bool(&w, "gemini_cli_available", cli.available);
        if (q->token) {
                jwrite_string(&w, "version", GEMGATE_VERSION);
                jwrite_uint(&w, "uptime", usec_sub(now, h->started) / USEC_PER_SEC);
                jwrite_object(&w, "keys");
                jwrite_uint(&w, "usable", usable);
                jwrite_uint(&w, "total", total);
                jwrite_end(&w);
                if (cli.version[0])
                        jwrite_string(&w, "gemini_cli_version", cli.version);
                jwrite_string(&w, "isolation", cli.isolation);
        }
        jwrite_end(&w);
        request_reply(q, 200, REPLY_JSON, &body);
        return 0;
}

/* --- POST /reset-api-key-health --- */

typedef struct ResetOrder {
        bool all;
        const char *pattern, *model; /* or NULL */
} ResetOrder;

/* Unknown members are refused: a misspelt one must not turn the reset of one model into one of all. */
static int reset_check_members(struct json_object *o, ApiError *ret_error) {
        static const struct {
                const char *name;
                enum json_type type;
                const char *what;
        } members[] = {
                { "reset_all", json_type_boolean, "true or false" },
                { "api_key_pattern", json_type_string, "a string: a key's mask or name" },
                { "model", json_type_string, "a string: a model's name" },
        };

        json_object_object_foreach(o, name, value) {
                size_t i = 0;

                while (i < ELEMENTSOF(members) && !streq(members[i].name, name))
                        i++;
                if (i == ELEMENTSOF(members)) {
                        api_error_set(ret_error, 400, name,
                                      "There is no such member: only reset_all, api_key_pattern and model.");
                        return HANDLER_E_REFUSED;
                }
                if (value && !json_object_is_type(value, members[i].type)) {
                        api_error_set(ret_error, 400, name, "%s must be %s.", name, members[i].what);
                        return HANDLER_E_REFUSED;
                }
        }
        return 0;
}

static int reset_read(const Config *c, struct json_object *o, ModelName *model, ResetOrder *ret,
                      ApiError *ret_error) {
        struct json_object *name = json_get(o, "model");
        ResetOrder order = {
                .all = json_object_get_boolean(json_get(o, "reset_all")),
                .pattern = json_get_string(o, "api_key_pattern"),
        };
        const char *s;
        size_t n;

        if (order.pattern && (order.all || !*order.pattern)) {
                api_error_set(ret_error, 400, "api_key_pattern",
                              order.all ? "Name either reset_all or api_key_pattern."
                                        : "A mask or name is not empty.");
                return HANDLER_E_REFUSED;
        }
        s = json_string(name, &n);
        if (s) {
                if (model_name_parse(s, n, model) < 0 || model->cli) {
                        api_error_set(ret_error, 400, "model", "This is not the name of a model.");
                        return HANDLER_E_REFUSED;
                }
                order.model = config_alias(c, model->name);
                order.model = startswith(order.model, "cli/") ?: order.model; /* it uses the same keys */
        }
        if (!order.all && !order.pattern && !order.model) {
                api_error_set(ret_error, 400, NULL,
                              "Name what to reset: {\"reset_all\": true}, {\"api_key_pattern\": MASK or "
                              "name}, or {\"model\": NAME}.");
                return HANDLER_E_REFUSED;
        }
        *ret = order;
        return 0;
}

typedef struct ResetAnswer {
        Pool *pool;
        char *pattern, *model; /* or NULL */
        PoolReset *reset;
} ResetAnswer;

static int reset_begin(void *answer, Buf *body _unused_) {
        ResetAnswer *a = answer;

        a->reset = pool_reset_free(a->reset);
        return pool_reset_new(a->pool, a->pattern, a->model, &a->reset);
}

static void reset_write(const ResetAnswer *a, Buf *body) {
        unsigned n = pool_reset_count(a->reset);
        const char *whom = a->pattern ? "the keys of that name or mask" : n > 0 ? "every key" : "any key";
        const char *where = a->model ?: n > 0 ? "every model" : "any model";
        char message[MODEL_NAME_MAX + 128];
        JWriter w = JWRITER_INIT(body);

        if (n > 0)
                (void) snprintf(message, sizeof(message), "%u %s lifted: %s, %s.", n,
                                n == 1 ? "block was" : "blocks were", whom, where);
        else
                (void) snprintf(message, sizeof(message), "No block to lift for %s and %s.", whom, where);
        jwrite_object(&w, NULL);
        jwrite_string(&w, "message", message);
        jwrite_uint(&w, "reset_count", n);
        jwrite_end(&w);
}

static int reset_step(void *answer, Buf *body) {
        ResetAnswer *a = answer;
        int r;

        r = pool_reset_step(a->reset, day_clock_now(), UPDATE_SLICE_KEYS);
        if (r == 0)
                reset_write(a, body);
        return r;
}

/* The error does not repeat the pattern, because it may be a whole key. */
static int reset_refuse(int r, ApiError *ret_error) {
        if (r != -ENXIO)
                return r;
        api_error_set(ret_error, 404, NULL, "No key of the configuration and no model in use fits.");
        return HANDLER_E_REFUSED;
}

static void reset_free(void *answer) {
        ResetAnswer *a = answer;

        pool_reset_free(a->reset);
        free(a->pattern);
        free(a->model);
        free(a);
}

int manage_reset(Request *q, ApiError *ret_error) {
        static const LongAnswerOps ops = {
                .begin = reset_begin, .step = reset_step, .free = reset_free, .refuse = reset_refuse,
        };
        _cleanup_json_ struct json_object *o = NULL;
        ResetOrder order;
        ResetAnswer *a;
        ModelName model;
        int r;

        r = request_json(q, &o, ret_error);
        if (r == 0)
                r = reset_check_members(o, ret_error);
        if (r == 0)
                r = reset_read(q->config, o, &model, &order, ret_error);
        if (r != 0)
                return r;

        a = calloc(1, sizeof(ResetAnswer));
        if (!a)
                return -ENOMEM;
        a->pool = q->http->p.pool;
        a->pattern = order.pattern ? strdup(order.pattern) : NULL;
        a->model = order.model ? strdup(order.model) : NULL;
        if ((order.pattern && !a->pattern) || (order.model && !a->model)) {
                reset_free(a);
                return -ENOMEM;
        }
        return long_answer_start(q, &ops, a, ret_error);
}

/* --- GET /ip-config, POST /test-ip --- */

/* An address's host bits all set to 0, or all to 1. */
static Address range_end(const Cidr *rule, bool last) {
        Address a = rule->address;

        for (unsigned i = rule->bits; i < 128; i++) {
                uint8_t bit = (uint8_t) (0x80U >> i % 8);

                a.bytes[i / 8] = (uint8_t) (last ? a.bytes[i / 8] | bit : a.bytes[i / 8] & ~bit);
        }
        return a;
}

static void explain_rule(JWriter *w, const Cidr *rule) {
        char from[ADDRESS_STRING_MAX], to[ADDRESS_STRING_MAX], text[2 * ADDRESS_STRING_MAX + 32];
        Address first = range_end(rule, false), last = range_end(rule, true);

        address_format(&first, from);
        address_format(&last, to);
        if (rule->any)
                (void) snprintf(text, sizeof(text), "every address");
        else if (rule->bits == 128)
                (void) snprintf(text, sizeof(text), "the address %s alone", from);
        else
                (void) snprintf(text, sizeof(text), "every address from %s to %s", from, to);
        jwrite_string(w, rule->text, text);
}

/* A rule that is configured twice is shown once: a JSON object must not have a member twice. */
static bool rule_is_repeated(const CidrSet *set, size_t i) {
        for (size_t k = 0; k < i; k++)
                if (streq(set->rules[k].text, set->rules[i].text))
                        return true;
        return false;
}

int manage_ip_config(Request *q, ApiError *ret_error _unused_) {
        const CidrSet *set = &q->config->allowed_ips;
        _cleanup_buf_ Buf body = BUF_INIT(SMALL_ANSWER_MAX);
        JWriter w = JWRITER_INIT(&body);

        jwrite_object(&w, NULL);
        jwrite_array(&w, "allowed_ips");
        for (size_t i = 0; i < set->n; i++)
                jwrite_string(&w, NULL, set->rules[i].text);
        jwrite_end(&w);
        jwrite_object(&w, "ip_rules_explanation");
        for (size_t i = 0; i < set->n; i++)
                if (!rule_is_repeated(set, i))
                        explain_rule(&w, &set->rules[i]);
        jwrite_string(&w, "otherwise",
                      "Clients of a unix socket may connect: the socket's permissions decide. "
                      "Any other address is answered with 403, on all routes but /health.");
        jwrite_end(&w);
        jwrite_end(&w);
        request_reply(q, 200, REPLY_JSON, &body);
        return 0;
}

int manage_test_ip(Request *q, ApiError *ret_error) {
        _cleanup_json_ struct json_object *o = NULL;
        _cleanup_buf_ Buf body = BUF_INIT(SMALL_ANSWER_MAX);
        JWriter w = JWRITER_INIT(&body);
        char client[ADDRESS_STRING_MAX];
        const Cidr *rule;
        const char *s;
        Address a;
        size_t n;
        int r;

        r = request_json(q, &o, ret_error);
        if (r != 0)
                return r;
        s = json_string(json_get(o, "test_ip"), &n);
        if (!s || strlen(s) != n || address_parse(s, &a) < 0) {
                api_error_set(ret_error, 400, "test_ip",
                              "test_ip must be an IPv4 or IPv6 address: 192.0.2.7, 2001:db8::7.");
                return HANDLER_E_REFUSED;
        }

        rule = cidr_set_match(&q->config->allowed_ips, &a);
        request_client_format(q, client);
        jwrite_object(&w, NULL);
        jwrite_string(&w, "test_ip", s);
        jwrite_bool(&w, "is_allowed", rule);
        jwrite_string(&w, "current_client_ip", client);
        jwrite_string(&w, "matched_rule", rule ? rule->text : NULL);
        jwrite_end(&w);
        request_reply(q, 200, REPLY_JSON, &body);
        return 0;
}
