/* SPDX-License-Identifier: MIT */

/*
 * POST /v1/images/generations, by generateContent of Gemini's own image models. Such a model makes one image
 * at a time, so several are several requests, one after the other (DIALECT_E_MORE), and answered only when
 * all are there.
 *
 * Gemini chooses the format of the file, the quality, and among a few sizes. `quality`, `style`,
 * `moderation`, `output_format`, `output_compression` and `partial_images` are wishes that it does not know,
 * and are ignored; the answer names the format that the file has.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json/copy.h"
#include "base/limits-media.h"
#include "base/text.h"
#include "dialect/json.h"
#include "dialect/openai/images.h"
#include "dialect/store-member.h"

typedef struct Fields {
        JsonView model, prompt, n, size, format, background, stream;
} Fields;

/* What Gemini has, of all models; it names them W:H. */
static const struct {
        unsigned w, h;
} ratios[] = {
        { 1, 1 }, { 2, 3 }, { 3, 2 },  { 3, 4 },  { 4, 3 },  { 4, 5 }, { 5, 4 },
        { 9, 16 }, { 16, 9 }, { 21, 9 }, { 1, 4 }, { 4, 1 }, { 1, 8 }, { 8, 1 },
};

/* The least area of each size but the default, 1K: between it and the next smaller one. */
static const struct {
        unsigned long area;
        const char *name;
} sizes[] = { { 6000000, "4K" }, { 2100000, "2K" } };

typedef struct Size {
        unsigned long w, h; /* 0: any */
} Size;

static Images *images_free(Images *i) {
        if (!i)
                return NULL;
        buf_done(&i->single.t.gemini);
        buf_done(&i->data);
        free(i);
        return NULL;
}
DEFINE_CLEANUP(Images *, images_free);

static Translation *images_translation_free(Translation *t) {
        (void) images_free(CONTAINER_OF(t, Images, single.t));
        return NULL;
}

/* --- the request --- */

static int read_size(JsonView v, Size *ret, ApiError *ret_error) {
        char text[16], *end;

        if (json_view_is_null(v) || json_view_equals(v, "auto"))
                return 0;
        json_view_copy(v, text, sizeof(text));
        if (text[0] >= '1' && text[0] <= '9') {
                ret->w = strtoul(text, &end, 10);
                if (*end == 'x' && end[1] >= '1' && end[1] <= '9')
                        ret->h = strtoul(end + 1, &end, 10);
                if (ret->h > 0 && !*end && ret->w <= IMAGE_SIDE_MAX && ret->h <= IMAGE_SIDE_MAX)
                        return 0;
        }
        return dialect_refuse(ret_error, "size",
                             "size must be auto, or WIDTHxHEIGHT of at most %u pixels each", IMAGE_SIDE_MAX);
}

static int read_fields(Images *i, const Fields *f, Size *ret_size, ApiError *ret_error) {
        int r;

        r = single_check_string(f->prompt, "prompt", true, ret_error);
        if (r != 0)
                return r;
        i->n = 1;
        if (!json_view_is_null(f->n) && (!json_view_is_number(f->n) || !json_view_is_count(f->n, &i->n) ||
                                         i->n < 1 || i->n > IMAGES_MAX))
                return dialect_refuse(ret_error, "n", "n must be between 1 and %u", IMAGES_MAX);
        i->as_url = json_view_equals(f->format, "url");
        if (!json_view_is_null(f->format) && !i->as_url && !json_view_equals(f->format, "b64_json"))
                return dialect_refuse(ret_error, "response_format",
                                      "response_format must be b64_json or url");
        if (json_view_equals(f->background, "transparent"))
                return dialect_refuse(ret_error, "background",
                                      "background must not be transparent: Gemini's images are opaque");
        if (json_view_is(f->stream, 't'))
                return dialect_refuse(ret_error, "stream",
                                      "stream must be false: Gemini sends an image in one piece");
        return read_size(f->size, ret_size, ret_error);
}

/* The nearest: where the quotient of the two is closest to 1. */
static size_t find_ratio(const Size *s) {
        double best = 0;
        size_t found = 0;

        for (size_t i = 0; i < ELEMENTSOF(ratios); i++) {
                double a = (double) (s->w * ratios[i].h), b = (double) (s->h * ratios[i].w);
                double near = a < b ? a / b : b / a;

                if (near > best) {
                        best = near;
                        found = i;
                }
        }
        return found;
}

static void write_size(const Size *s, JWriter *w) {
        char text[16];
        size_t ratio;

        if (s->w == 0)
                return;
        ratio = find_ratio(s);
        (void) snprintf(text, sizeof(text), "%u:%u", ratios[ratio].w, ratios[ratio].h);
        jwrite_object(w, "imageConfig");
        jwrite_string(w, "aspectRatio", text);
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++)
                if (s->w * s->h >= sizes[i].area) {
                        jwrite_string(w, "imageSize", sizes[i].name);
                        break;
                }
        jwrite_end(w);
}

static void write_request(const DialectContext *c, JsonView prompt, const Size *size, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        jwrite_object(&w, NULL);
        single_write_prompt(prompt, &w);
        jwrite_object(&w, "generationConfig");
        jwrite_array(&w, "responseModalities");
        jwrite_string(&w, NULL, "IMAGE");
        jwrite_end(&w);
        write_size(size, &w);
        jwrite_end(&w);
        store_member_write(c, (JsonView){}, &w);
        jwrite_end(&w);
}

static int translate(const DialectContext *c, JsonView root, Images *i, ApiError *ret_error) {
        Size size = {};
        Fields f = {};
        int r;
        const JsonMember members[] = {
                JSON_MEMBER("model", &f.model),
                JSON_MEMBER("prompt", &f.prompt),
                JSON_MEMBER("n", &f.n),
                JSON_MEMBER("size", &f.size),
                JSON_MEMBER("response_format", &f.format),
                JSON_MEMBER("background", &f.background),
                JSON_MEMBER("stream", &f.stream),
        };

        json_view_members(root, members, ELEMENTSOF(members));
        r = single_read_model(&i->single, c, f.model, MODEL_CAN_IMAGE, "makes no images", ret_error);
        if (r == 0)
                r = read_fields(i, &f, &size, ret_error);
        if (r != 0)
                return r;
        write_request(c, f.prompt, &size, &i->single.t.gemini);
        return i->single.t.gemini.error;
}

static void begin_answer(Images *i) {
        i->writer = JWRITER_INIT(&i->data);
        jwrite_object(&i->writer, NULL);
        jwrite_uint(&i->writer, "created", i->single.created);
        jwrite_array(&i->writer, "data");
        i->n_data = i->data.n;
}

static int images_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                          ApiError *ret_error) {
        _cleanup_(json_index_done) JsonIndex index = {};
        _cleanup_(images_freep) Images *i = NULL;
        JsonView root;
        int r;

        r = json_index_body(body, n, &index, &root, ret_error);
        if (r != 0)
                return r;
        i = calloc(1, sizeof(Images));
        if (!i)
                return -ENOMEM;
        single_init(&i->single, c, &dialect_openai_images);
        i->single.t.gemini = BUF_INIT(6 * n + PROMPT_FRAME_MAX);
        i->data = BUF_INIT(IMAGES_ANSWER_MAX);
        r = translate(c, root, i, ret_error);
        if (r != 0)
                return r;
        begin_answer(i);
        *ret = &TAKE_PTR(i)->single.t;
        return 0;
}

const Dialect dialect_openai_images = {
        .name = "openai-images",
        .request = images_request,
        .event = images_event,
        .finish = images_finish,
        .reset = images_reset,
        .free = images_translation_free,
};
