/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "sim-base64.h"
#include "sim-json.h"
#include "sim-signature.h"

/* As they are documented, and in base64, as SDKs send bytes. */
static const char *const sentinels[] = {
        "skip_thought_signature_validator",
        "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=",
        "context_engineering_is_the_way_to_go",
        "Y29udGV4dF9lbmdpbmVlcmluZ19pc190aGVfd2F5X3RvX2dv",
};

static bool ascending(const char *a, const char *b) {
        return strcmp(a, b) < 0;
}

static void write_canonical(json_object *o, Buf *out);

/* Members in the order of their names; the names of a request are few. */
static void write_members(json_object *o, Buf *out) {
        const char *last = NULL;

        for (int i = 0; i < json_object_object_length(o); i++) {
                const char *next = NULL;

                json_object_object_foreach(o, key, value) {
                        (void) value;
                        if ((!last || ascending(last, key)) && (!next || ascending(key, next)))
                                next = key;
                }
                if (!next)
                        return;
                (void) buf_printf(out, "%s:", next);
                write_canonical(json_object_object_get(o, next), out);
                last = next;
        }
}

/* The same bytes for the same value, whatever its spelling. */
static void write_canonical(json_object *o, Buf *out) {
        double d;

        switch (json_object_get_type(o)) {
        case json_type_object:
                (void) buf_putc(out, '{');
                write_members(o, out);
                (void) buf_putc(out, '}');
                break;
        case json_type_array:
                (void) buf_putc(out, '[');
                for (size_t i = 0; i < json_object_array_length(o); i++) {
                        write_canonical(json_object_array_get_idx(o, i), out);
                        (void) buf_putc(out, ',');
                }
                (void) buf_putc(out, ']');
                break;
        case json_type_int:
        case json_type_double:
                d = json_object_get_double(o);
                (void) buf_printf(out, "%.17g", d);
                break;
        default:
                (void) buf_puts(out, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
        }
}

/* gemini-3 of gemini-3.8-flash: another generation's signature is foreign. The names without a number are of
 * the third. */
static void family_of(const char *model, char ret[static 32]) {
        const char *version = startswith(model, "gemini-");
        size_t n = version ? strspn(version, "0123456789") : 0;

        if (n == 0 && version && strstr(version, "latest"))
                text_copy(ret, 32, "3");
        else if (n == 0)
                text_copy(ret, 32, model);
        else
                (void) snprintf(ret, 32, "%.*s", (int) MIN(n, 8U), version);
}

bool signature_wanted(const char *model) {
        char family[32];

        family_of(model, family);
        return *family >= '3' && *family <= '9' && !family[1];
}

static void write_call(const char *model, const char *name, json_object *args, Buf *out) {
        char family[32];

        family_of(model, family);
        (void) buf_printf(out, "%s %s ", family, name);
        if (args && json_object_object_length(args) > 0)
                write_canonical(args, out);
}

void signature_make(const char *model, const char *name, json_object *args, Buf *out) {
        _cleanup_buf_ Buf call = BUF_INIT(64U << 20);
        char text[64];
        uint64_t h;

        write_call(model, name, args, &call);
        h = hash_stable(buf_data(&call), call.n);
        (void) snprintf(text, sizeof(text), "gemini-sim signed %016llx%016llx", (unsigned long long) h,
                        (unsigned long long) hash_mix(h));
        base64_write(text, strlen(text), out);
}

static uint64_t entry_of(const char *model, const char *name, json_object *args, const char *signature) {
        _cleanup_buf_ Buf text = BUF_INIT(64U << 20);

        write_call(model, name, args, &text);
        (void) buf_printf(&text, " %s", signature);
        return hash_stable(buf_data(&text), text.n);
}

bool signature_good(const SignatureBook *book, const char *model, const char *name, json_object *args,
                    const char *signature) {
        _cleanup_buf_ Buf made = BUF_INIT(4096);
        uint64_t entry = entry_of(model, name, args, signature);

        for (size_t i = 0; i < ELEMENTSOF(sentinels); i++)
                if (streq(sentinels[i], signature))
                        return true;
        for (size_t i = 0; i < MIN(book->n, SIGNATURES_MAX); i++)
                if (book->given[i] == entry)
                        return true;
        signature_make(model, name, args, &made);
        return streq(strempty(buf_cstr(&made)), signature);
}

void signature_note(SignatureBook *book, const char *model, const char *answer) {
        json_object *o = strstr(answer, "houghtSignature") ? json_tokener_parse(answer) : NULL,
                    *candidates = json_member(o, "candidates", "candidates");

        for (size_t i = 0; i < json_length(candidates); i++) {
                json_object *candidate = json_object_array_get_idx(candidates, i),
                            *content = json_member(candidate, "content", "content"),
                            *parts = json_member(content, "parts", "parts");

                for (size_t k = 0; k < json_length(parts); k++) {
                        json_object *part = json_object_array_get_idx(parts, k),
                                    *call = json_member(part, "functionCall", "function_call"),
                                    *signature = json_member(part, "thoughtSignature", "thought_signature"),
                                    *name = json_member(call, "name", "name");

                        if (name && signature)
                                book->given[book->n++ % SIGNATURES_MAX] =
                                        entry_of(model, json_object_get_string(name),
                                                 json_member(call, "args", "args"),
                                                 json_object_get_string(signature));
                }
        }
        json_object_put(o);
}
