/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Sound that Gemini has made: 16-bit samples, little-endian, either bare (`audio/L16;rate=24000`) or as a
 * WAV file. Both are kept as samples, so that the client gets the one that it asks for.
 */

#include "base/base64.h"
#include "dialect/part.h"

#define SOUND_RATE 24000U /* of Gemini's and of OpenAI's bare samples */

typedef struct Sound {
        Buf samples;
        uint32_t rate;     /* a second; 0: nothing was added */
        uint16_t channels;
} Sound;

#define SOUND_INIT(max) ((Sound){ .samples = BUF_INIT(max) })

void sound_done(Sound *s);
void sound_clear(Sound *s);

/* True if the part is sound. */
bool sound_is(const GeminiPart *p);

/* Appends the samples of a part that is sound. -EBADMSG: it is of a kind that is not known, has no samples,
 * or does not fit those before, and nothing was appended; -ENOMEM. */
int sound_add(Sound *s, const GeminiPart *p);

void sound_write_wav(const Sound *s, Buf *out);
