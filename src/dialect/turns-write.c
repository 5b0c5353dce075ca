/* SPDX-License-Identifier: MIT */

/*
 * Writes the steps as Gemini's contents: a content for each message and role. The model's messages after a
 * call belong to its content, because between a call and its result nothing may come. When that content is
 * closed, the content of its results follows, wherever the client had them.
 */

#include <errno.h>
#include <string.h>

#include "base/json/copy.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/vault.h"
#include "dialect/json.h"
#include "dialect/turns.h"

#define FILES_URL "https://generativelanguage.googleapis.com/v1beta/files/"

typedef struct Writing {
        const Turns *t;
        JWriter *w;
        bool is_open;
        TurnRole role; /* of the content that is open */
        uint32_t message;
        size_t first;  /* the content's first step */
        bool has_call;
        bool is_lead; /* it begins with the instructions, and the user's first message belongs to it */
        bool any;     /* a content was written */
        Buf text;     /* of a string, decoded */
} Writing;

static JsonView literal(const char *json) {
        return json_view(json, strlen(json));
}

/* --- parts --- */

/* A string, or the source of any other value. */
static void write_text(JWriter *w, const char *key, JsonView v) {
        if (json_view_is(v, '"'))
                json_copy_value(w, key, v);
        else
                jwrite_string_n(w, key, v.p, (size_t) (v.end - v.p));
}

static void write_text_part(JWriter *w, const char *json) {
        jwrite_object(w, NULL);
        json_copy_value(w, "text", literal(json));
        jwrite_end(w);
}

/* The deepest level of checked JSON. */
static unsigned depth_of(const char *p, const char *end) {
        unsigned depth = 0, most = 0;
        bool in_string = false;

        for (; p < end; p++)
                if (in_string) {
                        if (*p == '\\')
                                p++;
                        else if (*p == '"')
                                in_string = false;
                } else if (*p == '"')
                        in_string = true;
                else if (*p == '{' || *p == '[')
                        most = MAX(most, ++depth);
                else if (*p == '}' || *p == ']')
                        depth--;
        return most;
}

static bool is_shallow(const char *p, const char *end) {
        return depth_of(p, end) <= TURN_DEPTH_MAX;
}

/* Decodes a string. True if its text is a JSON object, which is then *ret. */
static bool holds_object(Writing *x, JsonView string, JsonView *ret) {
        const char *p, *end;

        buf_clear(&x->text);
        if (json_view_append(string, &x->text) < 0 || x->text.n == 0)
                return false;
        p = buf_data(&x->text);
        end = p + x->text.n;
        while (p < end && strchr(TEXT_WHITESPACE, *p))
                p++;
        if (p == end || *p != '{' || json_fault(p, (size_t) (end - p)) || !is_shallow(p, end))
                return false;
        *ret = json_view(p, (size_t) (end - p));
        return true;
}

/* The same, and an object as it is. */
static bool read_object(Writing *x, JsonView v, JsonView *ret) {
        if (!json_view_is(v, '{'))
                return holds_object(x, v, ret);
        *ret = v;
        return is_shallow(v.p, v.end);
}

/* `""` and `null` are how some clients write that there are none. */
static bool is_nothing(JsonView v) {
        char text[8];

        if (json_view_is_null(v))
                return true;
        if (!json_view_is(v, '"') || v.end - v.p > (ptrdiff_t) sizeof(text))
                return false;
        json_view_copy(v, text, sizeof(text));
        return text[strspn(text, TEXT_WHITESPACE)] == 0 || streq(text, "null");
}

/* Arguments that are not an object cannot be sent as they are, but the model can still read them. */
static void write_arguments(Writing *x, const TurnStep *s) {
        JsonView v = s->value, object;

        if (s->is_text) {
                jwrite_object(x->w, "args");
                if (json_view_is_null(v))
                        jwrite_string(x->w, "input", "");
                else
                        write_text(x->w, "input", v);
                jwrite_end(x->w);
        } else if (is_nothing(v))
                jwrite_raw(x->w, "args", "{}");
        else if (read_object(x, v, &object))
                json_copy_value(x->w, "args", object);
        else {
                jwrite_object(x->w, "args");
                write_text(x->w, "_raw", v);
                jwrite_end(x->w);
        }
}

/* Google may refuse it: then it is replaced by the sentinel. */
static void write_real(Writing *x, JsonView signature) {
        size_t place = x->w->buf->n;

        if (x->t->signatures)
                (void) buf_append(x->t->signatures, &place, sizeof(place));
        json_copy_inside(x->w, "thoughtSignature", signature);
}

