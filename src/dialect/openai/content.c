/* SPDX-License-Identifier: MIT */

/*
 * The parts of a message's content. Media are inline (a data: URL, base64), at a URL that Google reads
 * itself, or a file that was uploaded through gemgate; the exchange checks whose file it is, in Gemini's
 * request. Members beside the content, such as `prompt_cache_breakpoint` and `detail`, are ignored: Gemini
 * has nothing that all of its models take.
 */

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "dialect/file-id.h"
#include "dialect/openai/request.h"

/* Refuses with the part's place and a member of it. */
static int refuse_part(ChatRequest *q, const ChatPlace *at, const char *member, const char *fault) {
        return chat_refuse(q, fault, "%s[%zu].%s[%zu].%s", at->list, at->message, at->member, at->part,
                           member);
}

static int check_string(ChatRequest *q, JsonView v, const ChatPlace *at, const char *member) {
        return chat_check_type(q, v, TYPE_STRING, "%s[%zu].%s[%zu].%s", at->list, at->message, at->member,
                               at->part, member);
}

typedef struct Kind Kind;
struct Kind {
        const char *type;
        const char *member; /* that has the content */
        int (*read)(ChatRequest *q, const Kind *kind, JsonView v, const ChatPlace *at);
        const char *fallback; /* the MIME type if nothing tells it */
};

static int read_text(ChatRequest *q, const Kind *kind, JsonView v, const ChatPlace *at) {
        int r = check_string(q, v, at, kind->member);

        if (r == 0)
                turns_text(&q->turns, at->role, v);
        return r;
}

static int read_refusal(ChatRequest *q, const Kind *kind, JsonView v, const ChatPlace *at) {
        if (at->role != TURN_MODEL)
                return refuse_part(q, at, "type", "must not be refusal: only an assistant has one");
        return read_text(q, kind, v, at);
}

static int read_thought(ChatRequest *q, const Kind *kind, JsonView v, const ChatPlace *at) {
        int r = check_string(q, v, at, kind->member);

        if (r == 0 && at->role == TURN_MODEL)
                turns_thought(&q->turns, v);
        return r;
}

/* A URL, or an object that has one. */
static int read_url(ChatRequest *q, const Kind *kind, JsonView v, const ChatPlace *at) {
        char member[32];
        const char *fault;
        Media m;
        int r;

        (void) snprintf(member, sizeof(member), "%s%s", kind->member, json_view_is(v, '{') ? ".url" : "");
        if (json_view_is(v, '{'))
                v = json_view_get(v, "url");
        r = check_string(q, v, at, member);
        if (r != 0)
                return r;
        fault = media_read_url(v, kind->fallback, &m);
        if (fault)
                return refuse_part(q, at, member, fault);
        turns_media(&q->turns, at->role, &m);
        return 0;
}

static int read_audio(ChatRequest *q, const Kind *kind, JsonView v, const ChatPlace *at) {
        JsonView data = json_view_get(v, "data"), format = json_view_get(v, "format");
        const char *fault, *type;
        Media m;
        int r;

        r = chat_check_type(q, v, TYPE_OBJECT, "%s[%zu].%s[%zu].%s", at->list, at->message, at->member,
                            at->part, kind->member);
        if (r == 0)
                r = check_string(q, data, at, "input_audio.data");
        if (r == 0 && !json_view_is_null(format))
                r = check_string(q, format, at, "input_audio.format");
        if (r != 0)
                return r;
        type = media_type_of_audio(format);
        if (!type && !json_view_is_null(format))
                return refuse_part(q, at, "input_audio.format",
                                   "must be wav, mp3 or another format of sound");
        fault = media_read_data(data, type, &m);
        if (fault)
                return refuse_part(q, at, "input_audio.data", fault);
        if (!m.type[0])
                text_copy(m.type, sizeof(m.type), kind->fallback);
        turns_media(&q->turns, at->role, &m);
        return 0;
}

