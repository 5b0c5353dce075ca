/* SPDX-License-Identifier: MIT */

/*
 * POST /v1/embeddings, by Gemini's batchEmbedContents. OpenAI takes up to 2,048 inputs, Gemini 100 at a
 * time, so a long list is sent in several requests, one after the other (DIALECT_E_MORE), and answered only
 * when all are there. Each input is a request of the batch: a list of parts would become one vector.
 * OpenAI's vectors have length 1; Gemini's may be shorter if there are fewer dimensions than the model's
 * own, so their numbers are divided by the length.
 */

#include <errno.h>
#include <stdio.h>

#include "base/json/copy.h"
#include "base/text.h"
#include "dialect/json.h"
#include "dialect/openai/embeddings.h"
#include "dialect/request-model.h"

typedef struct Fields {
        JsonView model, input, format, dimensions;
        uint64_t n_dimensions; /* 0: the model's own */
} Fields;

static Embeddings *embeddings_free(Embeddings *e) {
        if (!e)
                return NULL;
        buf_done(&e->t.gemini);
        buf_done(&e->t.former);
        buf_done(&e->requests);
        buf_done(&e->data);
        free(e);
        return NULL;
}
DEFINE_CLEANUP(Embeddings *, embeddings_free);

static Translation *embeddings_translation_free(Translation *t) {
        (void) embeddings_free(CONTAINER_OF(t, Embeddings, t));
        return NULL;
}

static int check_input(JsonView v, size_t i, bool is_list, ApiError *ret_error) {
        char param[32];

        (void) snprintf(param, sizeof(param), is_list ? "input[%zu]" : "input", i);
        if (json_view_is(v, '[') || json_view_is_count(v, &(uint64_t){ 0 }))
                return dialect_refuse(ret_error, param,
                                      "%s must be a string: Gemini does not take tokens, only texts", param);
        if (!json_view_is(v, '"'))
                return dialect_refuse(ret_error, param, "%s must be a string", param);
        if (json_view_is_empty(v))
                return dialect_refuse(ret_error, param, "%s must not be an empty string", param);
        return 0;
}

/* One request of the batch. `gemini_model`: as in the path, because Google compares the two. */
static void write_input(JsonView text, const char *gemini_model, uint64_t dimensions, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        jwrite_object(&w, NULL);
        (void) buf_printf(out, "\"model\":\"models/%s\"", gemini_model);
        w.comma = true;
        jwrite_object(&w, "content");
        jwrite_array(&w, "parts");
        jwrite_object(&w, NULL);
        json_copy_value(&w, "text", text);
        jwrite_end(&w);
        jwrite_end(&w);
        jwrite_end(&w);
        if (dimensions > 0)
                jwrite_uint(&w, "outputDimensionality", dimensions);
        jwrite_end(&w);
}

static int add_input(Embeddings *e, const Fields *f, const char *model, JsonView text) {
        if (e->n == EMBEDDINGS_MAX)
                return -E2BIG;
        if (e->n % EMBEDDINGS_ROUND > 0)
                (void) buf_putc(&e->requests, ',');
        else
                e->rounds[e->n / EMBEDDINGS_ROUND] = e->requests.n;
        write_input(text, model, f->n_dimensions, &e->requests);
        e->n++;
        return e->requests.error;
}

static int read_inputs(Embeddings *e, const Fields *f, const char *model, ApiError *ret_error) {
        JsonCursor c = json_enter_array(f->input);
        JsonView v;
        int r;

        if (!json_view_is(f->input, '[')) {
                r = check_input(f->input, 0, false, ret_error);
                return r != 0 ? r : add_input(e, f, model, f->input);
        }
        for (size_t i = 0; json_next(&c, NULL, &v); i++) {
                r = check_input(v, i, true, ret_error);
                if (r != 0)
                        return r;
                r = add_input(e, f, model, v);
                if (r == -E2BIG)
                        return dialect_refuse(ret_error, "input", "input must not have more than %u texts",
                                              EMBEDDINGS_MAX);
                if (r < 0)
                        return r;
        }
        return e->n > 0 ? 0 : dialect_refuse(ret_error, "input", "input must not be empty");
}

static int read_fields(JsonView root, Fields *ret, bool *ret_base64, ApiError *ret_error) {
        const JsonMember members[] = {
                JSON_MEMBER("model", &ret->model),
                JSON_MEMBER("input", &ret->input),
                JSON_MEMBER("encoding_format", &ret->format),
                JSON_MEMBER("dimensions", &ret->dimensions),
        };

        json_view_members(root, members, ELEMENTSOF(members));
        if (json_view_is_null(ret->model))
                return dialect_refuse(ret_error, "model", "model is required");
        if (json_view_is_null(ret->input))
                return dialect_refuse(ret_error, "input", "input is required");
        *ret_base64 = json_view_equals(ret->format, "base64");
        if (!json_view_is_null(ret->format) && !*ret_base64 && !json_view_equals(ret->format, "float"))
                return dialect_refuse(ret_error, "encoding_format",
                                      "encoding_format must be float or base64");
        if (!json_view_is_null(ret->dimensions) &&
            (json_view_is(ret->dimensions, '"') ||
             !json_view_is_count(ret->dimensions, &ret->n_dimensions) || ret->n_dimensions < 1 ||
             ret->n_dimensions > EMBEDDING_DIMENSIONS_MAX))
                return dialect_refuse(ret_error, "dimensions", "dimensions must be between 1 and %u",
                                      EMBEDDING_DIMENSIONS_MAX);
        return 0;
}

static Embeddings *embeddings_new(size_t n_body) {
        Embeddings *e = calloc(1, sizeof(Embeddings));

        if (!e)
                return NULL;
        e->t.dialect = &dialect_openai_embeddings;
        e->t.method = GEMINI_EMBED_BATCH;
        /* Each input of two bytes becomes a request with the model's name; its text may grow by escapes. */
        e->requests = BUF_INIT(6 * n_body + EMBEDDINGS_MAX * (MODEL_NAME_MAX + 128));
        e->t.gemini = BUF_INIT(e->requests.max + 64);
        e->data = BUF_INIT(EMBEDDINGS_ANSWER_MAX);
        return e;
}

static int translate(const DialectContext *c, JsonView root, Embeddings *e, ApiError *ret_error) {
        Fields f = {};
        int r;

        r = read_fields(root, &f, &e->base64, ret_error);
        if (r != 0)
                return r;
        if (request_model_view(c, f.model, &e->t) < 0)
                return dialect_refuse(ret_error, "model", "model must be the name of a model");
        r = read_inputs(e, &f, dialect_model(c, e->t.model), ret_error);
        if (r != 0)
                return r;
        embeddings_write_round(e);
        return e->t.gemini.error;
}

static int embeddings_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                              ApiError *ret_error) {
        _cleanup_(embeddings_freep) Embeddings *e = embeddings_new(n);
        JsonIndex index = {};
        JsonView root;
        int r;

        if (!e)
                return -ENOMEM;
        r = json_index_body(body, n, &index, &root, ret_error);
        if (r == 0)
                r = translate(c, root, e, ret_error);
        json_index_done(&index);
        if (r != 0)
                return r;
        *ret = &TAKE_PTR(e)->t;
        return 0;
}

const Dialect dialect_openai_embeddings = {
        .name = "openai-embeddings",
        .request = embeddings_request,
        .event = embeddings_event,
        .finish = embeddings_finish,
        .reset = embeddings_reset,
        .free = embeddings_translation_free,
};
