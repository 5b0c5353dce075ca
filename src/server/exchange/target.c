/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "dialect/cli/request.h"
#include "dialect/gemini/event.h"
#include "server/exchange/conversation.h"
#include "server/exchange/target.h"
#include "server/exchange/pin.h"

/* An alias may also lead to a model of the Gemini CLI (`cli/`). */
static const char *resolve(const Config *c, const char *name, bool *cli) {
        const char *model = config_alias(c, name), *bare = startswith(model, "cli/");

        if (bare && cli)
                *cli = true;
        return bare ?: model;
}

static const char *resolve_model(const char *name, void *userdata) {
        return resolve(userdata, name, NULL);
}

/* The fallback model replaces the request's model. */
static const char *resolve_fallback(const char *name _unused_, void *userdata) {
        return userdata;
}

/* Restores the client's request from the CLI's. */
static int restore(Request *q, Buf *body, ApiError *ret_error) {
        _cleanup_buf_ Buf restored = BUF_INIT(body->n + JOB_LINE_MAX);
        GeminiMethod method;
        size_t n_model;
        bool generates;
        int r;

        generates = gemini_method_of_path(strempty(q->rest), &n_model, &method) < 0 ||
                    gemini_method_generates(method);
        r = cli_request_restore(body->n > 0 ? buf_data(body) : "", body->n,
                                generates ? q->job->asked : NULL, &restored, ret_error);
        if (r != 0)
                return r;
        buf_done(body);
        *body = restored;
        restored = BUF_INIT(0);
        return 0;
}

static const char *request_header(const char *name, void *request) {
        return http_request_header(request, name);
}

static const char *request_argument(const char *name, void *request) {
        return http_request_argument(request, name);
}

/* `instead`: a model that replaces the one in the request; or NULL. */
static int translate(Request *q, const char *instead, Translation **ret, ApiError *ret_error) {
        Buf *body = http_request_body(q->io);

        return q->dialect->request(
                &(DialectContext){
                        .default_model = q->config->default_model,
                        .request_id = q->id,
                        .created = clock_realtime() / USEC_PER_SEC,
                        .path_rest = q->rest,
                        .must_finish = q->inner,
                        .store = q->config->route.store,
                        .store_is_told = q->config->route.store_is_told,
                        .header = request_header,
                        .argument = request_argument,
                        .request = q->io,
                        .resolve_model = instead ? resolve_fallback : resolve_model,
                        .userdata = instead ? (void *) (uintptr_t) instead : q->config,
                },
                body->n > 0 ? buf_data(body) : "", body->n, ret, ret_error);
}

/* An alias has its own fallbacks, or else those of its model. The Gemini CLI's requests have none, because
 * their model is that of the job; nor has countTokens, which counts for the requested model. */
static const Fallback *find_fallback(const Request *q, const Target *target, const Translation *t) {
        const FallbackSet *set = &q->config->route.fallbacks;

        if (set->n == 0 || q->job || target->cli || !translation_generates(t))
                return NULL;
        return fallback_set_find(set, t->model) ?: fallback_set_find(set, target->model);
}

int target_set(Request *q, Target *ret, ApiError *ret_error) {
        _cleanup_(translation_freep) Translation *t = NULL;
        Target target = {};
        int r = 0;

        if (q->job)
                r = restore(q, http_request_body(q->io), ret_error);
        if (r == 0)
                r = translate(q, NULL, &t, ret_error);
        if (r != 0)
                return r;
        if (q->job) /* the CLI's own name for it is ignored */
                memcpy(target.model, q->job->model, sizeof(target.model));
        else {
                target.cli = t->cli || (t->dialect->is_chat && q->config->engine == CONFIG_ENGINE_CLI);
                text_copy(target.model, sizeof(target.model), resolve(q->config, t->model, &target.cli));
        }
        text_copy(q->model, sizeof(q->model), q->job ? target.model : t->model);
        text_copy(t->served, sizeof(t->served), target.model);
        if (target.cli && !t->dialect->is_chat && !t->dialect->is_cli) {
                api_error_set(
                        ret_error, 400, "model",
                        "%s is an alias of a model of the Gemini CLI, which this route cannot serve.",
                        t->model);
                return DIALECT_E_REFUSED;
        }
        r = pin_find(q, &t->gemini, target.pinned, ret_error);
        if (r != 0)
                return r;
        target.fallback = find_fallback(q, &target, t);
        if (!target.fallback) /* else it may be translated again for another model */
                buf_done(http_request_body(q->io));
        target.conversation = target.cli ? 0 : conversation_of(q, t);
        target.translation = TAKE_PTR(t);
        *ret = target;
        return 0;
}

/* Only the requested model's chain is used, and each of its models is tried once, so there is no loop. */
static bool was_tried(const Request *q, const Target *target, const char *model) {
        if (streq(resolve(q->config, target->translation->model, NULL), model))
                return true;
        for (size_t i = 0; i < target->n_fallbacks; i++)
                if (streq(resolve(q->config, target->fallback->instead[i], NULL), model))
                        return true;
        return false;
}

bool target_fall_back(Request *q, Target *target) {
        while (target_has_fallback(target)) {
                const char *model = resolve(q->config, target->fallback->instead[target->n_fallbacks], NULL);
                bool again = was_tried(q, target, model);
                Translation *t = NULL;
                ApiError e;

                target->n_fallbacks++;
                /* The request may be invalid for this model. */
                if (again || translate(q, model, &t, &e) != 0)
                        continue;
                translation_free(target->translation);
                target->translation = t;
                text_copy(target->model, sizeof(target->model), model);
                text_copy(t->served, sizeof(t->served), model);
                return true;
        }
        return false;
}
