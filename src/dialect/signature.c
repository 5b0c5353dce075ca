/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/json.h"
#include "dialect/signature.h"

#define MARK "__thought__"

/* Google's two sentinels, and their base64, which clients send that take a signature for bytes. */
static const char *const sentinels[] = {
        SIGNATURE_SENTINEL,
        "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=",
        "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I",
        "context_engineering_is_the_way_to_go",
        "Y29udGV4dF9lbmdpbmVlcmluZ19pc190aGVfd2F5X3RvX2dv",
};

/* `\/` is a slash. */
static bool is_base64(const char *p, const char *end) {
        static const bool allowed[256] = {
                ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true, ['+'] = true,
                ['/'] = true,         ['-'] = true,         ['_'] = true,
        };
        size_t n = 0, padding = 0;

        for (; p < end; p++, n++) {
                if (*p == '\\' && end - p > 1 && p[1] == '/')
                        p++;
                if (!allowed[(unsigned char) *p])
                        break;
        }
        for (; p < end && *p == '='; p++)
                padding++;
        return p == end && n > 0 && n % 4 != 1 && (padding == 0 || (padding <= 2 && (n + padding) % 4 == 0));
}

SignatureKind signature_kind(JsonView v) {
        size_t n = (size_t) (v.end - v.p);

        if (n == 0)
                return SIGNATURE_NONE;
        for (size_t i = 0; i < ELEMENTSOF(sentinels); i++)
                if (n == strlen(sentinels[i]) && memcmp(v.p, sentinels[i], n) == 0)
                        return SIGNATURE_SKIP;
        return is_base64(v.p, v.end) ? SIGNATURE_REAL : SIGNATURE_NONE;
}

void signature_split_id(JsonView *id, JsonView *ret_signature) {
        const char *mark = id->p ? memmem(id->p, (size_t) (id->end - id->p), MARK, strlen(MARK)) : NULL;

        *ret_signature = (JsonView){};
        if (!mark)
                return;
        *ret_signature = (JsonView){ .p = mark + strlen(MARK), .end = id->end };
        id->end = mark;
}

/* A signature is base64, so its string has no escaped quote. */
bool signatures_drop(Translation *t) {
        const char *json = t->gemini.n > 0 ? buf_data(&t->gemini) : "", *end = json + t->gemini.n;
        const char *at = json;
        size_t n = t->signatures.n / sizeof(size_t), place;
        Buf request = BUF_INIT(t->gemini.n + n * sizeof(SIGNATURE_SENTINEL));

        if (n == 0 || t->signatures.error < 0)
                return false;
        for (size_t i = 0; i < n; i++) {
                const char *value;

                memcpy(&place, buf_data(&t->signatures) + i * sizeof(place), sizeof(place));
                value = memchr(json + place, ':', (size_t) (end - json) - place);
                assert(value && value[1] == '"');
                value += 2;
                (void) buf_append(&request, at, (size_t) (value - at));
                (void) buf_puts(&request, SIGNATURE_SENTINEL);
                at = memchr(value, '"', (size_t) (end - value));
                assert(at);
        }
        (void) buf_append(&request, at, (size_t) (end - at));
        if (request.error < 0) {
                buf_done(&request);
                return false;
        }
        buf_done(&t->signatures);
        translation_change(t, &request);
        return true;
}

static uint64_t hash_text(JsonView v) {
        _cleanup_buf_ Buf text = BUF_INIT((size_t) (v.end - v.p));

        if (!memchr(v.p, '\\', (size_t) (v.end - v.p)))
                return hash_stable(v.p + 1, (size_t) (v.end - v.p) - 2);
        return json_view_append(v, &text) < 0 || text.n == 0 ? 0 : hash_stable(buf_data(&text), text.n);
}

static uint64_t hash_value(JsonView v);

/* The sum of an object's members does not depend on their order. */
static uint64_t hash_member(uint64_t name, uint64_t value) {
        return hash_mix(name + hash_mix(value));
}

static uint64_t hash_container(JsonView v) {
        JsonCursor c = json_enter(v);
        uint64_t h = (unsigned char) *v.p;
        JsonView name, member;

        while (json_next(&c, &name, &member))
                h = name.p ? h + hash_member(hash_text(name), hash_value(member))
                           : hash_mix(h + hash_value(member));
        return hash_mix(h);
}

static uint64_t hash_value(JsonView v) {
        double d;

        if (json_view_is(v, '"'))
                return hash_text(v);
        if (json_view_is_double(v, &d))
                return hash_stable(&d, sizeof(d));
        return v.p ? hash_container(v) : 0;
}

/* The object {"input": text}. */
static uint64_t hash_input(JsonView text) {
        return hash_mix('{' + hash_member(hash_stable("input", 5), hash_text(text)));
}

uint64_t signature_digest(const char *model, const ToolName *name, JsonView arguments) {
        _cleanup_buf_ Buf text = BUF_INIT(SIZE_MAX / 2); /* not longer than the arguments */
        uint64_t h = hash_mix(hash_stable(model, strlen(model)) +
                              hash_stable(name->original, name->n_original));

        if (json_view_is(arguments, '"') && name->flags & TOOL_NAME_CUSTOM)
                return hash_mix(h + hash_input(arguments));
        if (json_view_is(arguments, '"') && json_view_append(arguments, &text) >= 0 && text.n > 0 &&
            !json_fault(buf_data(&text), text.n))
                arguments = json_view(buf_data(&text), text.n);
        if (!json_view_is(arguments, '{'))
                arguments = json_view("{}", 2);
        return hash_mix(h + hash_value(arguments));
}
