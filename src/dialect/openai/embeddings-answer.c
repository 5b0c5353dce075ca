/* SPDX-License-Identifier: MIT */

/* The vectors of an answer are read once, made to length 1, and written as OpenAI has them. Numbers of a
 * vector that has that length already are passed on as they are: most have, and writing a number takes
 * longer than reading it. */

#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "base/base64.h"
#include "dialect/gemini/error.h"
#include "dialect/openai/embeddings.h"

#define FRAME_MAX 1024U /* of an answer, around the vectors */
#define LENGTH_TOLERANCE 1e-3 /* of the squared length: float32 sums of 3,072 numbers are closer to 1 */

void embeddings_write_round(Embeddings *e) {
        size_t first = e->rounds[e->begin / EMBEDDINGS_ROUND], end;
        Buf request = BUF_INIT(e->t.gemini.max);

        e->end = MIN(e->begin + EMBEDDINGS_ROUND, e->n);
        end = e->end < e->n ? e->rounds[e->end / EMBEDDINGS_ROUND] : e->requests.n;
        e->n_data = e->data.n;
        e->n_found = 0;
        (void) buf_puts(&request, "{\"requests\":[");
        (void) buf_append(&request, buf_data(&e->requests) + first, end - first);
        (void) buf_puts(&request, "]}");
        translation_change(&e->t, &request); /* a hedge may still be sending the one before */
}

static void write_base64(const double *values, size_t n, double scale, Buf *out) {
        uint8_t bytes[3 * 256]; /* a multiple of 3 and of 4 */
        size_t k = 0;

        (void) buf_putc(out, '"');
        for (size_t i = 0; i < n; i++) {
                float f = (float) (values[i] * scale);
                uint32_t v;

                memcpy(&v, &f, sizeof(v));
                v = htole32(v);
                memcpy(bytes + k, &v, sizeof(v));
                k += sizeof(v);
                if (k == sizeof(bytes) || i + 1 == n) {
                        (void) base64_append(out, bytes, k);
                        k = 0;
                }
        }
        (void) buf_putc(out, '"');
}

/* As "%.9g": a float32 needs nine digits. An answer has up to 100 vectors of 3,072 numbers, which are all
 * written in one turn of the loop; printf() takes ten times as long. */
static void write_float(double f, Buf *out) {
        static const struct {
                double least, scale;
                unsigned decimals;
        } rows[] = { { 1e-1, 1e9, 9 }, { 1e-2, 1e10, 10 }, { 1e-3, 1e11, 11 }, { 1e-4, 1e12, 12 } };
        double size = fabs(f);
        char text[16], *p = text + sizeof(text);
        unsigned decimals;
        uint64_t digits;
        size_t i = 0;

        while (i < ELEMENTSOF(rows) && size < rows[i].least)
                i++;
        if (i == ELEMENTSOF(rows) || !(size < 1)) {
                (void) buf_printf(out, "%.9g", f);
                return;
        }
        digits = (uint64_t) (size * rows[i].scale + 0.5);
        for (decimals = rows[i].decimals; digits % 10 == 0; digits /= 10)
                decimals--;
        for (; decimals > 0; decimals--, digits /= 10)
                *--p = (char) ('0' + digits % 10);
        *--p = '.';
        *--p = '0';
        if (f < 0)
                *--p = '-';
        (void) buf_append(out, p, (size_t) (text + sizeof(text) - p));
}

static void write_floats(const double *values, size_t n, double scale, Buf *out) {
        (void) buf_putc(out, '[');
        for (size_t i = 0; i < n; i++) {
                if (i > 0)
                        (void) buf_putc(out, ',');
                write_float((double) (float) (values[i] * scale), out);
        }
        (void) buf_putc(out, ']');
}

/* -EBADMSG: it is not an array of numbers, too long, or has no length; *ret_n is 0 for an empty one. */
static int read_values(JsonView array, double ret[static EMBEDDING_DIMENSIONS_MAX], size_t *ret_n,
                       double *ret_squares) {
        JsonCursor c = json_enter_array(array);
        JsonView v;
        size_t n = 0;

        *ret_squares = 0;
        while (json_next(&c, NULL, &v)) {
                if (n == EMBEDDING_DIMENSIONS_MAX || !json_view_is_double(v, &ret[n]))
                        return -EBADMSG;
                *ret_squares += ret[n] * ret[n];
                n++;
        }
        *ret_n = n;
        return json_view_is(array, '[') && isfinite(*ret_squares) ? 0 : -EBADMSG;
}

