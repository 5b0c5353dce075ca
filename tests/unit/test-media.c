/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/buf.h"
#include "dialect/media.h"

#define PNG "iVBORw0KGgoAAAANSUhEUg=="

static JsonView view(const char *json) {
        return json_view(json, strlen(json));
}

/* What is written for the string. */
static void check_data(JsonView v, const Media *m, const char *data, MediaForm form) {
        _cleanup_buf_ Buf b = BUF_INIT(4096);
        JWriter w = JWRITER_INIT(&b);

        if (m->form == MEDIA_URI) {
                assert_null(data);
                assert_ptr_equal(m->uri.p, v.p);
                return;
        }
        assert_int_equal(m->form, form);
        media_write_data(m, &w, NULL);
        assert_non_null(buf_cstr(&b));
        assert_string_equal(buf_cstr(&b), data);
        assert_true(b.n - 2 <= (m->n_decoded + 2) / 3 * 4);
        if (m->form != MEDIA_PERCENT)
                assert_int_equal(b.n - 2, (m->n_decoded + 2) / 3 * 4);
}

static void test_read(void **state) {
        static const struct {
                const char *json, *fallback, *type, *data; /* of a fault: `type` is the fault */
                MediaForm form;
        } rows[] = {
                /* as it is */
                { "\"data:image/png;base64," PNG "\"", NULL, "image/png", "\"" PNG "\"", MEDIA_BASE64 },
                { "\"data:text/plain;base64,YWJj\"", NULL, "text/plain", "\"YWJj\"", MEDIA_BASE64 },
                { "\"data:text/plain;base64,YWI=\"", NULL, "text/plain", "\"YWI=\"", MEDIA_BASE64 },
                { "\"DATA:Image/PNG;Base64," PNG "\"", NULL, "image/png", "\"" PNG "\"", MEDIA_BASE64 },
                { "\" data:image/png;base64," PNG "\"", NULL, "image/png", "\"" PNG "\"", MEDIA_BASE64 },
                { "\"data:text/html;charset=utf-8;base64,YWJj\"", NULL, "text/html", "\"YWJj\"",
                  MEDIA_BASE64 },
                { "\"data: image/png ; base64 ,YWJj\"", NULL, "image/png", "\"YWJj\"", MEDIA_BASE64 },
                { "\"data:image\\/png;base64,YWJj\"", NULL, "image/png", "\"YWJj\"", MEDIA_BASE64 },

                /* other names of types, none, and the ones that mean anything */
                { "\"data:image/jpg;base64,YWJj\"", NULL, "image/jpeg", "\"YWJj\"", MEDIA_BASE64 },
                { "\"data:audio/x-wav;base64,YWJj\"", NULL, "audio/wav", "\"YWJj\"", MEDIA_BASE64 },
                { "\"data:;base64," PNG "\"", NULL, "image/png", "\"" PNG "\"", MEDIA_BASE64 },
                { "\"data:;base64," PNG "\"", "image/jpeg", "image/png", "\"" PNG "\"", MEDIA_BASE64 },
                { "\"data:application/octet-stream;base64," PNG "\"", NULL, "image/png", "\"" PNG "\"",
                  MEDIA_BASE64 },
                { "\"data:application/octet-stream;base64,YWJj\"", "image/jpeg", "image/jpeg", "\"YWJj\"",
                  MEDIA_BASE64 },
                { "\"data:base64,YWJj\"", NULL, "text/plain", "\"WVdKag==\"", MEDIA_PERCENT },
                { "\"data:;base64,YWJj\"", NULL, "text/plain", "\"YWJj\"", MEDIA_BASE64 },
                { "\"data:im age/png;base64,YWJj\"", "image/gif", "image/gif", "\"YWJj\"", MEDIA_BASE64 },
                { "\"data:png;base64,YWJj\"", "image/gif", "image/gif", "\"YWJj\"", MEDIA_BASE64 },

                /* base64 in other forms */
                { "\"data:a/b;base64,-_-_\"", NULL, "a/b", "\"+/+/\"", MEDIA_LOOSE },
                { "\"data:a/b;base64,YW\"", NULL, "a/b", "\"YW==\"", MEDIA_LOOSE },
                { "\"data:a/b;base64,YWI\"", NULL, "a/b", "\"YWI=\"", MEDIA_LOOSE },
                { "\"data:a/b;base64,YWI==\"", NULL, "a/b", "\"YWI=\"", MEDIA_LOOSE },
                { "\"data:a/b;base64,YW=\"", NULL, "a/b", "\"YW==\"", MEDIA_LOOSE },
                { "\"data:a/b;base64,YW\\nJj\\r\\n\"", NULL, "a/b", "\"YWJj\"", MEDIA_LOOSE },
                { "\"data:a/b;base64, YWJj \"", NULL, "a/b", "\"YWJj\"", MEDIA_LOOSE },
                { "\"data:a/b;base64,a\\/\\/a\"", NULL, "a/b", "\"a//a\"", MEDIA_LOOSE },
                { "\"data:a/b;base64,a\\u002f+a\"", NULL, "a/b", "\"a/+a\"", MEDIA_LOOSE },
                { "\"data:a/b;base64,a%2Fa%2b\"", NULL, "a/b", "\"a/a+\"", MEDIA_LOOSE },
                { "\"data:a/b;base64,YWI%3D\"", NULL, "a/b", "\"YWI=\"", MEDIA_LOOSE },

                /* no base64 */
                { "\"data:text/plain,abc\"", NULL, "text/plain", "\"YWJj\"", MEDIA_PERCENT },
                { "\"data:,a%20b\"", NULL, "text/plain", "\"YSBi\"", MEDIA_PERCENT },
                { "\"data:,%41%4g%\"", NULL, "text/plain", "\"QSU0ZyU=\"", MEDIA_PERCENT },
                { "\"data:,\\u00e9\"", NULL, "text/plain", "\"w6k=\"", MEDIA_PERCENT },
                { "\"data:,\\u00e9%00a\"", NULL, "text/plain", "\"w6kAYQ==\"", MEDIA_PERCENT },
                { "\"data:text/csv;x=y,a,b\"", NULL, "text/csv", "\"YSxi\"", MEDIA_PERCENT },
                { "\"data:,%89PNG%0D%0A%1A%0A\"", NULL, "image/png", "\"iVBORw0KGgo=\"", MEDIA_PERCENT },

                /* addresses */
                { "\"https://h/a.png\"", NULL, "image/png", NULL, MEDIA_URI },
                { "\"HTTPS://h/a.PNG?x=y.gif#z\"", "image/jpeg", "image/png", NULL, MEDIA_URI },
                { "\"https:\\/\\/h\\/a.webp\"", "image/jpeg", "image/webp", NULL, MEDIA_URI },
                { "\"https://h/a\"", "image/jpeg", "image/jpeg", NULL, MEDIA_URI },
                { "\"https://h/a\"", NULL, "", NULL, MEDIA_URI },
                { "\"gs://bucket/a.pdf\"", NULL, "application/pdf", NULL, MEDIA_URI },
                { "\"https://www.youtube.com/watch?v=x\"", "video/mp4", "video/mp4", NULL, MEDIA_URI },

                /* base64 alone */
                { "\"" PNG "\"", NULL, "image/png", "\"" PNG "\"", MEDIA_BASE64 },
                { "\"JVBERi0xLjc\"", NULL, "application/pdf", "\"JVBERi0xLjc=\"", MEDIA_LOOSE },

                /* faults */
                { "12", NULL, "must be a string", NULL, 0 },
                { "null", NULL, "must be a string", NULL, 0 },
                { "", NULL, "must be a string", NULL, 0 },
                { "\"\"", NULL, "must not be empty", NULL, 0 },
                { "\" \\n\"", NULL, "must not be empty", NULL, 0 },
                { "\"data:image/png;base64,\"", NULL, "must not be empty", NULL, 0 },
                { "\"data:image/png;base64,==\"", NULL, "must not be empty", NULL, 0 },
                { "\"data:,\"", NULL, "must not be empty", NULL, 0 },
                { "\"data:image/png;base64,a\"", NULL, "must be base64", NULL, 0 },
                { "\"data:image/png;base64,abc!\"", NULL, "must be base64", NULL, 0 },
                { "\"data:image/png;base64,ab=c\"", NULL, "must be base64", NULL, 0 },
                { "\"data:image/png;base64,YWJj\\u0000\"", NULL, "must be base64", NULL, 0 },
                { "\"data:image/png;base64,YW\\u00e9j\"", NULL, "must be base64", NULL, 0 },
                { "\"data:a/b;base64\"", NULL, "must be a data: URL with a comma before the data", NULL, 0 },
                { "\"http://h/a.png\"", NULL, "must be a data: or https: URL", NULL, 0 },
                { "\"file:///etc/passwd\"", NULL, "must be a data: or https: URL", NULL, 0 },
                { "\"ftp://h/a\"", NULL, "must be a data: or https: URL", NULL, 0 },
                { "\"files/abc\"", NULL, "must be a data: or https: URL", NULL, 0 },
                { "\"a.png\"", NULL, "must be a data: or https: URL", NULL, 0 },
                { "\"YWJj\"", NULL, "must be a data: or https: URL", NULL, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                JsonView v = view(rows[i].json);
                const char *fault;
                Media m = {};

                fault = media_read(v, rows[i].fallback, &m);
                if (!rows[i].data && rows[i].form != MEDIA_URI)
                        fail();
                if (strncmp(rows[i].type, "must", 4) == 0) {
                        assert_non_null(fault);
                        assert_string_equal(fault, rows[i].type);
                        continue;
                }
                if (fault)
                        fail_msg("%s: %s", rows[i].json, fault);
                assert_string_equal(m.type, rows[i].type);
                check_data(v, &m, rows[i].data, rows[i].form);
        }
}

static void test_read_data(void **state) {
        static const struct {
                const char *json, *type, *expected, *data;
        } rows[] = {
                { "\"YWJj\"", "audio/wav", "audio/wav", "\"YWJj\"" },
                { "\"YWJj\"", "AUDIO/X-WAV", "audio/wav", "\"YWJj\"" },
                { "\"" PNG "\"", NULL, "image/png", "\"" PNG "\"" },
                { "\"" PNG "\"", "application/octet-stream", "image/png", "\"" PNG "\"" },
                { "\"YWJj\"", NULL, "", "\"YWJj\"" },
                { "\"data:audio/mpeg;base64,YWJj\"", "audio/wav", "audio/mpeg", "\"YWJj\"" },
                { "\"data:;base64,YWJj\"", "audio/wav", "audio/wav", "\"YWJj\"" },
                { "\"https://h/a\"", "audio/wav", NULL, "must be base64" },
                { "\"\"", "audio/wav", NULL, "must not be empty" },
                { "{}", "audio/wav", NULL, "must be a string" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *fault;
                Media m = {};

                fault = media_read_data(view(rows[i].json), rows[i].type, &m);
                if (!rows[i].expected) {
                        assert_non_null(fault);
                        assert_string_equal(fault, rows[i].data);
                        continue;
                }
                assert_null(fault);
                assert_string_equal(m.type, rows[i].expected);
                check_data(view(rows[i].json), &m, rows[i].data, MEDIA_BASE64);
        }
}

static void read_and_write(Buf *json, Media *ret, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        assert_null(media_read(json_view(buf_data(json), json->n), NULL, ret));
        media_write_data(ret, &w, NULL);
}

/* Longer than the chunks in which it is written. */
static void test_long(void **state) {
        _cleanup_buf_ Buf json = BUF_INIT(200000), expected = BUF_INIT(200000), out = BUF_INIT(200000);
        Media m = {};

        (void) buf_puts(&json, "\"data:a/b;base64,");
        (void) buf_putc(&expected, '"');
        for (unsigned i = 0; i < 90001; i++) {
                (void) buf_putc(&json, (char) ('a' + i % 26));
                (void) buf_putc(&expected, (char) ('a' + i % 26));
                if (i % 76 == 75)
                        (void) buf_puts(&json, "\\r\\n");
        }
        (void) buf_puts(&json, "bc\"");
        (void) buf_puts(&expected, "bc=\"");
        read_and_write(&json, &m, &out);
        assert_int_equal(m.form, MEDIA_LOOSE);
        assert_string_equal(buf_cstr(&out), buf_cstr(&expected));

        buf_clear(&json);
        buf_clear(&out);
        (void) buf_puts(&json, "\"data:,");
        for (unsigned i = 0; i < 50001; i++)
                (void) buf_putc(&json, 'a');
        (void) buf_putc(&json, '"');
        read_and_write(&json, &m, &out);
        assert_int_equal(out.n, 50001 / 3 * 4 + 2);
        for (size_t i = 0; i + 2 < out.n; i++)
                assert_int_equal(buf_data(&out)[i + 1], "YWFh"[i % 4]);

        buf_data(&json)[6] = 'a'; /* the comma */
        buf_data(&json)[json.n - 2] = ',';
        assert_string_equal(media_read(json_view(buf_data(&json), json.n), NULL, &m),
                            "must be a data: URL with a short type");
}

static void test_types(void **state) {
        static const struct {
                const char *(*find)(JsonView);
                const char *json, *type;
        } rows[] = {
                { media_type_of_audio, "\"wav\"", "audio/wav" },
                { media_type_of_audio, "\"mp3\"", "audio/mp3" },
                { media_type_of_audio, "\"MP3\"", "audio/mp3" },
                { media_type_of_audio, "\"pcm16\"", "audio/pcm" },
                { media_type_of_audio, "\"opus\"", "audio/opus" },
                { media_type_of_audio, "\"png\"", NULL },
                { media_type_of_audio, "\"\"", NULL },
                { media_type_of_audio, "3", NULL },
                { media_type_of_audio, "\"wavwavwavwav\"", NULL },
                { media_type_of_name, "\"a.pdf\"", "application/pdf" },
                { media_type_of_name, "\"a.tar.PDF\"", "application/pdf" },
                { media_type_of_name, "\"C:\\\\a.b\\\\c.png\"", "image/png" },
                { media_type_of_name, "\"/a.png/b\"", NULL },
                { media_type_of_name, "\".png\"", "image/png" },
                { media_type_of_name, "\"png\"", NULL },
                { media_type_of_name, "\"a.\"", NULL },
                { media_type_of_name, "\"a.unknown\"", NULL },
                { media_type_of_name, "\"https://example.md\"", NULL },
                { media_type_of_name, "\"https://example.md/\"", NULL },
                { media_type_of_name, "\"https://example.com/a.md?b/c.png\"", "text/md" },
                { media_type_of_name, "\"https://example.com?a.png\"", NULL },
                { media_type_of_name, "null", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *type = rows[i].find(view(rows[i].json));

                if (!rows[i].type)
                        assert_null(type);
                else {
                        assert_non_null(type);
                        assert_string_equal(type, rows[i].type);
                }
        }
}

static void test_bytes(void **state) {
        static const struct {
                const char *bytes;
                size_t n;
                const char *type;
        } rows[] = {
                { "\xFF\xD8\xFF\xE0", 4, "image/jpeg" },
                { "RIFF\0\0\0\0WAVE", 12, "audio/wav" },
                { "RIFF\0\0\0\0WEBP", 12, "image/webp" },
                { "RIFF\0\0\0\0WEB", 11, NULL },
                { "RIFF\0\0\0\0XXXX", 12, NULL },
                { "ID3\4", 4, "audio/mp3" },
                { "\0\0\0\x18" "ftypisom", 12, "video/mp4" },
                { "\0\0\0\x18" "ftypheic", 12, "image/heic" },
                { "BM\1\2\3\4\0\0\0\0", 10, "image/bmp" },
                { "BMW is a car", 12, NULL },
                { "OggS", 4, "audio/ogg" },
                { "", 0, NULL },
                { "hello", 5, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *type = media_type_of_bytes((const uint8_t *) rows[i].bytes, rows[i].n);

                if (!rows[i].type)
                        assert_null(type);
                else {
                        assert_non_null(type);
                        assert_string_equal(type, rows[i].type);
                }
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_read),  cmocka_unit_test(test_read_data), cmocka_unit_test(test_long),
                cmocka_unit_test(test_types), cmocka_unit_test(test_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
