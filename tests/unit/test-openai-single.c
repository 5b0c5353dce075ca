/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/openai/single.h"

/* Images and speech: what is asked of Gemini, and what becomes of its answers. */

static const DialectContext context = { .request_id = "req-1", .created = 1790000000 };

typedef struct RequestRow {
        const Dialect *dialect;
        const char *body;
        const char *config; /* generationConfig, without its brackets; NULL: refused… */
        const char *param;  /* …with this one; else the text */
} RequestRow;

#define IMAGE  &dialect_openai_images
#define SPEECH &dialect_openai_speech
#define DRAW   "\"model\":\"gemini-3.1-flash-image\",\"prompt\":\"a \\\"cat\\\"\""
#define SPEAK  "\"model\":\"gemini-3.8-flash-tts\",\"input\":\"Hi\",\"voice\":"
#define DRAWN  "\"responseModalities\":[\"IMAGE\"]"
#define SPOKEN(name)                                                                                        \
        "\"responseModalities\":[\"AUDIO\"],"                                                               \
        "\"speechConfig\":{\"voiceConfig\":{\"prebuiltVoiceConfig\":{"                                      \
        "\"voiceName\":\"" name "\"}}}"
#define SIZED(size, ratio, more)                                                                            \
        { IMAGE, "{" DRAW ",\"size\":\"" size "\"}",                                                        \
          DRAWN ",\"imageConfig\":{\"aspectRatio\":\"" ratio "\"" more "}", "a \\\"cat\\\"" }
#define CAT "a \\\"cat\\\""

