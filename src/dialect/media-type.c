/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "dialect/media.h"

#define EXTENSION_MAX 7U
#define NAME_MAX_READ 4096U /* of a URL; a longer one has no known type */

/* Extensions of files, and OpenAI's names for formats of sound. */
static const struct {
        const char *name, *type;
} names[] = {
        { "png", "image/png" },
        { "jpg", "image/jpeg" },
        { "jpeg", "image/jpeg" },
        { "webp", "image/webp" },
        { "gif", "image/gif" },
        { "bmp", "image/bmp" },
        { "heic", "image/heic" },
        { "heif", "image/heif" },
        { "avif", "image/avif" },
        { "tif", "image/tiff" },
        { "tiff", "image/tiff" },
        { "svg", "image/svg+xml" },
        { "wav", "audio/wav" },
        { "mp3", "audio/mp3" },
        { "mpga", "audio/mp3" },
        { "aac", "audio/aac" },
        { "flac", "audio/flac" },
        { "ogg", "audio/ogg" },
        { "oga", "audio/ogg" },
        { "opus", "audio/ogg" },
        { "aiff", "audio/aiff" },
        { "aif", "audio/aiff" },
        { "m4a", "audio/m4a" },
        { "pcm", "audio/pcm" },
        { "pcm16", "audio/pcm" },
        { "mp4", "video/mp4" },
        { "m4v", "video/mp4" },
        { "mov", "video/quicktime" },
        { "mpeg", "video/mpeg" },
        { "mpg", "video/mpg" },
        { "avi", "video/avi" },
        { "wmv", "video/wmv" },
        { "flv", "video/x-flv" },
        { "webm", "video/webm" },
        { "3gp", "video/3gpp" },
        { "3gpp", "video/3gpp" },
        { "pdf", "application/pdf" },
        { "json", "application/json" },
        { "rtf", "text/rtf" },
        { "txt", "text/plain" },
        { "log", "text/plain" },
        { "md", "text/md" },
        { "html", "text/html" },
        { "htm", "text/html" },
        { "css", "text/css" },
        { "csv", "text/csv" },
        { "xml", "text/xml" },
        { "yaml", "text/plain" },
        { "yml", "text/plain" },
        { "toml", "text/plain" },
        { "ini", "text/plain" },
        { "js", "text/javascript" },
        { "mjs", "text/javascript" },
        { "ts", "text/plain" }, /* TypeScript: a transport stream is not among Gemini's types */
        { "py", "text/x-python" },
        { "c", "text/plain" },
        { "h", "text/plain" },
        { "cpp", "text/plain" },
        { "java", "text/plain" },
        { "go", "text/plain" },
        { "rs", "text/plain" },
        { "sh", "text/plain" },
        { "sql", "text/plain" },
        { "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
        { "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
        { "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation" },
};

static const char *find_type(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strcaseeq(name, names[i].name))
                        return names[i].type;
        return NULL;
}

const char *media_type_of_audio_name(const char *name) {
        static const struct {
                const char *name, *type;
        } formats[] = {
                { "mpeg", "audio/mp3" },
                { "mp4", "audio/mp4" },
                { "webm", "audio/webm" },
                { "opus", "audio/opus" },
        };
        const char *type;

        for (size_t i = 0; i < ELEMENTSOF(formats); i++)
                if (strcaseeq(name, formats[i].name))
                        return formats[i].type;
        type = find_type(name);
        return type && startswith(type, "audio/") ? type : NULL;
}

const char *media_type_of_audio(JsonView format) {
        char name[EXTENSION_MAX + 2];

        json_view_copy(format, name, sizeof(name));
        return media_type_of_audio_name(name);
}

const char *media_type_of_name(JsonView name) {
        char text[NAME_MAX_READ + 1], *path = text, *host, *last;

        json_view_copy(name, text, sizeof(text));
        if (strlen(text) == NAME_MAX_READ)
                return NULL; /* cut off: where it ends is not its end */
        text[strcspn(text, "?#")] = 0;
        host = strstr(text, "://");
        if (host)
                path = strchr(host + 3, '/');
        if (!path)
                return NULL;
        last = strrchr(path, '/');
        last = strrchr(last ?: path, '.');
        return last ? find_type(last + 1) : NULL;
}

/* --- by the first bytes --- */

static const struct {
        size_t offset, n;
        const char *bytes, *type;
        size_t offset_more, n_more; /* and a second piece */
        const char *more;
} magics[] = {
        { 0, 8, "\x89PNG\r\n\x1A\n", "image/png" },
        { 0, 3, "\xFF\xD8\xFF", "image/jpeg" },
        { 0, 5, "GIF87", "image/gif" },
        { 0, 5, "GIF89", "image/gif" },
        { 0, 4, "RIFF", "image/webp", 8, 4, "WEBP" },
        { 0, 4, "RIFF", "audio/wav", 8, 4, "WAVE" },
        { 0, 4, "RIFF", "video/avi", 8, 4, "AVI " },
        { 0, 4, "FORM", "audio/aiff", 8, 3, "AIF" },
        { 0, 5, "%PDF-", "application/pdf" },
        { 0, 4, "OggS", "audio/ogg" },
        { 0, 4, "fLaC", "audio/flac" },
        { 0, 3, "ID3", "audio/mp3" },
        { 0, 2, "\xFF\xFB", "audio/mp3" },
        { 0, 2, "\xFF\xF3", "audio/mp3" },
        { 0, 2, "\xFF\xF2", "audio/mp3" },
        { 0, 2, "\xFF\xF1", "audio/aac" },
        { 0, 2, "\xFF\xF9", "audio/aac" },
        { 4, 8, "ftypheic", "image/heic" },
        { 4, 8, "ftypmif1", "image/heif" },
        { 4, 8, "ftypavif", "image/avif" },
        { 4, 8, "ftypM4A ", "audio/m4a" },
        { 4, 8, "ftypqt  ", "video/quicktime" },
        { 4, 7, "ftyp3gp", "video/3gpp" },
        { 4, 4, "ftyp", "video/mp4" },
        { 0, 4, "\x1A\x45\xDF\xA3", "video/webm" },
        { 0, 3, "FLV", "video/x-flv" },
        { 0, 4, "\x00\x00\x01\xBA", "video/mpeg" },
        { 0, 4, "\x00\x00\x01\xB3", "video/mpeg" },
        { 0, 4, "II*\x00", "image/tiff" },
        { 0, 4, "MM\x00*", "image/tiff" },
        { 0, 2, "BM", "image/bmp", 6, 4, "\x00\x00\x00\x00" },
        { 0, 5, "{\\rtf", "text/rtf" },
};

static bool has_bytes(const uint8_t *p, size_t n, size_t offset, const char *bytes, size_t n_bytes) {
        return offset + n_bytes <= n && memcmp(p + offset, bytes, n_bytes) == 0;
}

const char *media_type_of_bytes(const uint8_t *p, size_t n) {
        for (size_t i = 0; i < ELEMENTSOF(magics); i++)
                if (has_bytes(p, n, magics[i].offset, magics[i].bytes, magics[i].n) &&
                    has_bytes(p, n, magics[i].offset_more, strempty(magics[i].more), magics[i].n_more))
                        return magics[i].type;
        return NULL;
}
