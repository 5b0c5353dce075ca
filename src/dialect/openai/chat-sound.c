/* SPDX-License-Identifier: MIT */

/*
 * Sound in Gemini's answer: a message's `audio`, as a WAV file or bare samples; in a stream, deltas of bare
 * samples. SDKs join the strings of deltas, so the id and the transcript are in the first one only. gemgate
 * stores no sound, so it expires when it is made: its id cannot be used in a later request.
 */

#include <errno.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/text.h"
#include "dialect/openai/answer.h"

static void write_id(const OpenaiChat *chat, JWriter *w) {
        char id[sizeof("audio_") + REQUEST_ID_MAX];

        (void) snprintf(id, sizeof(id), "audio_%s", chat->request_id);
        jwrite_string(w, "id", id);
}

static void write_data(const Buf *b, JWriter *w) {
        jwrite_raw(w, "data", "\"");
        if (b->n > 0)
                (void) base64_append(w->buf, (const uint8_t *) buf_data(b), b->n);
        (void) buf_putc(w->buf, '"');
}

static void write_delta(OpenaiChat *chat, size_t index, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        openai_chunk_open(chat, index, out);
        jwrite_object(&w, NULL);
        jwrite_object(&w, "audio");
        if (chat->choices[index].n_sounds == 0) {
                write_id(chat, &w);
                jwrite_string(&w, "transcript", "");
        }
        write_data(&chat->sound.samples, &w);
        jwrite_end(&w);
        jwrite_end(&w);
        openai_chunk_close(chat, out);
}

bool openai_sound_add(OpenaiChat *chat, size_t index, const GeminiPart *p, Buf *out) {
        if (index > 0 || chat->is_completion || !sound_is(p)) /* models that speak have one candidate */
                return false;
        if (translation_streams(&chat->t))
                sound_clear(&chat->sound);
        if (sound_add(&chat->sound, p) < 0)
                return false;
        if (translation_streams(&chat->t))
                write_delta(chat, index, out);
        chat->choices[index].n_sounds++;
        return true;
}

void openai_sound_write(const OpenaiChat *chat, size_t index, JWriter *w) {
        const OpenaiChoice *choice = &chat->choices[index];
        _cleanup_buf_ Buf wav = BUF_INIT(UPSTREAM_ANSWER_MAX + 64);

        if (choice->n_sounds == 0)
                return;
        jwrite_object(w, "audio");
        write_id(chat, w);
        if (streq(chat->audio_format, "pcm16"))
                write_data(&chat->sound.samples, w);
        else {
                sound_write_wav(&chat->sound, &wav);
                write_data(&wav, w);
        }
        jwrite_uint(w, "expires_at", chat->created);
        jwrite_string_n(w, "transcript", choice->text.n > 0 ? buf_data(&choice->text) : "", choice->text.n);
        jwrite_end(w);
}

void openai_sound_end(OpenaiChat *chat, size_t index, Buf *out) {
        if (chat->choices[index].n_sounds == 0)
                return;
        openai_chunk_open(chat, index, out);
        (void) buf_printf(out, "{\"audio\":{\"expires_at\":%llu}}", (unsigned long long) chat->created);
        openai_chunk_close(chat, out);
}