static void test_requests(void **state) {
        static const RequestRow rows[] = {
                { IMAGE, "{" DRAW "}", DRAWN, CAT },
                { IMAGE,
                  "{" DRAW ",\"n\":3,\"size\":\"auto\",\"quality\":\"hd\","
                  "\"style\":\"vivid\",\"user\":\"u\","
                  "\"response_format\":\"url\",\"background\":\"opaque\",\"moderation\":\"low\","
                  "\"output_format\":\"webp\",\"output_compression\":50,\"stream\":false}",
                  DRAWN, CAT },
                { IMAGE, "{" DRAW ",\"n\":null,\"size\":null,\"response_format\":null,\"stream\":null}",
                  DRAWN,
                  CAT },
                SIZED("256x256", "1:1", ""),
                SIZED("1024x1024", "1:1", ""),
                SIZED("1536x1024", "3:2", ""),
                SIZED("1024x1536", "2:3", ""),
                SIZED("1792x1024", "16:9", ""),
                SIZED("1024x1792", "9:16", ""),
                SIZED("1000x1", "8:1", ""),
                SIZED("2048x2048", "1:1", ",\"imageSize\":\"2K\""),
                SIZED("3840x2160", "16:9", ",\"imageSize\":\"4K\""),
                SIZED("16384x16384", "1:1", ",\"imageSize\":\"4K\""),
                { IMAGE, "{" DRAW ",\"size\":\"16385x1\"}", NULL, "size" },
                { IMAGE, "{" DRAW ",\"size\":\"1024\"}", NULL, "size" },
                { IMAGE, "{" DRAW ",\"size\":\"0x1\"}", NULL, "size" },
                { IMAGE, "{" DRAW ",\"size\":\"1x-1\"}", NULL, "size" },
                { IMAGE, "{" DRAW ",\"size\":\"1x2x3\"}", NULL, "size" },
                { IMAGE, "{" DRAW ",\"size\":\"99999999999999999999x9\"}", NULL, "size" },
                { IMAGE, "{" DRAW ",\"size\":1024}", NULL, "size" },
                { IMAGE, "{" DRAW ",\"n\":0}", NULL, "n" },
                { IMAGE, "{" DRAW ",\"n\":11}", NULL, "n" },
                { IMAGE, "{" DRAW ",\"n\":\"2\"}", NULL, "n" },
                { IMAGE, "{" DRAW ",\"response_format\":\"png\"}", NULL, "response_format" },
                { IMAGE, "{" DRAW ",\"background\":\"transparent\"}", NULL, "background" },
                { IMAGE, "{" DRAW ",\"stream\":true}", NULL, "stream" },
                { IMAGE, "{\"model\":\"gemini-3.1-flash-image\"}", NULL, "prompt" },
                { IMAGE, "{\"model\":\"gemini-3.1-flash-image\",\"prompt\":\"\"}", NULL, "prompt" },
                { IMAGE, "{\"model\":\"gemini-3.1-flash-image\",\"prompt\":[]}", NULL, "prompt" },
                { IMAGE, "{\"model\":\"gemini-3.8-flash\",\"prompt\":\"x\"}", NULL, "model" },
                { IMAGE, "{\"prompt\":\"x\"}", NULL, "model" },
                { IMAGE, "[]", NULL, "" },

                { SPEECH, "{" SPEAK "\"alloy\"}", SPOKEN("Kore"), "Hi" },
                { SPEECH, "{" SPEAK "\"Zephyr\",\"response_format\":\"pcm\",\"speed\":1.0}",
                  SPOKEN("Zephyr"),
                  "Hi" },
                { SPEECH, "{" SPEAK "{\"id\":\"nova\"},\"instructions\":\"\",\"stream_format\":\"audio\"}",
                  SPOKEN("Leda"), "Hi" },
                { SPEECH, "{" SPEAK "\"alloy\",\"instructions\":\"Say \\\"it\\\" softly.\"}", SPOKEN("Kore"),
                  "Say \\\"it\\\" softly.\\n\\n#### TRANSCRIPT\\nHi" },
                { SPEECH, "{" SPEAK "\"alloy\",\"response_format\":\"mp3\"}", NULL, "response_format" },
                { SPEECH, "{" SPEAK "\"alloy\",\"response_format\":7}", NULL, "response_format" },
                { SPEECH, "{" SPEAK "\"alloy\",\"speed\":1.5}", NULL, "speed" },
                { SPEECH, "{" SPEAK "\"alloy\",\"speed\":\"1\"}", NULL, "speed" },
                { SPEECH, "{" SPEAK "\"alloy\",\"stream_format\":\"sse\"}", NULL, "stream_format" },
                { SPEECH, "{" SPEAK "\"alloy\",\"instructions\":{}}", NULL, "instructions" },
                { SPEECH, "{" SPEAK "null}", NULL, "voice" },
                { SPEECH, "{" SPEAK "{}}", NULL, "voice" },
                { SPEECH, "{\"model\":\"gemini-3.8-flash-tts\",\"voice\":\"alloy\"}", NULL, "input" },
                { SPEECH, "{\"model\":\"gemini-3.8-flash\",\"voice\":\"alloy\",\"input\":\"x\"}", NULL,
                  "model" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(translation_freep) Translation *t = NULL;
                char want[1024];
                ApiError e = {};
                int r;

                print_message("%s\n", rows[i].body);
                r = rows[i].dialect->request(&context, rows[i].body, strlen(rows[i].body), &t, &e);
                if (!rows[i].config) {
                        assert_int_equal(r, DIALECT_E_REFUSED);
                        assert_int_equal(e.status, 400);
                        assert_string_equal(e.param, rows[i].param);
                        continue;
                }
                assert_int_equal(r, 0);
                (void) snprintf(want, sizeof(want),
                                "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"%s\"}]}],"
                                "\"generationConfig\":{%s}}",
                                rows[i].param, rows[i].config);
                assert_string_equal(buf_cstr(&t->gemini), want);
        }
}

/* --- answers --- */

typedef struct AnswerRow {
        const Dialect *dialect;
        const char *more;   /* of the request */
        const char *answer; /* the candidate's members, or all of it if it begins with a brace */
        const char *want;   /* NULL: no answer… */
        VerdictClass class; /* …but this */
        size_t n;           /* bytes of `want`, if it holds NULs */
} AnswerRow;

#define PARTS(parts, finish) "\"content\":{\"parts\":[" parts "]},\"finishReason\":\"" finish "\""
#define PART(type, data)     "{\"inlineData\":{\"mimeType\":\"" type "\",\"data\":\"" data "\"}}"
#define USAGE                                                                                               \
        "\"usageMetadata\":{\"promptTokenCount\":3,\"candidatesTokenCount\":9,\"totalTokenCount\":12,"      \
        "\"promptTokensDetails\":[{\"modality\":\"TEXT\",\"tokenCount\":3}]}"
#define COUNTED                                                                                             \
        "\"usage\":{\"input_tokens\":3,\"output_tokens\":9,\"total_tokens\":12,"                            \
        "\"input_tokens_details\":{"                                                                        \
        "\"text_tokens\":3,\"image_tokens\":0}}}"
#define DRAWING(data, format)                                                                               \
        "{\"created\":1790000000,\"data\":[" data "],\"output_format\":\"" format "\"," COUNTED

static void test_answers(void **state) {
        static const char wav[] = "RIFF\x28\0\0\0"
                                  "WAVEfmt \x10\0\0\0\1\0\1\0\xC0\x5D\0\0\x80\xBB\0\0\2\0\x10\0"
                                  "data\4\0\0\0\1\2\3\4";
        static const AnswerRow rows[] = {
                { IMAGE, "", PARTS(PART("image/png", "QUJD"), "STOP"),
                  DRAWING("{\"b64_json\":\"QUJD\"}", "png") },
                { IMAGE, ",\"response_format\":\"url\"", PARTS(PART("image/jpeg", "QUJD"), "STOP"),
                  DRAWING("{\"url\":\"data:image/jpeg;base64,QUJD\"}", "jpeg") },
                { IMAGE, "",
                  PARTS("{\"text\":\"Here\"}," PART("image/png", "QQ==") "," PART("image/png", "Qg=="),
                  "STOP"),
                  DRAWING("{\"b64_json\":\"QQ==\"}", "png") },
                { IMAGE, "",
                  PARTS("{\"thought\":true,\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"QQ==\"}}",
                  "STOP"),
                  NULL, VERDICT_OVERLOAD },
                { IMAGE, "", PARTS("{\"text\":\"I cannot\"}", "STOP"), NULL, VERDICT_OVERLOAD },
                { IMAGE, "", PARTS(PART("image/png", ""), "STOP"), NULL, VERDICT_OVERLOAD },
                { IMAGE, "", PARTS(PART("audio/wav", "QUJD"), "STOP"), NULL, VERDICT_OVERLOAD },
                { IMAGE, "", "\"finishReason\":\"IMAGE_SAFETY\",\"finishMessage\":\"no\"", NULL,
                  VERDICT_REQUEST },
                { IMAGE, "", "\"finishReason\":\"NO_IMAGE\"", NULL, VERDICT_OVERLOAD },
                { IMAGE, "", "\"finishReason\":\"PUP_LIMITED_DISABLED\"", NULL, VERDICT_PROJECT_DEAD },
                { IMAGE, "", "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", NULL, VERDICT_REQUEST },
                { IMAGE, "", "{}", NULL, VERDICT_OVERLOAD },

                { SPEECH, "", PARTS(PART("audio/L16;codec=pcm;rate=24000", "AQIDBA=="), "STOP"), wav,
                  .n = sizeof(wav) - 1 },
                { SPEECH, "", PARTS(PART("audio/L16", "AQI\\u003d") "," PART("audio/pcm", "AwQ="), "STOP"),
                  wav,
                  .n = sizeof(wav) - 1 },
                { SPEECH, ",\"response_format\":\"pcm\"", PARTS(PART("audio/L16", "AQIDBA=="), "STOP"),
                  "\1\2\3\4", .n = 4 },
                /* A WAV file with a chunk that is skipped, and a size of 0xFFFFFFFF. */
                { SPEECH, "",
                  PARTS(PART("audio/wav",
                  "UklGRv////9XQVZFTElTVAMAAABhYmMAZm10IBAAAAABAAEAwF0AAIC7AAACABAAZGF0"
                                          "Yf////8BAgME"), "STOP"),
                  wav, .n = sizeof(wav) - 1 },
                { SPEECH, "", PARTS(PART("audio/wav", "UklGRv////9XQVZF"), "STOP"), NULL, VERDICT_OVERLOAD },
                { SPEECH, "", PARTS(PART("audio/L16", "!!!"), "STOP"), NULL, VERDICT_OVERLOAD },
                { SPEECH, "",
                  PARTS(PART("audio/L16", "AQIDBA==") "," PART("audio/L16;rate=8000", "AQIDBA=="), "STOP"),
                  NULL, VERDICT_OVERLOAD },
                { SPEECH, "", PARTS(PART("audio/mpeg", "AQIDBA=="), "STOP"), NULL, VERDICT_OVERLOAD },
                { SPEECH, "", PARTS("{\"text\":\"Hi\"}", "STOP"), NULL, VERDICT_OVERLOAD },
                { SPEECH, "", "\"finishReason\":\"PROHIBITED_CONTENT\"", NULL, VERDICT_REQUEST },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(translation_freep) Translation *t = NULL;
                _cleanup_buf_ Buf out = BUF_INIT(65536);
                char body[512], answer[1024];
                ApiError e = {};
                Verdict v;
                int r;

                (void) snprintf(body, sizeof(body), "{%s%s}",
                                rows[i].dialect == IMAGE ? DRAW : SPEAK "\"alloy\"", rows[i].more);
                (void) snprintf(answer, sizeof(answer),
                                rows[i].answer[0] == '{' ? "%s" : "{\"candidates\":[{%s}]," USAGE "}",
                                rows[i].answer);
                print_message("%s\n", answer);
                assert_int_equal(rows[i].dialect->request(&context, body, strlen(body), &t, &e), 0);

                for (unsigned k = 0; k < 2; k++) { /* also after a reset */
                        buf_clear(&out);
                        verdict_init(&v, VERDICT_OK, 200, NULL);
                        assert_int_equal(translation_event(t, answer, strlen(answer), &out, &v), 0);
                        r = t->dialect->finish(t, &out, &v);
                        if (!rows[i].want) {
                                assert_int_equal(r, DIALECT_E_VERDICT);
                                assert_int_equal(v.class, rows[i].class);
                        } else {
                                assert_int_equal(r, 0);
                                assert_int_equal(out.n, rows[i].n ?: strlen(rows[i].want));
                                assert_memory_equal(buf_data(&out), rows[i].want, out.n);
                                if (rows[i].dialect == IMAGE)
                                        break; /* it is whole: there is no other try */
                        }
                        t->dialect->reset(t);
                        assert_false(translation_is_settled(t));
                }
        }
}

/* Several images are several requests; what a failed one has brought is forgotten. */
static void test_images(void **state) {
        static const char good[] = "{\"candidates\":[{" PARTS(PART("image/png", "QUJD"),
        "STOP") "}]," USAGE "}",
                          bad[] = "{\"candidates\":[{" PARTS("", "IMAGE_OTHER") "}]," USAGE "}";
        static const char body[] = "{" DRAW ",\"n\":3}";
        _cleanup_(translation_freep) Translation *t = NULL;
        _cleanup_buf_ Buf out = BUF_INIT(64); /* it may be more than one answer */
        ApiError e = {};
        Verdict v;

        assert_int_equal(dialect_openai_images.request(&context, body, strlen(body), &t, &e), 0);
        for (unsigned i = 0; i < 3; i++) {
                assert_false(translation_is_settled(t));
                assert_int_equal(translation_event(t, bad, strlen(bad), &out, &v), 0);
                assert_int_equal(t->dialect->finish(t, &out, &v), DIALECT_E_VERDICT);
                t->dialect->reset(t);
                assert_int_equal(translation_event(t, good, strlen(good), &out, &v), 0);
                t->dialect->reset(t); /* the transfer broke off */
                assert_int_equal(translation_event(t, good, strlen(good), &out, &v), 0);
                assert_int_equal(t->dialect->finish(t, &out, &v), i < 2 ? DIALECT_E_MORE : 0);
        }
        assert_string_equal(buf_cstr(&out),
                            "{\"created\":1790000000,\"data\":[{\"b64_json\":\"QUJD\"},"
                            "{\"b64_json\":\"QUJD\"},"
                            "{\"b64_json\":\"QUJD\"}],\"output_format\":\"png\","
                            "\"usage\":{\"input_tokens\":9,"
                            "\"output_tokens\":27,\"total_tokens\":36,\"input_tokens_details\":{"
                            "\"text_tokens\":9,\"image_tokens\":0}}}");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_requests),
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_images),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
