/* SPDX-License-Identifier: MIT */

/*
 * A form with a file. The first line is its Content-Type, the rest the body. Each part lies within the body,
 * behind the one before; and whatever the form is, it is refused with a 400 that can be sent, or it becomes
 * JSON that Gemini can be asked, with the file in it.
 */

#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/json.h"
#include "dialect/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
        if (!good)
                abort();
}

static const char *header(const char *name, void *userdata) {
        return streq(name, "content-type") ? userdata : NULL;
}

static void check_parts(const char *type, const char *body, size_t n) {
        const char *before = body;
        MultipartPart p;
        unsigned parts = 0;
        Multipart m;

        if (multipart_begin(&m, type, body, n) < 0)
                return;
        while (multipart_next(&m, &p) > 0) {
                check(p.data >= before && p.n <= n && p.data + p.n <= body + n);
                check(!memmem(p.data, p.n, m.delimiter, m.n_delimiter));
                before = p.data + p.n;
                check(++parts <= MULTIPART_PARTS_MAX);
        }
}

static void check_request(const char *type, const char *body, size_t n) {
        const DialectContext context = { .request_id = "req-1",
                                         .header = header,
                                         .request = (void *) (uintptr_t) type };
        _cleanup_(translation_freep) Translation *t = NULL;
        _cleanup_json_ struct json_object *o = NULL;
        ApiError e = {};
        int r;

        r = dialect_openai_transcriptions.request(&context, body, n, &t, &e);
        if (r == DIALECT_E_REFUSED) {
                check(e.status == 400 && e.message[0] && text_is_utf8(e.message, strlen(e.message)));
                return;
        }
        check(r == 0 && t->model[0] && json_parse(buf_data(&t->gemini), t->gemini.n, &o) == 0);
        check(json_array_length(json_get(o, "contents")) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const uint8_t *line = memchr(data, '\n', size);
        char type[512];
        size_t n;

        if (!line || (size_t) (line - data) >= sizeof(type))
                return 0;
        memcpy(type, data, (size_t) (line - data));
        type[line - data] = 0;
        n = size - (size_t) (line + 1 - data);
        check_parts(type, (const char *) line + 1, n);
        check_request(type, (const char *) line + 1, n);
        return 0;
}
