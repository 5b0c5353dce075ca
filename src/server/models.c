/* SPDX-License-Identifier: MIT */

/*
 * The list of models. One fetch at a time: it reads page after page with one key, and starts again with
 * another key if that one fails (server/upstream). Requests that arrive meanwhile wait in a queue, and are
 * handled again at its end, when the list is there.
 *
 *     no list, or an old one → fetch ──┬→ the new list, for CACHE_TIME
 *                                      ├→ failed, but there is an old list: that one, for CACHE_TIME_STALE
 *                                      └→ failed: the error, to all that wait
 *
 * The fetch goes on even if no request waits for it any more, for the next one. Google counts a list on no
 * quota, so it is not a request for any model, but it also finds dead keys.
 */

#include <errno.h>

#include "base/text.h"
#include "core/model.h"
#include "dialect/model-list.h"
#include "io/timeout.h"
#include "server/http.h"
#include "server/models.h"
#include "server/reply.h"
#include "server/routes.h"
#include "server/upstream-query.h"

#define CACHE_TIME       (10 * USEC_PER_MINUTE)
#define CACHE_TIME_STALE (30 * USEC_PER_SEC) /* the time to the next fetch after a failed one */
#define FETCH_TIME       (30 * USEC_PER_SEC) /* an answer may take minutes, a list may not */

#define SUBJECT "the list of models" /* in errors, instead of a model's name */

struct ModelList {
        Http *http;
        TimeoutQueue *deadline;
        List waiting; /* requests, in the order they came */

        GeminiList models; /* the newest list that was read to its end */
        bool known;        /* `models` has a list */
        bool outdated;     /* the fetch under way uses an old upstream */
        usec_t good_until; /* of the loop's time */

        /* the fetch */
        UpstreamQuery query;
        size_t n_pages;
        GeminiList coming;
        Timeout timeout; /* of the whole fetch */
};

/* --- the end of a fetch --- */

/* Ends the wait of all requests: with the error, or, without one, they are handled again. */
static void wake(ModelList *l, const ApiError *e) {
        List *i;

        while ((i = list_first(&l->waiting))) {
                Request *q = list_entry(i, Request, link);

                list_unlink(i);
                q->cancel = NULL;
                if (l->query.refused)
                        request_note_refusal(q, &l->query.refusal);
                else {
                        const Verdict *v = &l->query.verdict;

                        q->verdict = verdict_rule(v->class)->name;
                        verdicts_add(&q->verdicts, v->class);
                        verdicts_set_cause(&q->verdicts, v->cause);
                }
                if (e)
                        request_reply_error(q, e);
                else
                        request_handle(q);
        }
        if (l->http->p.models_done)
                l->http->p.models_done(l->http->p.userdata);
}

static void fetch_succeed(ModelList *l) {
        gemini_list_done(&l->models);
        l->models = l->coming;
        l->coming = (GeminiList){};
        timeout_stop(&l->timeout);
        l->known = true;
        l->good_until =
                loop_now(l->http->p.loop) + (l->outdated ? 1 : CACHE_TIME); /* 1: for the waiting ones */
        wake(l, NULL);
}

static void fetch_fail(ModelList *l, const ApiError *e) {
        gemini_list_done(&l->coming);
        timeout_stop(&l->timeout);
        if (l->known)
                l->good_until = loop_now(l->http->p.loop) + CACHE_TIME_STALE;
        wake(l, l->known ? NULL : e);
}

/* --- the fetch --- */

/* Starts at the first page, with the first key and with each other key. */
static void models_on_begin(UpstreamQuery *query) {
        ModelList *l = CONTAINER_OF(query, ModelList, query);

        gemini_list_done(&l->coming);
        l->n_pages = 0;
        query->page_token = NULL;
}

static int models_on_event(UpstreamQuery *query, const char *json, size_t n) {
        ModelList *l = CONTAINER_OF(query, ModelList, query);
        int r;

        r = gemini_list_add(&l->coming, json, n, &query->verdict);
        return MIN(r, 0);
}

