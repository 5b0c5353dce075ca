/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "server/exchange/conversation.h"
#include "server/exchange/target.h"
#include "server/exchange/pin.h"

/* An alias has its own fallbacks, or else those of its model. The Gemini CLI's requests have none, because
 * their model is that of the job; nor has countTokens, which counts for the requested model. */
static const Fallback *find_fallback(const Request *q, const Target *target, const Translation *t) {
        const FallbackSet *set = &q->config->route.fallbacks;

        if (set->n == 0 || q->job || target->cli || t->native.is_fixed ||
            !gemini_method_may_fall_back(t->method))
                return NULL;
        return fallback_set_find(set, t->model) ?: fallback_set_find(set, target->model);
}

/* A key or a token in the place of a model's name, which Google, the statistics and the log would get. */
bool target_is_secret(const Request *q, const char *model) {
        char copy[MODEL_NAME_MAX + 1];

        if (token_set_has(&q->config->tokens, model, strlen(model)))
                return true;
        text_copy(copy, sizeof(copy), model);
        secret_scrub(copy, NULL);
        return !streq(copy, model);
}

/* The request is translated: by the worker, or (NULL) at once. */
static int settle(Request *q, Translation *t, const Reading *reading, Target *ret, ApiError *ret_error) {
        Target target = {};
        PinSearch search;
        int r;

        if (!q->job && target_is_secret(q, t->model)) {
                api_error_set(ret_error, 400, "model",
                              "model must be the name of a model, not a key or token.");
                return DIALECT_E_REFUSED;
        }
        if (q->job) /* the CLI's own name for it is ignored */
                memcpy(target.model, q->job->model, sizeof(target.model));
        else {
                target.cli = reading_is_for_cli(q->config, t);
                text_copy(target.model, sizeof(target.model), reading_resolve(q->config, t->model, NULL));
        }
        text_copy(q->model, sizeof(q->model), q->job ? target.model : t->model);
        q->loss = t->loss;
        text_copy(t->served, sizeof(t->served), target.model);
        if (target.cli && !t->dialect->is_chat && !t->dialect->is_cli) {
                api_error_set(
                        ret_error, 400, "model",
                        "%s is an alias of a model of the Gemini CLI, which this route cannot serve.",
                        t->model);
                return DIALECT_E_REFUSED;
        }
        if (t->dialect->names_responses && !http_request_hold(q->io, t->gemini.n)) {
                api_error_set_busy(ret_error,
                                   "Too many long conversations at once (MAX_INFLIGHT_BYTES): try again.");
                return DIALECT_E_REFUSED;
        }
        search = reading ? (PinSearch){ .names = &reading->names, .fault = reading->names_fault }
                         : (PinSearch){ .json = &t->gemini, .all = gemini_method_names_all(t->method) };
        search.path = t->native.names;
        r = pin_find(q, &search, target.pinned, ret_error);
        if (r != 0)
                return r;
        target.fallback = find_fallback(q, &target, t);
        target.conversation = target.cli ? 0 : conversation_of(q, t);
        target.translation = t;
        *ret = target;
        return 0;
}

int target_set(Request *q, Target *ret, ApiError *ret_error) {
        _cleanup_(translation_freep) Translation *t = NULL;
        int r;

        r = reading_translate(q, NULL, &t, ret_error);
        if (r == 0)
                r = settle(q, t, NULL, ret, ret_error);
        if (r != 0)
                return r;
        TAKE_PTR(t);
        if (!ret->fallback) /* else it may be translated again for another model */
                buf_done(http_request_body(q->io));
        return 0;
}

int target_take(Request *q, Reading *r, Target *ret, ApiError *ret_error) {
        int e;

        if (r->error != 0) {
                *ret_error = r->refusal;
                return r->error;
        }
        e = settle(q, r->translation, r, ret, ret_error);
        if (e != 0)
                return e;
        r->translation = NULL;
        ret->split = TAKE_PTR(r->cli);
        if (ret->fallback)
                reading_return_body(r, q);
        return 0;
}

void target_done(Target *target) {
        translation_free(target->translation);
        if (target->split)
                cli_request_done(target->split);
        free(target->split);
}

/* --- FALLBACK_MODELS --- */

/* Only the requested model's chain is used, and each of its models is tried once, so there is no loop. */
static bool was_tried(const Request *q, const Target *target, const char *model) {
        if (streq(reading_resolve(q->config, target->translation->model, NULL), model))
                return true;
        for (size_t i = 0; i < target->n_fallbacks; i++)
                if (streq(reading_resolve(q->config, target->fallback->instead[i], NULL), model))
                        return true;
        return false;
}

const char *target_next_model(Request *q, Target *target) {
        while (target_has_fallback(target)) {
                const char *next = target->fallback->instead[target->n_fallbacks];
                const char *model = reading_resolve(q->config, next, NULL);
                bool again = was_tried(q, target, model);

                target->n_fallbacks++;
                if (!again)
                        return model;
        }
        return NULL;
}

static void change_model(Request *q, Target *target, Translation *t, const char *model) {
        translation_free(target->translation);
        target->translation = t;
        text_copy(target->model, sizeof(target->model), model);
        text_copy(t->served, sizeof(t->served), model);
        q->loss = t->loss;
}

bool target_fall_back(Request *q, Target *target) {
        const char *model;

        while ((model = target_next_model(q, target))) {
                Translation *t = NULL;
                ApiError e;

                /* The request may be invalid for this model. */
                if (reading_translate(q, model, &t, &e) != 0)
                        continue;
                change_model(q, target, t, model);
                return true;
        }
        return false;
}

bool target_take_fallback(Request *q, Reading *r, Target *target) {
        reading_return_body(r, q);
        if (r->error != 0)
                return false;
        change_model(q, target, TAKE_PTR(r->translation), r->instead);
        return true;
}
