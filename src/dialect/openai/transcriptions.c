/* SPDX-License-Identifier: MIT */

/*
 * POST /v1/audio/transcriptions and /v1/audio/translations: a form with a file of sound, which goes inline
 * to a Gemini model beside the request to transcribe it, or to translate it into English. Gemini tells no
 * times, so the answer is a text, or JSON with a text.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/text.h"
#include "dialect/media.h"
#include "dialect/multipart.h"
#include "dialect/openai/single.h"
#include "dialect/store-member.h"

typedef struct Transcription {
        OpenaiSingle single;
        bool as_text; /* response_format: text */
        Buf text;
} Transcription;

typedef enum Field {
        FIELD_FILE,
        FIELD_MODEL,
        FIELD_LANGUAGE,
        FIELD_PROMPT,
        FIELD_RESPONSE_FORMAT,
        FIELD_TEMPERATURE,
        FIELD_STREAM,
        _FIELD_MAX,
} Field;

static const char *const field_names[_FIELD_MAX] = {
        "file", "model", "language", "prompt", "response_format", "temperature", "stream",
};

/* `data` is NULL for one that is missing. */
typedef struct Form {
        MultipartPart fields[_FIELD_MAX];
        char type[MULTIPART_WORD_MAX + 1]; /* of the file, as Gemini names it */
        double temperature;
} Form;

static Transcription *transcription_free(Transcription *x) {
        if (!x)
                return NULL;
        buf_done(&x->single.t.gemini);
        buf_done(&x->text);
        free(x);
        return NULL;
}
DEFINE_CLEANUP(Transcription *, transcription_free);

static Translation *transcription_translation_free(Translation *t) {
        (void) transcription_free(CONTAINER_OF(t, Transcription, single.t));
        return NULL;
}

/* --- the form --- */

static int read_form(const DialectContext *c, const char *body, size_t n, Form *ret, ApiError *ret_error) {
        MultipartPart part;
        Multipart m;
        int r;

        r = multipart_begin(&m, dialect_header(c, "content-type"), body, n);
        if (r < 0)
                return dialect_refuse(ret_error, NULL,
                                      "The request must be a form: multipart/form-data with a boundary.");
        while ((r = multipart_next(&m, &part)) > 0)
                for (size_t i = 0; i < _FIELD_MAX; i++) {
                        if (!streq(part.name, field_names[i]))
                                continue;
                        if (i != FIELD_FILE && part.n > TRANSCRIPT_FIELD_MAX)
                                return dialect_refuse(ret_error, field_names[i],
                                                      "%s must have at most %u bytes", field_names[i],
                                                      TRANSCRIPT_FIELD_MAX);
                        ret->fields[i] = part;
                }
        if (r == -E2BIG)
                return dialect_refuse(ret_error, NULL,
                                      "The form has too many parts, or too long heads of them.");
        if (r < 0)
                return dialect_refuse(ret_error, NULL, "The form is broken, or cut off.");
        return 0;
}

static bool is_given(const Form *f, Field i) {
        return f->fields[i].n > 0;
}

static bool is_word(const Form *f, Field i, const char *word) {
        return f->fields[i].n == strlen(word) && memcmp(f->fields[i].data, word, f->fields[i].n) == 0;
}

/* By what the client names it, if that is known; else by its bytes, else by its name. */
static const char *find_type(const MultipartPart *file) {
        const char *type = file->type, *found = NULL, *kind = startswith(type, "audio/");

        if (startswith(type, "video/"))
                return type;
        if (kind) {
                kind = startswith(kind, "x-") ?: kind;
                found = media_type_of_audio_name(kind);
        }
        found = found ?: media_type_of_bytes((const uint8_t *) file->data, file->n);
        if (!found && file->filename[0]) {
                const char *dot = strrchr(file->filename, '.');

                found = dot ? media_type_of_audio_name(dot + 1) : NULL;
        }
        if (found && (startswith(found, "audio/") || startswith(found, "video/")))
                return found;
        return startswith(type, "audio/") ? type : NULL;
}

static int read_file(Form *f, ApiError *ret_error) {
        const char *type;

        if (!f->fields[FIELD_FILE].data)
                return dialect_refuse(ret_error, "file", "file is required");
        if (!is_given(f, FIELD_FILE))
                return dialect_refuse(ret_error, "file", "file must not be empty");
        type = find_type(&f->fields[FIELD_FILE]);
        if (!type)
                return dialect_refuse(ret_error, "file",
                                      "file must be sound of a known format, such as wav, mp3, flac or ogg");
        text_copy(f->type, sizeof(f->type), type);
        return 0;
}

