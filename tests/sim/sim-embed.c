/* SPDX-License-Identifier: MIT */
/*
 * The same content has the same vector, and any other a different one: its numbers are those of a generator
 * that begins with a hash of the parts. All vectors of gemini-embedding-2 have length 1; of
 * gemini-embedding-001 only the full ones have it, and a shorter one is the beginning of that, as Google
 * does it.
 */
#include <math.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/json/write.h"
#include "base/text.h"
#include "sim-embed.h"
#include "sim-json.h"
#include "sim-prompt.h"

#define DIMENSIONS     3072U
#define DIMENSIONS_MIN 1U
#define REQUESTS_MAX   100U

static unsigned dimensions_of(json_object *request) {
        json_object *config = json_member(request, "embedContentConfig", "embed_content_config"),
                    *v = json_member(config, "outputDimensionality", "output_dimensionality");

        if (!v)
                v = json_member(request, "outputDimensionality", "output_dimensionality");
        return v ? (unsigned) MIN(MAX(json_object_get_int64(v), 0), (int64_t) DIMENSIONS + 1) : DIMENSIONS;
}

/* False: the message has Google's words. */
static bool check(json_object *request, const char *model, size_t i, bool single, Buf *message) {
        json_object *content = json_member(request, "content", "content"),
                    *parts = json_member(content, "parts", "parts"),
                    *name = json_member(request, "model", "model");
        unsigned n = dimensions_of(request);
        char where[64];

        if (single)
                text_copy(where, sizeof(where), "EmbedContentRequest");
        else
                (void) snprintf(where, sizeof(where), "BatchEmbedContentsRequest.requests[%zu]", i);
        if (json_length(parts) == 0)
                (void) buf_printf(message, "* %s.content: content is required\n", where);
        if (!single && !name)
                (void) buf_printf(message, "* %s.model: unexpected model name format\n", where);
        else if (name && !streq_ptr(startswith(json_object_get_string(name), "models/"), model))
                (void) buf_printf(message, "* %s.model: model must be models/%s, as in the path\n", where,
                                  model);
        if (n < DIMENSIONS_MIN || n > DIMENSIONS)
                (void) buf_printf(message, "* %s.output_dimensionality: must be between %u and %u\n", where,
                                  DIMENSIONS_MIN, DIMENSIONS);
        return message->n == 0;
}

static double next(uint64_t *state) {
        *state += UINT64_C(0x9E3779B97F4A7C15);
        return (double) (hash_mix(*state) >> 11) / (double) (UINT64_C(1) << 53) - 0.5;
}

static double length_of(uint64_t seed, unsigned n) {
        double sum = 0;

        for (unsigned i = 0; i < n; i++) {
                double v = next(&seed);

                sum += v * v;
        }
        return sqrt(sum);
}

static void write_vector(JWriter *w, json_object *request, const char *model, const char *key) {
        json_object *parts = json_member(json_member(request, "content", "content"), "parts", "parts");
        const char *text = json_object_to_json_string_ext(parts, JSON_C_TO_STRING_PLAIN);
        uint64_t seed = hash_stable(text, strlen(text)) ^ hash_stable(model, strlen(model));
        unsigned n = dimensions_of(request);
        double length = length_of(seed, streq(model, "gemini-embedding-001") ? DIMENSIONS : n);
        char number[32];

        jwrite_object(w, key);
        jwrite_array(w, "values");
        for (unsigned i = 0; i < n; i++) {
                (void) snprintf(number, sizeof(number), "%.9g", next(&seed) / length);
                jwrite_raw(w, NULL, number);
        }
        jwrite_end(w);
        jwrite_end(w);
}

static uint64_t tokens_of(json_object *request) {
        json_object *parts = json_member(json_member(request, "content", "content"), "parts", "parts");
        uint64_t bytes = 0;

        for (size_t i = 0; i < json_length(parts); i++) {
                json_object *text = json_member(json_object_array_get_idx(parts, i), "text", "text");

                bytes += text ? (uint64_t) json_object_get_string_len(text) : 1032;
        }
        return prompt_tokens_of(bytes);
}

static void write_usage(JWriter *w, uint64_t tokens) {
        jwrite_object(w, "usageMetadata");
        jwrite_uint(w, "promptTokenCount", tokens);
        jwrite_end(w);
        jwrite_end(w);
}

bool embed_answer(json_object *request, const char *model, bool single, Buf *out, Buf *message) {
        json_object *requests = json_member(request, "requests", "requests");
        JWriter w = JWRITER_INIT(out);
        uint64_t tokens = 0;

        if (single) {
                if (!check(request, model, 0, true, message))
                        return false;
                jwrite_object(&w, NULL);
                write_vector(&w, request, model, "embedding");
                write_usage(&w, tokens_of(request));
                return true;
        }

        if (json_length(requests) == 0)
                (void) buf_puts(message,
                                "* BatchEmbedContentsRequest.requests: requests is not specified\n");
        if (json_length(requests) > REQUESTS_MAX)
                (void) buf_puts(message, "* BatchEmbedContentsRequest.requests: at most 100 requests can be "
                                         "in one batch\n");
        for (size_t i = 0; i < json_length(requests) && message->n == 0; i++)
                (void) check(json_object_array_get_idx(requests, i), model, i, false, message);
        if (message->n > 0)
                return false;
        jwrite_object(&w, NULL);
        jwrite_array(&w, "embeddings");
        for (size_t i = 0; i < json_length(requests); i++) {
                write_vector(&w, json_object_array_get_idx(requests, i), model, NULL);
                tokens += tokens_of(json_object_array_get_idx(requests, i));
        }
        jwrite_end(&w);
        write_usage(&w, tokens);
        return true;
}