/* A page is there, or the fetch has failed. */
static void models_on_done(UpstreamQuery *query) {
        ModelList *l = CONTAINER_OF(query, ModelList, query);
        ApiError e;

        if (query->verdict.class == VERDICT_OK && l->coming.next_page &&
            ++l->n_pages < MODEL_LIST_PAGES_MAX) {
                query->page_token = l->coming.next_page;
                if (upstream_query_continue(query) == 0)
                        return;
        }

        /* Each model would not exist for as long as this list is kept. */
        if (query->verdict.class == VERDICT_OK && l->coming.n == 0)
                verdict_init(&query->verdict, VERDICT_OVERLOAD, 200, "a list without models");
        if (query->verdict.class != VERDICT_OK)
                upstream_query_error(query, SUBJECT, &e);
        upstream_query_end(query, VERDICT_INTERNAL);
        if (query->verdict.class == VERDICT_OK)
                fetch_succeed(l);
        else
                fetch_fail(l, &e);
}

static const UpstreamQueryOps query_ops = {
        .begin = models_on_begin,
        .event = models_on_event,
        .done = models_on_done,
};

static void fetch_start(ModelList *l) {
        upstream_query_init(&l->query, &query_ops, l->http, NULL);
        l->query.method = GEMINI_LIST_MODELS;
        l->query.subject = SUBJECT;
        l->outdated = false;
        timeout_start(l->deadline, &l->timeout);
        if (upstream_query_start(&l->query) == UPSTREAM_E_ENDED)
                models_on_done(&l->query);
}

static void models_on_timeout(Timeout *t) {
        ModelList *l = CONTAINER_OF(t, ModelList, timeout);
        ApiError e;

        upstream_query_end(&l->query, VERDICT_TIMEOUT);
        verdict_init(&l->query.verdict, VERDICT_TIMEOUT, 0,
                     "Gemini did not send its list of models in time.");
        upstream_query_error(&l->query, SUBJECT, &e);
        fetch_fail(l, &e);
}

static void models_on_cancel(Request *q) {
        list_unlink(&q->link);
}

/* True if there is a list to answer with; else the request waits. */
static bool is_ready(ModelList *l, Request *q) {
        if (l->known && loop_now(l->http->p.loop) < l->good_until)
                return true;

        list_append(&l->waiting, &q->link);
        q->cancel = models_on_cancel;
        if (!upstream_query_is_under_way(&l->query))
                fetch_start(l); /* may already have answered all waiting requests, including this one */
        return false;
}

int model_list_look(ModelList *l, const char *model, bool fetch) {
        if (!l->known && fetch && !upstream_query_is_under_way(&l->query))
                fetch_start(l); /* may already have failed */
        if (l->known)
                return gemini_list_find(&l->models, model) ? 1 : 0;
        return upstream_query_is_under_way(&l->query) ? -EINPROGRESS : -ENODATA;
}

void model_list_forget(ModelList *l) {
        l->known = false;
        l->outdated = upstream_query_is_under_way(&l->query);
}

/* --- the routes --- */

/* An alias has Google's description of its model. */
static ListedModel alias_entry(const ModelList *l, const char *name, const char *model) {
        return (ListedModel){ name, gemini_list_find(&l->models, model), true };
}

/* Such a name of Gemini's that is an alias is listed as the alias. A pattern is not listed. */
static size_t list_all(const ModelList *l, const ModelListForm *form, const AliasSet *aliases,
                       ListedModel *ret) {
        size_t n = 0;

        for (size_t i = 0; i < l->models.n; i++) {
                const GeminiModel *m = &l->models.all[i];

                if (!alias_set_find_name(aliases, m->name) && model_list_takes(form, m))
                        ret[n++] = (ListedModel){ m->name, m, false };
        }
        for (size_t i = 0; i < aliases->n_names; i++)
                ret[n++] = alias_entry(l, aliases->names[i].name, aliases->names[i].model);
        return n;
}

static const char *argument(Request *q, const char *name) {
        return name ? http_request_argument(q->io, name) : NULL;
}

