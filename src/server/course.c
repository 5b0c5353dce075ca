/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "dialect/cli-request.h"
#include "server/course.h"

/* What stands behind an alias may be asked for by way of the Gemini CLI, too. */
static const char *resolve(const Config *c, const char *name, bool *cli) {
        const char *model = config_alias(c, name), *bare = startswith(model, "cli/");

        if (bare && cli)
                *cli = true;
        return bare ?: model;
}

static const char *resolve_model(const char *name, void *userdata) {
        return resolve(userdata, name, NULL);
}

/* What the CLI sends, made what its client asked for. */
static int restore(Request *q, Buf *body, ApiError *ret_error) {
        _cleanup_buf_ Buf restored = BUF_INIT(body->n + JOB_LINE_MAX);
        bool counts = strstr(strempty(q->rest), ":countTokens");
        int r;

        r = cli_request_restore(body->n > 0 ? buf_data(body) : "", body->n, counts ? NULL : q->job->asked,
                                &restored);
        if (r == -EBADMSG) {
                api_error_set(ret_error, 400, NULL, "The request body is not JSON.");
                return DIALECT_E_REFUSED;
        }
        if (r < 0)
                return r;
        buf_done(body);
        *body = restored;
        restored = BUF_INIT(0);
        return 0;
}

static int translate(Request *q, Translation **ret, ApiError *ret_error) {
        Buf *body = http_request_body(q->io);
        int r = 0;

        if (q->job)
                r = restore(q, body, ret_error);
        if (r != 0)
                return r;
        r = q->dialect->request(
                &(DialectContext){
                        .default_model = q->config->default_model,
                        .request_id = q->id,
                        .created = clock_realtime() / USEC_PER_SEC,
                        .path_rest = q->rest,
                        .alt = http_request_argument(q->io, "alt"),
                        .resolve_model = resolve_model,
                        .userdata = q->config,
                },
                body->n > 0 ? buf_data(body) : "", body->n, ret, ret_error);
        if (r != 0)
                return r;
        buf_done(body); /* Gemini's form of it is what is needed from here on */
        return 0;
}

int course_set(Request *q, Course *ret, ApiError *ret_error) {
        _cleanup_(translation_freep) Translation *t = NULL;
        Course c = {};
        int r;

        r = translate(q, &t, ret_error);
        if (r != 0)
                return r;
        if (q->job) /* whatever the CLI calls it */
                memcpy(c.model, q->job->model, sizeof(c.model));
        else {
                c.cli = t->cli || (t->dialect->is_chat && q->config->engine == CONFIG_ENGINE_CLI);
                (void) snprintf(c.model, sizeof(c.model), "%s", resolve(q->config, t->model, &c.cli));
        }
        (void) snprintf(q->model, sizeof(q->model), "%s", q->job ? c.model : t->model);
        (void) snprintf(t->served, sizeof(t->served), "%s", c.model);
        if (c.cli && !t->dialect->is_chat && !t->dialect->is_cli) {
                api_error_set(
                        ret_error, 400, "model",
                        "%s stands for a model by way of the Gemini CLI, and this route is Gemini's own.",
                        t->model);
                return DIALECT_E_REFUSED;
        }
        c.translation = TAKE_PTR(t);
        *ret = c;
        return 0;
}