static bool is_unit(double squares) {
        return squares > 1 - LENGTH_TOLERANCE && squares < 1 + LENGTH_TOLERANCE;
}

static int add_vector(Embeddings *e, JsonView array) {
        static double values[EMBEDDING_DIMENSIONS_MAX]; /* answers are read on the loop's thread alone */
        double squares, scale;
        size_t n;
        int r;

        r = read_values(array, values, &n, &squares);
        if (r < 0 || n == 0)
                return -EBADMSG;
        scale = is_unit(squares) || squares <= 0 ? 1 : 1 / sqrt(squares);
        if (e->data.n > 0)
                (void) buf_putc(&e->data, ',');
        (void) buf_printf(&e->data, "{\"object\":\"embedding\",\"index\":%zu,\"embedding\":",
                          e->begin + e->n_found);
        if (e->base64)
                write_base64(values, n, scale, &e->data);
        else if (scale == 1)
                (void) buf_append(&e->data, array.p, (size_t) (array.end - array.p));
        else
                write_floats(values, n, scale, &e->data);
        (void) buf_putc(&e->data, '}');
        e->n_found++;
        return e->data.error;
}

int embeddings_event(Translation *t, const char *json, size_t n, Buf *out _unused_, Verdict *ret_verdict) {
        Embeddings *e = CONTAINER_OF(t, Embeddings, t);
        JsonCursor vectors;
        GeminiEvent event;
        JsonView v;
        int r;

        r = gemini_event_parse(json, n, &event, ret_verdict);
        if (r != 0)
                return r;
        if (event.is_foreign) {
                gemini_error_classify(200, json, n, t->key, ret_verdict);
                return DIALECT_E_VERDICT;
        }
        gemini_event_count(&event, &t->counts, &t->usage);
        vectors = json_enter_array(json_view_get(event.root, "embeddings"));
        while (e->n_found < e->end - e->begin && json_next(&vectors, NULL, &v)) {
                r = add_vector(e, json_view_get(v, "values"));
                if (r == -EBADMSG)
                        break; /* finish() finds that one is missing */
                if (r < 0)
                        return r;
        }
        return 0;
}

static void write_answer(const Embeddings *e, uint64_t tokens, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        jwrite_object(&w, NULL);
        jwrite_string(&w, "object", "list");
        jwrite_array(&w, "data");
        (void) buf_append(out, buf_data(&e->data), e->data.n);
        jwrite_end(&w);
        jwrite_string(&w, "model", e->t.served[0] ? e->t.served : e->t.model);
        jwrite_object(&w, "usage");
        jwrite_uint(&w, "prompt_tokens", tokens);
        jwrite_uint(&w, "total_tokens", tokens);
        jwrite_end(&w);
        jwrite_end(&w);
}

int embeddings_finish(Translation *t, Buf *out, Verdict *ret_verdict) {
        Embeddings *e = CONTAINER_OF(t, Embeddings, t);
        char message[96];

        if (e->n_found < e->end - e->begin) {
                (void) snprintf(message, sizeof(message), "an answer with %zu vectors for %zu texts",
                                e->n_found, e->end - e->begin);
                verdict_init(ret_verdict, VERDICT_OVERLOAD, 200, message);
                return DIALECT_E_VERDICT;
        }
        e->n_tokens += t->usage.prompt;
        if (e->end < e->n) {
                e->begin = e->end;
                embeddings_write_round(e);
                return t->gemini.error < 0 ? t->gemini.error : DIALECT_E_MORE;
        }
        out->max = MAX(out->max, e->data.n + FRAME_MAX);
        write_answer(e, e->n_tokens, out);
        return out->error;
}

/* The vectors of the rounds before stay. */
void embeddings_reset(Translation *t) {
        Embeddings *e = CONTAINER_OF(t, Embeddings, t);

        t->counts = (GeminiCounts){};
        t->usage = (Usage){};
        e->data.n = e->n_data;
        e->n_found = 0;
}