static int read_file_id(ChatRequest *q, JsonView id, JsonView type, const char *member,
                        const ChatPlace *at) {
        const char *fault;
        JsonView file;
        Media m;
        int r;

        r = check_string(q, id, at, member);
        if (r != 0)
                return r;
        fault = file_id_read(id, &file, &m);
        if (fault)
                return refuse_part(q, at, member, fault);
        if (file.p)
                turns_file(&q->turns, at->role, file);
        else {
                if (json_view_is(type, '"'))
                        json_view_copy(type, m.type, sizeof(m.type));
                turns_media(&q->turns, at->role, &m);
        }
        return 0;
}

/* The type is the data's, or else that of the file's name. */
static int read_file(ChatRequest *q, const Kind *kind, JsonView v, const ChatPlace *at) {
        const char *data_member = kind->member ? "file.file_data" : "file_data",
                   *id_member = kind->member ? "file.file_id" : "file_id";
        JsonView data, name, id, url, format;
        const JsonMember members[] = {
                JSON_MEMBER("file_data", &data), JSON_MEMBER("filename", &name), JSON_MEMBER("file_id", &id),
                JSON_MEMBER("file_url", &url),   JSON_MEMBER("format", &format),
        };
        const char *fault;
        Media m;
        int r;

        r = chat_check_type(q, v, TYPE_OBJECT, "%s[%zu].%s[%zu].file", at->list, at->message, at->member,
                            at->part);
        if (r != 0)
                return r;
        json_view_members(v, members, ELEMENTSOF(members));
        if (json_view_is_null(data))
                data = url;
        if (json_view_is_null(data) && !json_view_is_null(id))
                return read_file_id(q, id, format, id_member, at);
        if (json_view_is_null(data))
                return refuse_part(q, at, kind->member ?: "file_data",
                                   kind->member ? "must have file_data or file_id"
                                                : "is required, or file_url, or file_id");
        r = check_string(q, data, at, data_member);
        if (r != 0)
                return r;
        fault = media_read(data, media_type_of_name(name) ?: kind->fallback, &m);
        if (fault)
                return refuse_part(q, at, data_member, fault);
        turns_media(&q->turns, at->role, &m);
        return 0;
}

/* Those of the Responses API have their members beside the type. */
static int read_input_image(ChatRequest *q, const Kind *kind _unused_, JsonView v, const ChatPlace *at) {
        static const Kind url = { "input_image", "image_url", read_url, "image/jpeg" };
        JsonView image = json_view_get(v, "image_url"), id = json_view_get(v, "file_id");

        if (json_view_is_null(image) && !json_view_is_null(id))
                return read_file_id(q, id, (JsonView){}, "file_id", at);
        return read_url(q, &url, image, at);
}

/* Beside OpenAI's own kinds there are those that other clients send in their place. A kind without a member
 * reads the part itself. */
static const Kind kinds[] = {
        { "text", "text", read_text, NULL },
        { "image_url", "image_url", read_url, "image/jpeg" },
        { "input_audio", "input_audio", read_audio, "audio/wav" },
        { "file", "file", read_file, "application/pdf" },
        { "refusal", "refusal", read_refusal, NULL },
        { "input_text", "text", read_text, NULL },
        { "output_text", "text", read_text, NULL },
        { "input_image", NULL, read_input_image, NULL },
        { "input_file", NULL, read_file, "application/pdf" },
        { "computer_screenshot", NULL, read_input_image, NULL },
        { "summary_text", "text", read_text, NULL },
        { "video_url", "video_url", read_url, "video/mp4" },
        { "audio_url", "audio_url", read_url, "audio/wav" },
        { "thinking", "thinking", read_thought, NULL },
        { "reasoning", "text", read_thought, NULL },
};

int chat_read_part(ChatRequest *q, JsonView part, const ChatPlace *at) {
        JsonView type;

        if (!json_view_is(part, '{'))
                return chat_refuse(q, "must be an object with a type", "%s[%zu].%s[%zu]", at->list,
                                   at->message, at->member, at->part);
        type = json_view_get(part, "type");
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (json_view_equals(type, kinds[i].type))
                        return kinds[i].read(q, &kinds[i],
                                             kinds[i].member ? json_view_get(part, kinds[i].member) : part,
                                             at);
        return refuse_part(q, at, "type", at->kinds);
}
