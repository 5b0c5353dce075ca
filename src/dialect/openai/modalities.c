/* SPDX-License-Identifier: MIT */

/* What an answer is made of: text, images, sound, and the voice of the sound. A kind that the model does not
 * have is left out, as long as another one is requested that it has. */

#include <errno.h>

#include "base/json/copy.h"
#include "base/text.h"
#include "dialect/openai/config.h"
#include "dialect/openai/voice.h"

static const struct {
        ChatModality modality;
        const char *name, *gemini;
        ModelCan needs;
} modalities[] = {
        { MODALITY_TEXT, "text", "TEXT", MODEL_CAN_TEXT },
        { MODALITY_IMAGE, "image", "IMAGE", MODEL_CAN_IMAGE },
        { MODALITY_AUDIO, "audio", "AUDIO", MODEL_CAN_AUDIO },
};

static const char *const formats[] = { "wav", "aac", "mp3", "flac", "opus", "pcm16" };

int chat_read_modalities(ChatRequest *q, JsonView v) {
        JsonCursor c = json_enter(v);
        JsonView m;

        while (json_next(&c, NULL, &m)) {
                char name[16];
                size_t i = 0;

                json_view_copy(m, name, sizeof(name));
                while (i < ELEMENTSOF(modalities) && !strcaseeq(name, modalities[i].name))
                        i++;
                if (i == ELEMENTSOF(modalities))
                        return chat_refuse(q, "must be text, image or audio, or several of them",
                                           "modalities");
                q->modalities |= modalities[i].modality;
        }
        return 0;
}

int chat_read_audio(ChatRequest *q, JsonView v) {
        JsonView voice = json_view_get(v, "voice"), format = json_view_get(v, "format");
        int r;

        if (json_view_is(voice, '{'))
                voice = json_view_get(voice, "id");
        if (!json_view_is_null(voice)) {
                r = chat_check_type(q, voice, TYPE_STRING, "audio.voice");
                if (r != 0)
                        return r;
                q->voice = voice;
        }
        if (json_view_is_null(format))
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(formats); i++)
                if (json_view_equals(format, formats[i])) {
                        text_copy(q->chat->audio_format, sizeof(q->chat->audio_format), formats[i]);
                        return 0;
                }
        return chat_refuse(q, "must be wav, mp3, flac, opus, aac or pcm16", "audio.format");
}

/* Gemini sends samples, and gemgate encodes nothing. The head of a WAV file has its size, which is not known
 * in a stream. */
static int check_format(ChatRequest *q) {
        const char *format = q->chat->audio_format;

        if (!*format || streq(format, "pcm16"))
                return 0;
        if (translation_streams(&q->chat->t))
                return chat_refuse(q, "must be pcm16 in a stream", "audio.format");
        return streq(format, "wav") ? 0 : chat_refuse(q, "must be wav or pcm16", "audio.format");
}

int chat_settle_modalities(ChatRequest *q) {
        ChatModality can = 0;

        for (size_t i = 0; i < ELEMENTSOF(modalities); i++)
                if (model_can(q->rules, modalities[i].needs))
                        can |= modalities[i].modality;
        if (q->modalities == 0)
                q->modalities = can & MODALITY_TEXT ? 0 : can;
        else if (q->modalities == MODALITY_TEXT && !(can & MODALITY_TEXT))
                q->modalities = can; /* many clients send ["text"] whatever the model is */
        else if ((q->modalities & can) == 0)
                return dialect_refuse(q->error, "modalities",
                                      "modalities: the model %s has no answer of this kind", q->model);
        else
                q->modalities &= can;
        q->chat->has_audio = q->modalities & MODALITY_AUDIO;
        return q->chat->has_audio ? check_format(q) : 0;
}

static void write_voice(const ChatRequest *q, JWriter *w) {
        if (q->google[GOOGLE_SPEECH_CONFIG].p) {
                json_copy_value(w, "speechConfig", q->google[GOOGLE_SPEECH_CONFIG]);
                return;
        }
        if (!q->voice.p || json_view_is_empty(q->voice))
                return;
        openai_voice_write(q->voice, w);
}

/* Text alone is what a model answers with if nothing else is requested; not so a model of images. */
void chat_write_modalities(ChatRequest *q, JWriter *w) {
        if (q->modalities == 0 ||
            (q->modalities == MODALITY_TEXT && !model_can(q->rules, MODEL_CAN_IMAGE)))
                return;
        jwrite_array(w, "responseModalities");
        for (size_t i = 0; i < ELEMENTSOF(modalities); i++)
                if (q->modalities & modalities[i].modality)
                        jwrite_string(w, NULL, modalities[i].gemini);
        jwrite_end(w);
        if (q->chat->has_audio)
                write_voice(q, w);
}
