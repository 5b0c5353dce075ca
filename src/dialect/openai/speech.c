/* SPDX-License-Identifier: MIT */

/*
 * POST /v1/audio/speech, by generateContent of Gemini's models that speak. Gemini sends samples, so the
 * answer is a WAV file or the bare samples; gemgate encodes nothing. `instructions` go before the text, as
 * Google's guide to speech has the notes for the speaker: these models take no system instruction.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/json/copy.h"
#include "base/limits-media.h"
#include "base/text.h"
#include "dialect/json.h"
#include "dialect/openai/single.h"
#include "dialect/openai/voice.h"
#include "dialect/sound.h"
#include "dialect/store-member.h"

typedef struct Speech {
        OpenaiSingle single;
        bool as_samples; /* response_format: pcm */
        Sound sound;
        int error; /* of the sound: -EBADMSG */
} Speech;

typedef struct Fields {
        JsonView model, input, voice, format, speed, instructions, stream_format;
} Fields;

static Speech *speech_free(Speech *s) {
        if (!s)
                return NULL;
        buf_done(&s->single.t.gemini);
        sound_done(&s->sound);
        free(s);
        return NULL;
}
DEFINE_CLEANUP(Speech *, speech_free);

static Translation *speech_translation_free(Translation *t) {
        (void) speech_free(CONTAINER_OF(t, Speech, single.t));
        return NULL;
}

/* --- the request --- */

static int read_voice(JsonView *voice, ApiError *ret_error) {
        if (json_view_is(*voice, '{'))
                *voice = json_view_get(*voice, "id");
        return single_check_string(*voice, "voice", true, ret_error);
}

static int read_fields(Speech *s, Fields *f, ApiError *ret_error) {
        double speed;
        int r;

        r = single_check_string(f->input, "input", true, ret_error);
        if (r == 0)
                r = read_voice(&f->voice, ret_error);
        if (r == 0)
                r = single_check_string(f->instructions, "instructions", false, ret_error);
        if (r != 0)
                return r;
        s->as_samples = json_view_equals(f->format, "pcm");
        if (!json_view_is_null(f->format) && !s->as_samples && !json_view_equals(f->format, "wav"))
                return dialect_refuse(ret_error, "response_format",
                                      "response_format must be wav or pcm: Gemini sends samples, and "
                                      "gemgate encodes nothing");
        if (!json_view_is_null(f->speed) && (!json_view_is_double(f->speed, &speed) || speed != 1))
                return dialect_refuse(ret_error, "speed",
                                      "speed must be 1: Gemini has no such setting, but instructions can "
                                      "ask for it");
        if (!json_view_is_null(f->stream_format) && !json_view_equals(f->stream_format, "audio"))
                return dialect_refuse(ret_error, "stream_format", "stream_format must be audio");
        return 0;
}

/* The text to be spoken is marked, if something else is before it. */
static void write_text(const Fields *f, Buf *out) {
        if (!json_view_is_null(f->instructions) && !json_view_is_empty(f->instructions)) {
                json_copy_escaped(out, f->instructions);
                (void) buf_puts(out, "\\n\\n#### TRANSCRIPT\\n");
        }
        json_copy_escaped(out, f->input);
}

static int write_request(const DialectContext *c, const Fields *f, size_t n, Buf *out) {
        _cleanup_buf_ Buf text = BUF_INIT(6 * n + PROMPT_FRAME_MAX);
        JWriter w = JWRITER_INIT(out);

        (void) buf_putc(&text, '"');
        write_text(f, &text);
        (void) buf_putc(&text, '"');
        if (text.error < 0)
                return text.error;
        jwrite_object(&w, NULL);
        single_write_prompt(json_view(buf_data(&text), text.n), &w);
        jwrite_object(&w, "generationConfig");
        jwrite_array(&w, "responseModalities");
        jwrite_string(&w, NULL, "AUDIO");
        jwrite_end(&w);
        openai_voice_write(f->voice, &w);
        jwrite_end(&w);
        store_member_write(c, (JsonView){}, &w);
        jwrite_end(&w);
        return out->error;
}

static int translate(const DialectContext *c, JsonView root, size_t n, Speech *s, ApiError *ret_error) {
        Fields f = {};
        int r;
        const JsonMember members[] = {
                JSON_MEMBER("model", &f.model),
                JSON_MEMBER("input", &f.input),
                JSON_MEMBER("voice", &f.voice),
                JSON_MEMBER("response_format", &f.format),
                JSON_MEMBER("speed", &f.speed),
                JSON_MEMBER("instructions", &f.instructions),
                JSON_MEMBER("stream_format", &f.stream_format),
        };

        json_view_members(root, members, ELEMENTSOF(members));
        r = single_read_model(&s->single, c, f.model, MODEL_CAN_AUDIO, "does not speak", ret_error);
        if (r == 0)
                r = read_fields(s, &f, ret_error);
        return r != 0 ? r : write_request(c, &f, n, &s->single.t.gemini);
}

static int speech_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                          ApiError *ret_error) {
        _cleanup_(json_index_done) JsonIndex index = {};
        _cleanup_(speech_freep) Speech *s = NULL;
        JsonView root;
        int r;

        r = json_index_body(body, n, &index, &root, ret_error);
        if (r != 0)
                return r;
        s = calloc(1, sizeof(Speech));
        if (!s)
                return -ENOMEM;
        single_init(&s->single, c, &dialect_openai_speech);
        s->single.t.gemini = BUF_INIT(6 * n + PROMPT_FRAME_MAX);
        s->sound = SOUND_INIT(UPSTREAM_ANSWER_MAX);
        r = translate(c, root, n, s, ret_error);
        if (r != 0)
                return r;
        s->single.t.answer_type = s->as_samples ? "audio/pcm" : "audio/wav";
        *ret = &TAKE_PTR(s)->single.t;
        return 0;
}

/* --- the answer --- */

static bool take(OpenaiSingle *single, const GeminiPart *p) {
        Speech *s = CONTAINER_OF(single, Speech, single);

        if (!sound_is(p))
                return false;
        s->error = s->error ?: sound_add(&s->sound, p);
        return true;
}

static int speech_event(Translation *t, const char *json, size_t n, Buf *out _unused_,
                        Verdict *ret_verdict) {
        Speech *s = CONTAINER_OF(t, Speech, single.t);

        return single_event(&s->single, json, n, take, ret_verdict);
}

static int speech_finish(Translation *t, Buf *out, Verdict *ret_verdict) {
        Speech *s = CONTAINER_OF(t, Speech, single.t);
        int r = single_judge(&s->single, ret_verdict);

        if (r != 0)
                return r;
        if (s->error == -EBADMSG) {
                verdict_init(ret_verdict, VERDICT_OVERLOAD, 200, "an answer with sound of an unknown kind");
                return DIALECT_E_VERDICT;
        }
        if (s->error < 0)
                return s->error;
        if (s->as_samples)
                (void) buf_append(out, buf_data(&s->sound.samples), s->sound.samples.n);
        else
                sound_write_wav(&s->sound, out);
        t->finish_reason = "stop";
        return out->error;
}

static void speech_reset(Translation *t) {
        Speech *s = CONTAINER_OF(t, Speech, single.t);

        single_reset(&s->single);
        t->usage = (Usage){};
        sound_clear(&s->sound);
        s->error = 0;
}

const Dialect dialect_openai_speech = {
        .name = "openai-speech",
        .request = speech_request,
        .event = speech_event,
        .finish = speech_finish,
        .reset = speech_reset,
        .free = speech_translation_free,
};
