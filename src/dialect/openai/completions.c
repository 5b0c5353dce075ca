/* SPDX-License-Identifier: MIT */

/*
 * POST /v1/completions, the older protocol: a prompt instead of messages. Gemini has no model that only
 * continues a text, so the prompt becomes the one message of a chat request, which chat.c translates. The
 * answer is chat's, too; a choice has a text in the place of a message.
 *
 * The members that chat has as well are copied, and nothing else: a prompt is no conversation with tools.
 * `best_of` is ignored: one answer is as good as the best of several. `logit_bias` is, as in chat.
 */

#include <errno.h>

#include "base/json/copy.h"
#include "dialect/json.h"
#include "dialect/openai/answer.h"

#define FRAME_MAX 1024U /* names and brackets of the chat request */

static const char *const copied[] = {
        "model",         "stream",           "stream_options",    "store",
        "service_tier",  "stop",             "temperature",       "top_p",
        "n",             "max_tokens",       "seed",              "frequency_penalty",
        "presence_penalty", "reasoning_effort", "extra_body",     "google",
        "prompt_cache_key", "user",          "safety_identifier", "metadata",
};

typedef struct Fields {
        JsonView prompt, suffix, echo, logprobs;
} Fields;

/* One text, alone or in a list. */
static int read_prompt(JsonView *prompt, ApiError *ret_error) {
        JsonCursor c = json_enter_array(*prompt);
        JsonView first = *prompt, more;

        if (json_view_is_null(*prompt))
                return dialect_refuse(ret_error, "prompt", "prompt is required");
        if (json_view_is(*prompt, '[')) {
                if (!json_next(&c, NULL, &first))
                        return dialect_refuse(ret_error, "prompt", "prompt must not be empty");
                if (json_view_is_number(first) || json_view_is(first, '['))
                        return dialect_refuse(ret_error, "prompt",
                                              "prompt must be a string: Gemini does not take tokens, "
                                              "only texts");
                if (json_next(&c, NULL, &more))
                        return dialect_refuse(ret_error, "prompt",
                                              "prompt must be one text: send several in a request each");
        }
        if (!json_view_is(first, '"'))
                return dialect_refuse(ret_error, "prompt", "prompt must be a string");
        if (json_view_is_empty(first))
                return dialect_refuse(ret_error, "prompt", "prompt must not be empty");
        *prompt = first;
        return 0;
}

static int check_fields(Fields *f, ApiError *ret_error) {
        if (!json_view_is_null(f->suffix) && !json_view_is(f->suffix, '"'))
                return dialect_refuse(ret_error, "suffix", "suffix must be a string");
        if (!json_view_is_null(f->suffix) && !json_view_is_empty(f->suffix))
                return dialect_refuse(ret_error, "suffix",
                                      "suffix must be empty: Gemini does not fill in the middle of a text");
        if (!json_view_is_null(f->echo) && !json_view_is(f->echo, 't') && !json_view_is(f->echo, 'f'))
                return dialect_refuse(ret_error, "echo", "echo must be a boolean");
        if (!json_view_is_null(f->logprobs) && !json_view_is(f->logprobs, 'f'))
                return dialect_refuse(ret_error, "logprobs",
                                      "logprobs must be null: only /v1/chat/completions has them");
        return read_prompt(&f->prompt, ret_error);
}

static void read_fields(JsonView root, Fields *ret) {
        const JsonMember members[] = {
                JSON_MEMBER("prompt", &ret->prompt),
                JSON_MEMBER("suffix", &ret->suffix),
                JSON_MEMBER("echo", &ret->echo),
                JSON_MEMBER("logprobs", &ret->logprobs),
        };

        json_view_members(root, members, ELEMENTSOF(members));
}

static int write_chat(JsonView root, JsonView prompt, Buf *out) {
        JsonCursor c = json_enter(root);
        JWriter w = JWRITER_INIT(out);
        JsonView name, v;

        jwrite_object(&w, NULL);
        while (json_next(&c, &name, &v))
                for (size_t i = 0; i < ELEMENTSOF(copied); i++)
                        if (json_view_equals(name, copied[i]))
                                json_copy_value(&w, copied[i], v);
        jwrite_array(&w, "messages");
        jwrite_object(&w, NULL);
        jwrite_string(&w, "role", "user");
        json_copy_value(&w, "content", prompt);
        jwrite_end(&w);
        jwrite_end(&w);
        jwrite_end(&w);
        return out->error;
}

static int completions_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                               ApiError *ret_error) {
        _cleanup_(json_index_done) JsonIndex index = {};
        _cleanup_(translation_freep) Translation *t = NULL;
        _cleanup_buf_ Buf request = BUF_INIT(6 * n + FRAME_MAX);
        Fields f = {};
        OpenaiChat *chat;
        JsonView root;
        int r;

        r = json_index_body(body, n, &index, &root, ret_error);
        if (r != 0)
                return r;
        read_fields(root, &f);
        r = check_fields(&f, ret_error);
        if (r == 0)
                r = write_chat(root, f.prompt, &request);
        if (r == 0)
                r = dialect_openai_chat.request(c, buf_data(&request), request.n, &t, ret_error);
        if (r != 0)
                return r;

        t->dialect = &dialect_openai_completions;
        chat = CONTAINER_OF(t, OpenaiChat, t);
        chat->is_completion = true;
        chat->has_thoughts = false;
        chat->images = CHAT_IMAGES_MARKDOWN;
        if (json_view_is(f.echo, 't')) {
                chat->echo = BUF_INIT(n);
                r = json_view_append(f.prompt, &chat->echo);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(t);
        return 0;
}

void openai_completion_write(const OpenaiChat *chat, size_t index, const char *finish, JWriter *w) {
        const OpenaiChoice *choice = &chat->choices[index];
        const char *native = answer_native_finish(&chat->answer, index);

        jwrite_object(w, NULL);
        jwrite_raw(w, "text", "\"");
        jwrite_escape(w->buf, chat->echo.n > 0 ? buf_data(&chat->echo) : "", chat->echo.n);
        jwrite_escape(w->buf, choice->text.n > 0 ? buf_data(&choice->text) : "", choice->text.n);
        (void) buf_putc(w->buf, '"');
        jwrite_uint(w, "index", index);
        jwrite_null(w, "logprobs");
        jwrite_string(w, "finish_reason", finish);
        if (native[0])
                jwrite_string(w, "native_finish_reason", native);
        jwrite_end(w);
}

static Translation *completions_free(Translation *t) {
        return dialect_openai_chat.free(t);
}

const Dialect dialect_openai_completions = {
        .name = "openai-completions",
        .is_chat = true,
        .ping = ": ping\n\n",
        .request = completions_request,
        .event = openai_chat_event,
        .finish = openai_chat_finish,
        .stream_error = openai_chat_stream_error,
        .reset = openai_chat_reset,
        .free = completions_free,
};
