/* SPDX-License-Identifier: MIT */

/* GET /explain: what the model takes, and why each key would or would not serve it now. pool/explain has the
 * reasons, which gemgatectl and D-Bus also show. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "core/day-clock.h"
#include "core/model.h"
#include "pool/explain.h"
#include "server/admin/internal.h"
#include "server/admin/long-answer.h"
#include "server/admin/manage.h"
#include "server/http.h"
#include "server/models.h"
#include "server/reply.h"

static const char *const ceiling_names[_CEILING_MAX] = {
        [CEILING_RPM] = "rpm",
        [CEILING_TPM] = "tpm",
        [CEILING_RPD] = "rpd",
};

typedef struct Explanation {
        const Http *http;
        Config *config; /* a reference */
        ModelName model;
        JWriter writer;
        PoolExplain *explain;
        usec_t now;
} Explanation;

static void write_ceilings(JWriter *w, const PoolReason *r) {
        jwrite_object(w, "ceilings");
        for (size_t i = 0; i < _CEILING_MAX; i++) {
                if (r->ceilings[i].source == CEILING_UNKNOWN)
                        continue;
                jwrite_object(w, ceiling_names[i]);
                jwrite_uint(w, "limit", r->ceilings[i].limit);
                jwrite_uint(w, "used", r->ceilings[i].used);
                jwrite_string(w, "known", ceiling_source_to_string(r->ceilings[i].source));
                jwrite_end(w);
        }
        jwrite_end(w);
}

static void write_reason(const PoolReason *r, void *userdata) {
        Explanation *e = userdata;
        const Http *h = e->http;
        JWriter *w = &e->writer;
        PoolKeyView v;

        pool_key_view(h->p.pool, r->key, e->now, &v);
        jwrite_object(w, NULL);
        jwrite_string(w, "key", v.mask);
        jwrite_string(w, "name", v.name);
        jwrite_string(w, "project", v.project);
        jwrite_bool(w, "usable", r->usable);
        jwrite_string(w, "state", pool_state_to_string(r->state));
        manage_write_time(w, "available_at", h->p.zone, r->available_at);
        jwrite_string(w, "reason", r->sentence);
        write_ceilings(w, r);
        jwrite_end(w);
}

/* The model without the prefix cli/, which uses the same keys. */
static int read_model(Request *q, ModelName *ret, ApiError *ret_error) {
        const char *given = http_request_argument(q->io, "model");
        _cleanup_free_ char *decoded = strdup(strempty(given));
        const char *model;

        if (!decoded)
                return -ENOMEM;
        if (text_percent_decode(decoded) < 0 ||
            (*decoded && model_name_parse(decoded, strlen(decoded), ret) < 0)) {
                api_error_set(ret_error, 400, "model",
                              "model must be a model's name, of letters, digits, '.', '_' and '-'.");
                return HANDLER_E_REFUSED;
        }
        model = config_alias(q->config, *decoded ? ret->name : q->config->default_model);
        return MIN(model_name_parse(model, strlen(model), ret), 0);
}

static int explain_begin(void *answer, Buf *body) {
        Explanation *e = answer;
        int listed;

        e->writer = JWRITER_INIT(body);
        jwrite_object(&e->writer, NULL);
        jwrite_string(&e->writer, "model", e->model.name);
        listed = model_list_look(e->http->models, e->model.name, false);
        if (listed >= 0)
                jwrite_bool(&e->writer, "listed", listed > 0);
        else
                jwrite_null(&e->writer, "listed");
        manage_write_rules(&e->writer, model_rules_find(&e->config->route.rules, e->model.name));
        jwrite_array(&e->writer, "keys");
        e->explain = pool_explain_free(e->explain);
        return pool_explain_new(e->http->p.pool, e->model.name, &e->explain);
}

static int explain_step(void *answer, Buf *body _unused_) {
        Explanation *e = answer;
        int r;

        e->now = day_clock_now();
        r = pool_explain_step(e->explain, e->now, STATS_SLICE_ROWS, write_reason, e);
        if (r == 0) {
                jwrite_end(&e->writer);
                jwrite_end(&e->writer);
        }
        return r;
}

static void explain_free(void *answer) {
        Explanation *e = answer;

        pool_explain_free(e->explain);
        config_unref(e->config);
        free(e);
}

int manage_explain(Request *q, ApiError *ret_error) {
        static const LongAnswerOps ops = {
                .begin = explain_begin, .step = explain_step, .free = explain_free, .key_size = 256,
        };
        _cleanup_free_ Explanation *e = calloc(1, sizeof(Explanation));
        int r;

        if (!e)
                return -ENOMEM;
        e->http = q->http;
        r = read_model(q, &e->model, ret_error);
        if (r != 0)
                return r;
        e->config = config_ref(q->config);
        return long_answer_start(q, &ops, TAKE_PTR(e), ret_error);
}