static int read_temperature(Form *f, ApiError *ret_error) {
        const MultipartPart *p = &f->fields[FIELD_TEMPERATURE];
        char text[32] = "", *end;

        if (!is_given(f, FIELD_TEMPERATURE))
                return 0;
        memcpy(text, p->data, MIN(p->n, sizeof(text) - 1));
        f->temperature = strtod(text, &end);
        if (!strchr(TEXT_DIGITS, text[0]) || *end || !(f->temperature >= 0 && f->temperature <= 1))
                return dialect_refuse(ret_error, "temperature", "temperature must be between 0 and 1");
        return 0;
}

static int check_form(Transcription *x, Form *f, ApiError *ret_error) {
        int r;

        x->as_text = is_word(f, FIELD_RESPONSE_FORMAT, "text");
        if (is_given(f, FIELD_RESPONSE_FORMAT) && !x->as_text && !is_word(f, FIELD_RESPONSE_FORMAT, "json"))
                return dialect_refuse(ret_error, "response_format",
                                      "response_format must be json or text: Gemini tells no times");
        if (is_word(f, FIELD_STREAM, "true"))
                return dialect_refuse(ret_error, "stream",
                                      "stream must be false: a transcript is sent in one piece");
        r = read_temperature(f, ret_error);
        return r != 0 ? r : read_file(f, ret_error);
}

/* --- the request --- */

static void write_field(const char *before, const Form *f, Field i, Buf *out) {
        if (!is_given(f, i))
                return;
        (void) buf_puts(out, before);
        jwrite_escape(out, f->fields[i].data, f->fields[i].n);
}

static void write_contents(const Form *f, const char *task, JWriter *w) {
        const MultipartPart *file = &f->fields[FIELD_FILE];
        Buf *out = w->buf;

        jwrite_array(w, "contents");
        jwrite_object(w, NULL);
        jwrite_string(w, "role", "user");
        jwrite_array(w, "parts");
        jwrite_object(w, NULL);
        jwrite_raw(w, "text", "\"");
        (void) buf_puts(out, task);
        write_field(" The language is: ", f, FIELD_LANGUAGE, out);
        write_field("\\n\\nContext, and how words are spelled:\\n", f, FIELD_PROMPT, out);
        (void) buf_putc(out, '"');
        jwrite_end(w);
        jwrite_object(w, NULL);
        jwrite_object(w, "inlineData");
        jwrite_string(w, "mimeType", f->type);
        jwrite_raw(w, "data", "\"");
        (void) base64_append(out, (const uint8_t *) file->data, file->n);
        (void) buf_putc(out, '"');
        jwrite_end(w);
        jwrite_end(w);
        jwrite_end(w);
        jwrite_end(w);
        jwrite_end(w);
}

static int write_request(const DialectContext *c, const Transcription *x, const Form *f, const char *task,
                         Buf *out) {
        const ModelRules *rules = dialect_rules(c, dialect_model(c, x->single.t.model));
        JWriter w = JWRITER_INIT(out);

        jwrite_object(&w, NULL);
        write_contents(f, task, &w);
        if (is_given(f, FIELD_TEMPERATURE) && model_can(rules, MODEL_CAN_SAMPLE)) {
                jwrite_object(&w, "generationConfig");
                jwrite_fixed(&w, "temperature", f->temperature, 3);
                jwrite_end(&w);
        }
        store_member_write(c, (JsonView){}, &w);
        jwrite_end(&w);
        return out->error;
}

static int translate(const DialectContext *c, const char *body, size_t n, const char *task, Transcription *x,
                     ApiError *ret_error) {
        _cleanup_buf_ Buf quoted = BUF_INIT(8 * TRANSCRIPT_FIELD_MAX);
        JsonView model = {};
        Form f = {};
        int r;

        r = read_form(c, body, n, &f, ret_error);
        if (r != 0)
                return r;
        if (f.fields[FIELD_MODEL].data) { /* as the routes without a form have it */
                jwrite_quote(&quoted, f.fields[FIELD_MODEL].data, f.fields[FIELD_MODEL].n);
                if (quoted.error == 0)
                        model = json_view(buf_data(&quoted), quoted.n);
        }
        r = single_read_model(&x->single, c, model, MODEL_CAN_TEXT, "writes no text", ret_error);
        if (r == 0)
                r = check_form(x, &f, ret_error);
        if (r == 0)
                r = buf_reserve(&x->single.t.gemini, n / 3 * 4 + PROMPT_FRAME_MAX);
        return r != 0 ? r : write_request(c, x, &f, task, &x->single.t.gemini);
}

