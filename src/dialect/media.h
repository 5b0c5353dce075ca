/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Pictures, sounds and files in a client's request: as a data: URL, as base64, or by a URL that Google reads
 * itself. Nothing is fetched here and nothing is copied: a Media is a view of the client's body.
 *
 * Gemini takes standard base64 with its padding. Clients also send the URL-safe letters, no padding, line
 * breaks, JSON's `\/`, and data: URLs with percent-encoded text instead of base64. All of these become
 * standard base64 while they are written; anything else is refused before.
 */

#include "base/json/cursor.h"
#include "base/json/write.h"

#define MEDIA_TYPE_MAX 127U /* RFC 6838: 127 characters for each half; no known type is longer than 80 */

typedef enum MediaForm {
        MEDIA_URI,     /* `uri` is the address of it */
        MEDIA_BASE64,  /* `data` is standard base64 already, byte for byte */
        MEDIA_LOOSE,   /* base64 in another form */
        MEDIA_PERCENT, /* percent-encoded bytes */
} MediaForm;

typedef struct Media {
        MediaForm form;
        char type[MEDIA_TYPE_MAX + 1]; /* MIME, lower case, without parameters; "" if nothing is known */
        JsonView uri;                  /* the client's string */
        const char *data, *end;        /* within the client's string: JSON's escapes are possible */
        size_t n_decoded;              /* bytes of data; of MEDIA_PERCENT: at most */
} Media;

/* Reads a string that is a data: URL, an https: or gs: URL, or base64 alone. `fallback` is the MIME type if
 * neither the string nor its first bytes tell it; NULL: none. Returns NULL, or what it must be, to be put
 * behind the parameter's name: "must be …". */
const char *media_read(JsonView string, const char *fallback, Media *ret);

/* Reads base64 alone, or a data: URL, of this MIME type (NULL: not known; then as above). */
const char *media_read_data(JsonView string, const char *type, Media *ret);

/* Writes the data, as standard base64; not for MEDIA_URI. */
void media_write_data(const Media *m, JWriter *w, const char *key);

/* The MIME type of a format of sound, as OpenAI names it ("wav", "mp3"), of a file's name or path by its
 * extension, and of data by its first bytes. NULL: not known. */
const char *media_type_of_audio(JsonView format);
const char *media_type_of_audio_name(const char *format);
const char *media_type_of_name(JsonView name);
const char *media_type_of_bytes(const uint8_t *p, size_t n);