static bool write_remembered(Writing *x, const TurnStep *s) {
        const Turns *t = x->t;
        JsonView known;

        if (!t->vault || s->id.p == s->id.end)
                return false;
        buf_clear(&x->text);
        if (!vault_get(t->vault, s->id.p, (size_t) (s->id.end - s->id.p),
                       signature_digest(t->model, s->function, s->value), &x->text) ||
            x->text.error < 0 || x->text.n == 0)
                return false;
        known = (JsonView){ .p = buf_data(&x->text), .end = buf_data(&x->text) + x->text.n };
        if (signature_kind(known) != SIGNATURE_REAL)
                return false;
        write_real(x, known);
        return true;
}

/* `is_needed`: Gemini refuses the part without one. Of the calls of a content that is the first; the others
 * have none. */
static void write_signature(Writing *x, const TurnStep *s, bool is_needed) {
        const ModelRules *rules = x->t->rules;
        SignatureKind kind = signature_kind(s->signature);
        bool needs = model_can(rules, MODEL_NEEDS_SIGNATURES);

        if (!needs && !model_can(rules, MODEL_CAN_THOUGHTS))
                return;
        if (kind == SIGNATURE_REAL)
                write_real(x, s->signature);
        else if (s->kind == TURN_CALL && kind == SIGNATURE_NONE && write_remembered(x, s))
                return;
        else if (needs && (is_needed || kind == SIGNATURE_SKIP))
                jwrite_string(x->w, "thoughtSignature", SIGNATURE_SENTINEL);
}

static void write_call(Writing *x, const TurnStep *s) {
        JWriter *w = x->w;

        jwrite_object(w, NULL);
        jwrite_object(w, "functionCall");
        if (s->id.p < s->id.end)
                json_copy_inside(w, "id", s->id);
        jwrite_string(w, "name", s->function->mapped);
        write_arguments(x, s);
        jwrite_end(w);
        write_signature(x, s, !x->has_call);
        jwrite_end(w);
        x->has_call = true;
}

static void write_media(Writing *x, const TurnStep *s) {
        const Media *m = s->kind == TURN_MEDIA ? s->media : NULL;
        JWriter *w = x->w;

        jwrite_object(w, NULL);
        if (!m) {
                jwrite_object(w, "fileData");
                jwrite_raw(w, "fileUri", "\"" FILES_URL);
                (void) buf_append(w->buf, s->value.p, (size_t) (s->value.end - s->value.p));
                (void) buf_putc(w->buf, '"');
        } else if (m->form == MEDIA_URI) {
                jwrite_object(w, "fileData");
                if (m->type[0])
                        jwrite_string(w, "mimeType", m->type);
                json_copy_value(w, "fileUri", m->uri);
        } else {
                jwrite_object(w, "inlineData");
                jwrite_string(w, "mimeType", m->type);
                media_write_data(m, w, "data");
        }
        jwrite_end(w);
        if (s->role == TURN_MODEL)
                write_signature(x, s, model_can(x->t->rules, MODEL_CAN_IMAGE));
        jwrite_end(w);
}

static void write_step(Writing *x, const TurnStep *s) {
        switch (s->kind) {
        case TURN_TEXT:
        case TURN_THOUGHT:
                jwrite_object(x->w, NULL);
                write_text(x->w, "text", s->value);
                if (s->kind == TURN_THOUGHT)
                        jwrite_bool(x->w, "thought", true);
                if (s->signature.p)
                        write_signature(x, s, false);
                jwrite_end(x->w);
                return;
        case TURN_MEDIA:
        case TURN_FILE:
                return write_media(x, s);
        case TURN_CALL:
                return write_call(x, s);
        case TURN_RETURN:
                return;
        }
}

/* --- results --- */

/* The parts of the result that begins at i: up to the next step of something else. */
static size_t result_end(const Turns *t, size_t i) {
        while (++i < t->n && t->steps[i].role == TURN_RESULT && t->steps[i].kind != TURN_RETURN)
                ;
        return i;
}

static bool is_inline(const TurnStep *s) {
        return s->kind == TURN_MEDIA && s->media->form != MEDIA_URI;
}

/* Gemini takes `$ref` in a result for a reference to one of its parts. */
static bool has_reference(JsonView object) {
        size_t n = (size_t) (object.end - object.p);

        return memmem(object.p, n, "\"$ref\"", 6) || memmem(object.p, n, "\\u0024", 6);
}