static int request(const Dialect *d, const char *task, const DialectContext *c, const char *body, size_t n,
                   Translation **ret, ApiError *ret_error) {
        _cleanup_(transcription_freep) Transcription *x = calloc(1, sizeof(Transcription));
        int r;

        if (!x)
                return -ENOMEM;
        single_init(&x->single, c, d);
        x->single.t.opaque = true;
        x->single.t.gemini = BUF_INIT(6 * n + 2 * PROMPT_FRAME_MAX);
        x->text = BUF_INIT(UPSTREAM_ANSWER_MAX);
        r = translate(c, body, n, task, x, ret_error);
        if (r != 0)
                return r;
        if (x->as_text)
                x->single.t.answer_type = "text/plain; charset=utf-8";
        *ret = &TAKE_PTR(x)->single.t;
        return 0;
}

static int transcriptions_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                                  ApiError *ret_error) {
        return request(&dialect_openai_transcriptions,
                       "Transcribe the speech in this audio word for word. Answer with the transcript "
                       "alone.",
                       c, body, n, ret, ret_error);
}

static int translations_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                                ApiError *ret_error) {
        return request(&dialect_openai_translations,
                       "Translate the speech in this audio into English. Answer with the translation alone.",
                       c, body, n, ret, ret_error);
}

/* --- the answer --- */

static bool take(OpenaiSingle *s, const GeminiPart *p) {
        Transcription *x = CONTAINER_OF(s, Transcription, single);

        if (p->kind != GEMINI_PART_TEXT || json_view_is_empty(p->text))
                return false;
        (void) json_view_append(p->text, &x->text);
        return true;
}

static int transcription_event(Translation *t, const char *json, size_t n, Buf *out _unused_,
                               Verdict *ret_verdict) {
        return single_event(&CONTAINER_OF(t, Transcription, single.t)->single, json, n, take, ret_verdict);
}

static void write_usage(const Translation *t, JWriter *w) {
        const GeminiKinds *k = &t->counts.prompt;

        jwrite_object(w, "usage");
        jwrite_string(w, "type", "tokens");
        jwrite_uint(w, "input_tokens", t->usage.prompt);
        if (k->is_known) {
                jwrite_object(w, "input_token_details");
                jwrite_uint(w, "text_tokens", k->n[GEMINI_MODALITY_TEXT]);
                jwrite_uint(w, "audio_tokens", k->n[GEMINI_MODALITY_AUDIO]);
                jwrite_end(w);
        }
        jwrite_uint(w, "output_tokens", t->usage.completion);
        jwrite_uint(w, "total_tokens", t->usage.total);
        jwrite_end(w);
}

static void write_answer(const Transcription *x, Buf *out) {
        const char *text = x->text.n > 0 ? buf_data(&x->text) : "";
        JWriter w = JWRITER_INIT(out);
        size_t n = x->text.n;

        while (n > 0 && strchr(TEXT_WHITESPACE, text[n - 1]))
                n--;
        if (x->as_text) {
                (void) buf_append(out, text, n);
                (void) buf_putc(out, '\n');
                return;
        }
        jwrite_object(&w, NULL);
        jwrite_string_n(&w, "text", text, n);
        write_usage(&x->single.t, &w);
        jwrite_end(&w);
}

/* Sound without speech has an empty transcript; but another key is tried first, as Gemini sometimes stops
 * without a text. */
static int transcription_finish(Translation *t, Buf *out, Verdict *ret_verdict) {
        Transcription *x = CONTAINER_OF(t, Transcription, single.t);
        int r = single_judge(&x->single, ret_verdict);

        if (r != 0 && !streq(x->single.answer.candidates[0].finish, "STOP"))
                return r;
        if (x->text.error < 0)
                return x->text.error;
        write_answer(x, out);
        t->finish_reason = "stop";
        return out->error < 0 ? out->error : r != 0 ? DIALECT_E_EMPTY : 0;
}

static void transcription_reset(Translation *t) {
        Transcription *x = CONTAINER_OF(t, Transcription, single.t);

        single_reset(&x->single);
        t->usage = (Usage){};
        buf_clear(&x->text);
}

#define DIALECT(what)                                  \
        {                                              \
                .name = "openai-" #what,               \
                .request = what##_request,             \
                .event = transcription_event,          \
                .finish = transcription_finish,        \
                .reset = transcription_reset,          \
                .free = transcription_translation_free, \
        }

const Dialect dialect_openai_transcriptions = DIALECT(transcriptions);
const Dialect dialect_openai_translations = DIALECT(translations);