int models_list(Request *q, ApiError *ret_error) {
        const ModelListForm *form = model_list_form(q->errors);
        const ModelPageArguments page = {
                .limit = argument(q, form->arguments.limit),
                .after = argument(q, form->arguments.after),
                .before = argument(q, form->arguments.before),
        };
        ModelList *l = q->http->models;
        _cleanup_buf_ Buf body = BUF_INIT(MODEL_LIST_ANSWER_MAX);
        JWriter w = JWRITER_INIT(&body);
        _cleanup_free_ ListedModel *all = NULL;
        const ListedModel *models;
        bool more;
        size_t n;
        int r;

        if (!is_ready(l, q))
                return 0;

        all = calloc(l->models.n + q->config->aliases.n_names + 1, sizeof(ListedModel));
        if (!all)
                return -ENOMEM;
        models = all;
        n = list_all(l, form, &q->config->aliases, all);
        if (n == 0) { /* clients would take an empty list for a success */
                api_error_set_busy(ret_error, "Gemini lists no model that can be asked here.");
                return HANDLER_E_REFUSED;
        }
        r = model_list_page(form, &page, &models, &n, &more, ret_error);
        if (r != 0)
                return r < 0 ? r : HANDLER_E_REFUSED;
        form->list(&w, models, n, more);
        request_reply(q, 200, REPLY_JSON, &body);
        return 0;
}

static int reply_model(Request *q, const ListedModel *m) {
        _cleanup_buf_ Buf body = BUF_INIT(MODEL_LIST_ANSWER_MAX);
        JWriter w = JWRITER_INIT(&body);

        model_list_form(q->errors)->one(&w, m);
        request_reply(q, 200, REPLY_JSON, &body);
        return 0;
}

int models_get(Request *q, ApiError *ret_error) {
        ModelList *l = q->http->models;
        const GeminiModel *model;
        const char *target;
        ModelName name;

        if (strchr(q->rest, ':')) { /* {model}:{method} */
                route_set_not_allowed(ret_error, http_request_method(q->io), "POST");
                request_reply_error_with(q, ret_error, &(HttpHeader){ "Allow", "POST" }, 1);
                return 0;
        }
        if (model_name_parse(q->rest, strlen(q->rest), &name) < 0) {
                api_error_set(ret_error, 400, "model", "This is not the name of a model.");
                return HANDLER_E_REFUSED;
        }
        target = name.cli ? NULL : alias_set_find(&q->config->aliases, name.name);
        if (target) {
                ListedModel m = alias_entry(l, name.name, target); /* without a fetch for it alone */

                return reply_model(q, &m);
        }
        if (!is_ready(l, q))
                return 0;

        model = name.cli ? NULL : gemini_list_find(&l->models, name.name);
        if (!model) {
                api_error_set(ret_error, 404, "model",
                              "The model `%s%s` does not exist, or no key has access to it.",
                              name.cli ? "cli/" : "", name.name);
                return HANDLER_E_REFUSED;
        }
        if (!model_list_takes(model_list_form(q->errors), model)) {
                api_error_set(ret_error, 404, "model",
                              "The model `%s` cannot be asked here: Gemini has it for other methods than "
                              "those that are served.", name.name);
                return HANDLER_E_REFUSED;
        }
        return reply_model(q, &(ListedModel){ model->name, model, false });
}

/* --- create and free --- */

int model_list_new(Http *h, ModelList **ret) {
        _cleanup_(model_list_freep) ModelList *l = NULL;
        int r;

        l = calloc(1, sizeof(ModelList));
        if (!l)
                return -ENOMEM;
        l->http = h;
        list_init(&l->waiting);
        upstream_query_init(&l->query, &query_ops, h, NULL);
        l->timeout = TIMEOUT_INIT(l->timeout);
        r = timeout_queue_new(h->p.loop, FETCH_TIME, models_on_timeout, &l->deadline);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

ModelList *model_list_free(ModelList *l) {
        if (!l)
                return NULL;
        upstream_query_end(&l->query, VERDICT_CLIENT_GONE);
        timeout_stop(&l->timeout);
        timeout_queue_free(l->deadline);
        assert(list_is_empty(&l->waiting)); /* requests end before */
        gemini_list_done(&l->models);
        gemini_list_done(&l->coming);
        free(l);
        return NULL;
}
