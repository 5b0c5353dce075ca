/* SPDX-License-Identifier: MIT */
#include "base/json/copy.h"
#include "dialect/openai/voice.h"

/* OpenAI's voices, each with one of Gemini's that is described in a similar way. */
static const struct {
        const char *openai, *gemini;
} voices[] = {
        { "alloy", "Kore" },    { "ash", "Orus" },      { "ballad", "Enceladus" }, { "coral", "Aoede" },
        { "echo", "Charon" },   { "fable", "Puck" },    { "nova", "Leda" },        { "onyx", "Algenib" },
        { "sage", "Sulafat" },  { "shimmer", "Zephyr" }, { "verse", "Fenrir" },    { "marin", "Despina" },
        { "cedar", "Iapetus" },
};

void openai_voice_write(JsonView voice, JWriter *w) {
        size_t i = 0;

        while (i < ELEMENTSOF(voices) && !json_view_equals(voice, voices[i].openai))
                i++;
        jwrite_object(w, "speechConfig");
        jwrite_object(w, "voiceConfig");
        jwrite_object(w, "prebuiltVoiceConfig");
        if (i < ELEMENTSOF(voices))
                jwrite_string(w, "voiceName", voices[i].gemini);
        else
                json_copy_value(w, "voiceName", voice);
        jwrite_end(w);
        jwrite_end(w);
        jwrite_end(w);
}
