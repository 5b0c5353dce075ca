/* SPDX-License-Identifier: MIT */
#include "dialect/sound.h"

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"

#define TYPE_MAX    128U
#define WAV_PCM     1U
#define SAMPLE_BITS 16U

void sound_done(Sound *s) {
        buf_done(&s->samples);
}

void sound_clear(Sound *s) {
        buf_clear(&s->samples);
        s->rate = 0;
}

bool sound_is(const GeminiPart *p) {
        char type[TYPE_MAX];

        if (p->kind != GEMINI_PART_DATA || json_view_is_empty(p->data))
                return false;
        json_view_copy(p->type, type, sizeof(type));
        return strncasecmp(type, "audio/", 6) == 0;
}

static uint32_t get(const Buf *b, size_t at, unsigned n) {
        uint32_t v = 0;

        for (unsigned i = n; i-- > 0;)
                v = v << 8 | (uint8_t) buf_data(b)[at + i];
        return v;
}

static void put(Buf *b, uint32_t v, unsigned n) {
        for (; n > 0; n--, v >>= 8)
                (void) buf_putc(b, (char) (v & 0xFF));
}

/* A WAV file becomes its samples: RIFF, its size, WAVE, then chunks, each with a name and a size. A file
 * that is made while it is sent may have a size beyond its end. */
static int unwrap(Sound *s, size_t from) {
        Buf *b = &s->samples;
        size_t at = from + 12;

        s->rate = 0;
        while (at + 8 <= b->n) {
                const char *name = buf_data(b) + at;
                size_t n = get(b, at + 4, 4), left = b->n - at - 8;

                if (memcmp(name, "fmt ", 4) == 0 && n >= 16 && left >= 16) {
                        if (get(b, at + 8, 2) != WAV_PCM || get(b, at + 22, 2) != SAMPLE_BITS)
                                return -EBADMSG;
                        s->channels = (uint16_t) get(b, at + 10, 2);
                        s->rate = get(b, at + 12, 4);
                } else if (memcmp(name, "data", 4) == 0) {
                        n = MIN(n, left);
                        memmove(buf_data(b) + from, buf_data(b) + at + 8, n);
                        b->n = from + n;
                        return s->rate > 0 && s->channels > 0 ? 0 : -EBADMSG;
                }
                if (n >= left)
                        break;
                at += 8 + n + (n & 1);
        }
        return -EBADMSG;
}

/* `audio/L16;codec=pcm;rate=24000` */
static int read_type(Sound *s, JsonView v) {
        char type[TYPE_MAX];
        const char *rate;

        json_view_copy(v, type, sizeof(type));
        if (strncasecmp(type, "audio/l16", 9) != 0 && strncasecmp(type, "audio/pcm", 9) != 0)
                return -EBADMSG;
        rate = strcasestr(type, "rate=");
        s->rate = rate ? (uint32_t) strtoul(rate + 5, NULL, 10) : 0;
        if (s->rate == 0)
                s->rate = SOUND_RATE;
        s->channels = 1;
        return 0;
}

static int add(Sound *s, const GeminiPart *p, size_t from) {
        JsonText text = json_text(p->data);
        Base64Reader reader = {};
        const char *piece;
        size_t n;

        while (json_text_next(&text, &piece, &n))
                (void) base64_read(&reader, piece, n, &s->samples);
        if (s->samples.error < 0)
                return s->samples.error;
        if (s->samples.n - from >= 12 && memcmp(buf_data(&s->samples) + from, "RIFF", 4) == 0 &&
            memcmp(buf_data(&s->samples) + from + 8, "WAVE", 4) == 0)
                return unwrap(s, from);
        return read_type(s, p->type);
}

/* Samples of another rate cannot follow the ones that are there. */
static bool fits(const Sound *s, const Sound *before) {
        return s->samples.n > before->samples.n &&
               (before->samples.n == 0 || (s->rate == before->rate && s->channels == before->channels));
}

int sound_add(Sound *s, const GeminiPart *p) {
        Sound before = *s;
        int r;

        assert(sound_is(p));

        r = add(s, p, before.samples.n);
        if (r == 0 && !fits(s, &before))
                r = -EBADMSG;
        if (r == -EBADMSG) {
                s->samples.n = before.samples.n;
                s->rate = before.rate;
                s->channels = before.channels;
        }
        return r;
}

void sound_write_wav(const Sound *s, Buf *out) {
        uint32_t n = (uint32_t) s->samples.n, frame = s->channels * SAMPLE_BITS / 8;

        (void) buf_puts(out, "RIFF");
        put(out, 36 + n, 4);
        (void) buf_puts(out, "WAVEfmt ");
        put(out, 16, 4);
        put(out, WAV_PCM, 2);
        put(out, s->channels, 2);
        put(out, s->rate, 4);
        put(out, s->rate * frame, 4);
        put(out, frame, 2);
        put(out, SAMPLE_BITS, 2);
        (void) buf_puts(out, "data");
        put(out, n, 4);
        if (n > 0)
                (void) buf_append(out, buf_data(&s->samples), n);
}