/* An object is sent as it is, other text as a member. */
static void write_response(Writing *x, const TurnStep *from, const TurnStep *end, bool is_error) {
        const char *key = is_error ? "error" : "output";
        const TurnStep *only = NULL;
        JsonView object;
        size_t n = 0;

        for (const TurnStep *s = from; s < end; s++)
                if (s->kind == TURN_TEXT) {
                        only = s;
                        n++;
                }
        if (n == 1 && !is_error && read_object(x, only->value, &object) && !has_reference(object)) {
                json_copy_value(x->w, "response", object);
                return;
        }
        jwrite_object(x->w, "response");
        if (n == 1)
                write_text(x->w, key, only->value);
        else {
                buf_clear(&x->text);
                for (const TurnStep *s = from; s < end; s++) {
                        if (s->kind != TURN_TEXT)
                                continue;
                        if (x->text.n > 0)
                                (void) buf_putc(&x->text, '\n');
                        (void) json_view_append(s->value, &x->text);
                }
                jwrite_string_n(x->w, key, x->text.n > 0 ? buf_data(&x->text) : "", x->text.n);
        }
        jwrite_end(x->w);
}

static bool takes_parts(const Writing *x) {
        return model_can(x->t->rules, MODEL_CAN_RESULT_PARTS);
}

static void write_result(Writing *x, const TurnStep *call) {
        const Turns *t = x->t;
        const TurnStep *from = t->steps + t->n, *end = from; /* of a missing result: nothing */
        JWriter *w = x->w;
        bool any = false;

        if (call->other != TURN_NONE) {
                from = t->steps + call->other;
                end = t->steps + result_end(t, call->other);
        }
        jwrite_object(w, NULL);
        jwrite_object(w, "functionResponse");
        if (call->id.p < call->id.end)
                json_copy_inside(w, "id", call->id);
        jwrite_string(w, "name", call->function->mapped);
        write_response(x, from, end, from < end && from->is_error);
        for (const TurnStep *s = from; s < end && takes_parts(x); s++)
                if (is_inline(s)) {
                        if (!any)
                                jwrite_array(w, "parts");
                        any = true;
                        write_media(x, s);
                }
        if (any)
                jwrite_end(w);
        jwrite_end(w);
        jwrite_end(w);
}

/* Media that may not be in the result itself are beside it. */
static void write_beside(Writing *x, const TurnStep *call) {
        const Turns *t = x->t;

        if (call->other == TURN_NONE)
                return;
        for (size_t i = call->other + 1, end = result_end(t, call->other); i < end; i++)
                if (t->steps[i].kind == TURN_FILE ||
                    (t->steps[i].kind == TURN_MEDIA && !(is_inline(&t->steps[i]) && takes_parts(x))))
                        write_media(x, &t->steps[i]);
}

static void begin_content(Writing *x, TurnRole role) {
        jwrite_object(x->w, NULL);
        jwrite_string(x->w, "role", role == TURN_MODEL ? "model" : "user");
        jwrite_array(x->w, "parts");
        x->is_open = x->any = true;
        x->role = role;
        x->has_call = x->is_lead = false;
}

static void end_content(Writing *x) {
        jwrite_end(x->w);
        jwrite_end(x->w);
        x->is_open = false;
}

static void close_content(Writing *x, size_t next) {
        const TurnStep *steps = x->t->steps;
        bool has_call = x->has_call;

        if (!x->is_open)
                return;
        end_content(x);
        if (!has_call)
                return;
        begin_content(x, TURN_USER);
        for (size_t i = x->first; i < next; i++)
                if (steps[i].kind == TURN_CALL)
                        write_result(x, &steps[i]);
        for (size_t i = x->first; i < next; i++)
                if (steps[i].kind == TURN_CALL)
                        write_beside(x, &steps[i]);
        end_content(x);
}

/* --- contents --- */

static void write_user(Writing *x, const char *json) {
        begin_content(x, TURN_USER);
        write_text_part(x->w, json);
        end_content(x);
}

/* Opens the content that the step belongs to, unless it is open. */
static void open_content(Writing *x, size_t i) {
        const TurnStep *s = &x->t->steps[i];
        TurnRole role = s->role == TURN_MODEL ? TURN_MODEL : TURN_USER;

        if (x->is_open && x->role == role) {
                if (x->message == s->message || (role == TURN_MODEL && x->has_call))
                        return;
                if (x->is_lead) { /* Gemini joins parts without a gap */
                        write_text_part(x->w, "\"\\n\\n\"");
                        x->is_lead = false;
                        x->message = s->message;
                        return;
                }
        }
        close_content(x, i);
        if (!x->any && s->kind == TURN_CALL)
                write_user(x, "\"continue\"");
        begin_content(x, role);
        x->message = s->message;
        x->first = i;
}

