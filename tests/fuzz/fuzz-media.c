/* SPDX-License-Identifier: MIT */

/*
 * The input is the inside of a JSON string. Whatever it is, the type is valid, and what is written is
 * standard base64 of as many bytes as were announced. Data that is written so is read back as it is.
 */

#include <string.h>

#include "base/json/check.h"
#include "dialect/media.h"

#define OUT_MAX (16U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
        if (!good)
                abort();
}

static void check_base64(const char *s, size_t n, size_t n_decoded) {
        size_t k = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

        check(n > 0 && n % 4 == 0 && n - k <= 2 && strspn(s + k, "=") == n - k);
        check(n / 4 * 3 - (n - k) == n_decoded);
}

static void check_media(const Media *m) {
        _cleanup_buf_ Buf b = BUF_INIT(OUT_MAX);
        JWriter w = JWRITER_INIT(&b);
        Media again = {};
        size_t n_decoded = m->n_decoded;

        for (const char *p = m->type; *p; p++)
                check(*p > ' ' && *p < 0x7F && *p != '"' && *p != '\\' && !(*p >= 'A' && *p <= 'Z'));
        check(!*m->type || strchr(m->type, '/'));
        if (m->form == MEDIA_URI)
                return;
        media_write_data(m, &w, NULL);
        check(b.error == 0 && b.n >= 6);
        if (m->form == MEDIA_PERCENT) {
                size_t padding = buf_data(&b)[b.n - 2] != '=' ? 0 : buf_data(&b)[b.n - 3] != '=' ? 1 : 2;

                n_decoded = (b.n - 2) / 4 * 3 - padding;
                check(n_decoded <= m->n_decoded);
        }
        check(!media_read_data(json_view(buf_data(&b), b.n), m->type, &again));
        check(again.form == MEDIA_BASE64 && again.n_decoded == n_decoded);
        buf_data(&b)[b.n - 1] = 0;
        check_base64(buf_data(&b) + 1, b.n - 2, n_decoded);
}

static void look(JsonView v) {
        Media m = {};
        const char *type = media_type_of_name(v);

        check(!type || strchr(type, '/'));
        (void) media_type_of_audio(v);
        if (!media_read(v, NULL, &m))
                check_media(&m);
        m = (Media){};
        if (!media_read(v, "image/jpeg", &m)) {
                check(*m.type);
                check_media(&m);
        }
        m = (Media){};
        if (!media_read_data(v, "audio/wav", &m)) {
                check(*m.type && m.form != MEDIA_URI);
                check_media(&m);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *json = malloc(size + 2);

        if (!json)
                return 0;
        json[0] = json[size + 1] = '"';
        memcpy(json + 1, data, size);
        if (!json_check(json, size + 2))
                look(json_view(json, size + 2));
        free(json);
        return 0;
}
