/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/json/copy.h"
#include "base/limits-media.h"
#include "base/text.h"
#include "dialect/openai/images.h"

/* The data is base64 in both protocols. Images beyond the number that is asked for are dropped. */
static bool take(OpenaiSingle *s, const GeminiPart *p) {
        Images *i = CONTAINER_OF(s, Images, single);
        char type[sizeof(i->type)];
        JWriter w = JWRITER_INIT(&i->data);

        if (p->kind != GEMINI_PART_DATA || json_view_is_empty(p->data))
                return false;
        json_view_copy(p->type, type, sizeof(type));
        if (strncasecmp(type, "image/", 6) != 0)
                return false;
        if (i->n_found == i->n)
                return true;
        text_copy(i->type, sizeof(i->type), type);
        if (i->n_found++ > 0)
                (void) buf_putc(&i->data, ',');
        jwrite_object(&w, NULL);
        if (i->as_url) {
                jwrite_raw(&w, "url", "\"data:");
                json_copy_escaped(&i->data, p->type);
                (void) buf_puts(&i->data, ";base64,");
                json_copy_escaped(&i->data, p->data);
                (void) buf_putc(&i->data, '"');
        } else
                json_copy_value(&w, "b64_json", p->data);
        jwrite_end(&w);
        return true;
}

int images_event(Translation *t, const char *json, size_t n, Buf *out _unused_, Verdict *ret_verdict) {
        Images *i = CONTAINER_OF(t, Images, single.t);
        int r = single_event(&i->single, json, n, take, ret_verdict);

        return r != 0 ? r : i->data.error;
}

static void write_kinds(const char *key, const GeminiKinds *k, JWriter *w) {
        jwrite_object(w, key);
        jwrite_uint(w, "text_tokens", k->n[GEMINI_MODALITY_TEXT]);
        jwrite_uint(w, "image_tokens", k->n[GEMINI_MODALITY_IMAGE]);
        jwrite_end(w);
}

/* OpenAI's name of the format: "png", "jpeg", "webp". */
static const char *format_of(const Images *i) {
        return strcaseeq(i->type, "image/jpg") ? "jpeg" : i->type + strlen("image/");
}

/* The end of what images_request() has begun. It may be as large as several answers of Gemini, so it becomes
 * `out` without a copy. */
static void write_answer(Images *i, Buf *out) {
        GeminiKinds plain = { .n = { [GEMINI_MODALITY_TEXT] = i->usage.prompt } };
        JWriter w = i->writer;

        i->data.max += PROMPT_FRAME_MAX;
        jwrite_end(&w);
        jwrite_string(&w, "output_format", format_of(i));
        jwrite_object(&w, "usage");
        jwrite_uint(&w, "input_tokens", i->usage.prompt);
        jwrite_uint(&w, "output_tokens", i->usage.completion);
        jwrite_uint(&w, "total_tokens", i->usage.total);
        write_kinds("input_tokens_details", i->prompt.is_known ? &i->prompt : &plain, &w);
        if (i->answer.is_known)
                write_kinds("output_tokens_details", &i->answer, &w);
        jwrite_end(&w);
        jwrite_end(&w);
        buf_done(out);
        *out = i->data;
        i->data = BUF_INIT(0);
}

int images_finish(Translation *t, Buf *out, Verdict *ret_verdict) {
        Images *i = CONTAINER_OF(t, Images, single.t);
        int r = single_judge(&i->single, ret_verdict);

        if (r != 0)
                return r;
        usage_add(&i->usage, &t->usage);
        gemini_kinds_add(&i->prompt, &t->counts.prompt);
        gemini_kinds_add(&i->answer, &t->counts.answer);
        if (i->n_found < i->n) {
                i->n_data = i->data.n;
                i->n_before = i->n_found;
                single_reset(&i->single);
                return DIALECT_E_MORE;
        }
        write_answer(i, out);
        t->finish_reason = "stop";
        return out->error;
}

/* The images of the requests before stay. */
void images_reset(Translation *t) {
        Images *i = CONTAINER_OF(t, Images, single.t);

        single_reset(&i->single);
        t->usage = (Usage){};
        i->data.n = i->n_data;
        i->n_found = i->n_before;
}