/* A message of thoughts alone is left out: it would be a turn without content. The first step at or after
 * i that is not of such a message; i is the first step of its message. */
static size_t skip_lonely(const Turns *t, size_t i) {
        size_t k = i;

        while (k < t->n && t->steps[k].kind == TURN_THOUGHT && t->steps[k].message == t->steps[i].message)
                k++;
        return k < t->n && t->steps[k].message == t->steps[i].message ? i : k;
}

/* False after the last step. */
static bool next_step(const Turns *t, size_t *i) {
        while (*i < t->n && (*i == 0 || t->steps[*i].message != t->steps[*i - 1].message)) {
                size_t next = skip_lonely(t, *i);

                if (next == *i)
                        break;
                *i = next;
        }
        return *i < t->n;
}

/* `Result of the call f (call_1):` */
static void write_orphan(Writing *x, const TurnStep *s) {
        JsonView name = json_view_inside(s->name);
        JWriter *w = x->w;

        jwrite_object(w, NULL);
        jwrite_raw(w, "text", "\"Result of the call");
        if (name.p < name.end) {
                (void) buf_putc(w->buf, ' ');
                (void) buf_append(w->buf, name.p, (size_t) (name.end - name.p));
        }
        if (s->id.p < s->id.end) {
                (void) buf_puts(w->buf, " (");
                (void) buf_append(w->buf, s->id.p, (size_t) (s->id.end - s->id.p));
                (void) buf_putc(w->buf, ')');
        }
        (void) buf_puts(w->buf, ":\\n\"");
        jwrite_end(w);
}

static void write_steps(Writing *x) {
        const Turns *t = x->t;

        for (size_t i = 0; next_step(t, &i); i++) {
                const TurnStep *s = &t->steps[i];

                if (s->role == TURN_SYSTEM)
                        continue;
                if (s->kind == TURN_RETURN && s->other != TURN_NONE) {
                        if (x->is_open && x->role == TURN_MODEL)
                                close_content(x, i);
                        i = result_end(t, i) - 1;
                        continue;
                }
                open_content(x, i);
                if (s->kind == TURN_RETURN)
                        write_orphan(x, s);
                else
                        write_step(x, s);
        }
}

/* Writes instructions as text of the user, in a content that stays open. */
static void open_lead(Writing *x) {
        const Turns *t = x->t;
        bool any = false;

        begin_content(x, TURN_USER);
        for (size_t i = 0; i < t->n; i++) {
                if (t->steps[i].role != TURN_SYSTEM)
                        continue;
                if (any)
                        write_text_part(x->w, "\"\\n\\n\"");
                write_step(x, &t->steps[i]);
                any = true;
        }
        if (!any)
                write_text_part(x->w, "\"\"");
        x->is_lead = true;
        x->message = TURN_NONE;
}

static void write_instruction(Writing *x) {
        const Turns *t = x->t;

        jwrite_object(x->w, "systemInstruction");
        jwrite_array(x->w, "parts");
        for (size_t i = 0; i < t->n; i++)
                if (t->steps[i].role == TURN_SYSTEM)
                        write_step(x, &t->steps[i]);
        jwrite_end(x->w);
        jwrite_end(x->w);
}

static void write_contents(Writing *x) {
        const Turns *t = x->t;
        bool has_system = false, has_turn = false, is_lead;

        for (size_t i = 0; next_step(t, &i); i++)
                if (t->steps[i].role == TURN_SYSTEM)
                        has_system = true;
                else
                        has_turn = true;
        is_lead = !has_turn || (has_system && (t->is_cached || !model_can(t->rules, MODEL_CAN_SYSTEM)));
        if (has_system && !is_lead)
                write_instruction(x);
        jwrite_array(x->w, "contents");
        if (is_lead)
                open_lead(x);
        write_steps(x);
        close_content(x, t->n);
        /* The content that was written last is still known. */
        if (x->role == TURN_MODEL && !model_can(t->rules, MODEL_CAN_PREFILL))
                write_user(x, "\"continue\"");
        jwrite_end(x->w);
}

int turns_write(Turns *t, JWriter *w) {
        Writing x = { .t = t, .w = w, .text = BUF_INIT(SIZE_MAX / 2) }; /* never longer than the body */
        int r;

        r = t->error < 0 ? t->error : turns_pair(t);
        if (r < 0)
                return r;
        write_contents(&x);
        buf_done(&x.text);
        return w->buf->error;
}
