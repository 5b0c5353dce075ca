/* SPDX-License-Identifier: MIT */

/*
 * Google takes both spellings of a member, and which one of two members with one name it takes is not known.
 * So each of them is looked at where a name is looked for: a second handle cannot pass beside the first.
 *
 * A handle is any text, and as good as a password for its session. A binding has its digest as the name.
 *
 * A session ends by a code and a reason of up to 123 bytes, which is the beginning of what an answer of HTTP
 * has as the message of its error. Google has few codes (1007 for arguments and keys, 1008 for what is not
 * allowed or not found, 1011 for quotas and failures), so the words come first. They become an error in
 * Google's form, which dialect/gemini/error classifies as any other.
 */

#include <errno.h>

#include "base/json/write.h"
#include "base/text.h"
#include "core/digest.h"
#include "core/model.h"
#include "dialect/dialect.h"
#include "dialect/gemini/error.h"
#include "dialect/gemini/live.h"
#include "dialect/gemini/names.h"
#include "dialect/json.h"

#define HANDLE_MAX (8U << 10) /* bytes of a handle; Google's have some hundred */
#define COUNT_MAX  (UINT64_C(1) << 40) /* tokens of one turn: sums cannot wrap */

#define refuse(e, ...) (api_error_set(e, 400, NULL, __VA_ARGS__), DIALECT_E_REFUSED)

/* --- names --- */

static bool add_name(const char *name, void *userdata) {
        return buf_append(userdata, name, strlen(name) + 1) >= 0;
}

static int handle_name(JsonView handle, char ret[static BINDING_NAME_MAX + 1]) {
        _cleanup_buf_ Buf text = BUF_INIT_SECRET(HANDLE_MAX);
        uint8_t digest[DIGEST_KEYED_SIZE];
        int r;

        r = json_view_append(handle, &text);
        if (r < 0)
                return r;
        r = digest_bytes(text.n > 0 ? buf_data(&text) : "", text.n, digest);
        if (r < 0)
                return r;
        memcpy(ret, BINDING_SESSIONS, sizeof(BINDING_SESSIONS) - 1);
        text_hex(digest, sizeof(digest), ret + sizeof(BINDING_SESSIONS) - 1);
        return 0;
}

/* Each handle of each sessionResumption, as far as there is room for their names: a message can have a
 * million of them, and a digest of each would hold the loop. */
static int read_handles(JsonView setup, Buf *names, ApiError *ret_error) {
        JsonCursor members = json_enter(setup), inner;
        char text[BINDING_NAME_MAX + 1];
        JsonView name, value, handle;
        int r;

        while (json_next(&members, &name, &value)) {
                if (!json_view_equals(name, "sessionResumption") &&
                    !json_view_equals(name, "session_resumption"))
                        continue;
                inner = json_enter(value);
                while (json_next(&inner, &name, &handle)) {
                        if (!json_view_equals(name, "handle") || json_view_is_null(handle) ||
                            json_view_is_empty(handle))
                                continue;
                        r = json_view_is(handle, '"') ? handle_name(handle, text) : -E2BIG;
                        if (r == -ENOMEM)
                                return r;
                        if (r < 0)
                                return refuse(ret_error, "sessionResumption.handle is not one.");
                        if (!add_name(text, names))
                                return 0; /* names->error tells it */
                }
        }
        return 0;
}

/* --- of the client --- */

static int check_object(const char *json, size_t n, ApiError *ret_error) {
        const char *why = json_fault(json, n);

        if (why)
                return refuse(ret_error, "The message is not JSON: %s.", why);
        if (json_first(json, n) != '{')
                return refuse(ret_error, "A message must be a JSON object.");
        return 0;
}

static unsigned count_members(JsonView object, const char *wanted) {
        JsonCursor members = json_enter(object);
        JsonView name, value;
        unsigned n = 0;

        while (json_next(&members, &name, &value))
                n += json_view_equals(name, wanted);
        return n;
}

/* Nothing looks for another model or handle in a later message: not to depend on Google's refusal of it. */
int gemini_live_message_check(const char *json, size_t n, ApiError *ret_error) {
        int r;

        r = check_object(json, n, ret_error);
        if (r != 0)
                return r;
        if (count_members(json_view(json, n), "setup") > 0)
                return refuse(ret_error, "setup must be the first message, and only the first.");
        return 0;
}

const char *gemini_live_message_names(const char *json, size_t n, Buf *names) {
        return gemini_names(json, n, false, add_name, names);
}

static int read_model(JsonView setup, GeminiLiveSetup *s, ApiError *ret_error) {
        char text[MODEL_NAME_MAX + 32];
        ModelName name;

        s->name = json_view_get(setup, "model");
        if (json_view_is_null(s->name))
                return refuse(ret_error, "setup has no model.");
        json_view_copy(s->name, text, sizeof(text));
        if (!json_view_equals(s->name, text) || model_name_parse(text, strlen(text), &name) < 0)
                return refuse(ret_error, "setup.model must be models/NAME.");
        s->cli = name.cli;
        memcpy(s->model, name.name, sizeof(s->model));
        return 0;
}

int gemini_live_setup_read(const char *json, size_t n, GeminiLiveSetup *ret, Buf *names,
                           ApiError *ret_error) {
        JsonView name, setup, other;
        GeminiLiveSetup s = {};
        JsonCursor root;
        int r;

        r = check_object(json, n, ret_error);
        if (r != 0)
                return r;
        root = json_enter(json_view(json, n));
        if (!json_next(&root, &name, &setup) || !json_view_equals(name, "setup") ||
            json_next(&root, NULL, &other))
                return refuse(ret_error, "setup must be the first message, and alone in it.");
        if (!json_view_is(setup, '{'))
                return refuse(ret_error, "setup must be an object.");
        /* They would be counted as one of them, and served by the other. */
        if (count_members(setup, "model") > 1)
                return refuse(ret_error, "setup has two models.");
        r = read_model(setup, &s, ret_error);
        if (r != 0)
                return r;
        s.fault = gemini_names(setup.p, (size_t) (setup.end - setup.p), true, add_name, names);
        r = read_handles(setup, names, ret_error);
        if (r != 0)
                return r;
        if (names->error < 0)
                return names->error == -E2BIG ? refuse(ret_error, "setup names too much.") : names->error;
        *ret = s;
        return 0;
}

bool gemini_live_setup_is_for(const GeminiLiveSetup *s, const char *model) {
        char text[MODEL_NAME_MAX + 32] = "models/";

        (void) text_append(text, sizeof(text), strlen(text), model);
        return json_view_equals(s->name, text);
}

int gemini_live_setup_write(const GeminiLiveSetup *s, const char *json, size_t n, const char *model,
                            Buf *out) {
        (void) buf_append(out, json, (size_t) (s->name.p - json));
        (void) buf_puts(out, "\"models/");
        jwrite_escape(out, model, strlen(model));
        (void) buf_putc(out, '"');
        return buf_append(out, s->name.end, (size_t) (json + n - s->name.end));
}

/* --- of Google --- */

static uint64_t count(JsonView v) {
        return MIN(json_view_count(v), COUNT_MAX);
}

static void read_usage(JsonView usage, Usage *ret) {
        JsonView prompt, tools, cached, response, thoughts, total;
        const JsonMember members[] = {
                JSON_MEMBER("promptTokenCount", &prompt),
                JSON_MEMBER("toolUsePromptTokenCount", &tools),
                JSON_MEMBER("cachedContentTokenCount", &cached),
                JSON_MEMBER("responseTokenCount", &response),
                JSON_MEMBER("thoughtsTokenCount", &thoughts),
                JSON_MEMBER("totalTokenCount", &total),
        };

        json_view_members(usage, members, ELEMENTSOF(members));
        *ret = (Usage){ .prompt = count(prompt) + count(tools),
                        .cached = count(cached),
                        .completion = count(response) + count(thoughts),
                        .thoughts = count(thoughts),
                        .total = count(total) };
        ret->total = ret->total ?: ret->prompt + ret->completion;
}

int gemini_live_answer_read(const char *json, size_t n, GeminiLiveAnswer *ret) {
        JsonView complete, usage, update, handle;
        const JsonMember members[] = {
                JSON_MEMBER("setupComplete", &complete),
                JSON_MEMBER("usageMetadata", &usage),
                JSON_MEMBER("sessionResumptionUpdate", &update),
        };
        int r;

        *ret = (GeminiLiveAnswer){};
        json_view_members(json_view(json, n), members, ELEMENTSOF(members));
        ret->is_complete = json_view_is(complete, '{');
        ret->has_usage = json_view_is(usage, '{');
        if (ret->has_usage)
                read_usage(usage, &ret->usage);
        handle = json_view_get(update, "newHandle");
        if (!json_view_is(handle, '"') || json_view_is_empty(handle))
                return 0;
        r = handle_name(handle, ret->handle);
        return r == -ENOMEM ? r : 0;
}

/* --- the end --- */

static const struct {
        const char *words; /* NULL: any */
        unsigned code;     /* 0: any */
        int status;        /* of the error in HTTP; 0: it is no error */
        const char *name;
} ends[] = {
        { "quota", 0, 429, "RESOURCE_EXHAUSTED" },
        { "resource has been exhausted", 0, 429, "RESOURCE_EXHAUSTED" },
        { "resource_exhausted", 0, 429, "RESOURCE_EXHAUSTED" },
        { "spending cap", 0, 429, "RESOURCE_EXHAUSTED" },
        { "prepayment credits", 0, 429, "RESOURCE_EXHAUSTED" },
        { "api key not valid", 0, 400, "INVALID_ARGUMENT" },
        { "api key expired", 0, 400, "INVALID_ARGUMENT" },
        { "api key not found", 0, 400, "INVALID_ARGUMENT" },
        { "user location", 0, 400, "FAILED_PRECONDITION" },
        { "reported as leaked", 0, 403, "PERMISSION_DENIED" },
        { "requests to this api", 0, 403, "PERMISSION_DENIED" },
        { "denied access", 0, 403, "PERMISSION_DENIED" },
        { "has been suspended", 0, 403, "PERMISSION_DENIED" },
        { "or it is disabled", 0, 403, "PERMISSION_DENIED" },
        { "access the file", 0, 403, "PERMISSION_DENIED" },
        { "no longer available to new users", 0, 404, "NOT_FOUND" },
        { "session not found", 0, 404, "NOT_FOUND" },
        { "not found", 1008, 404, "NOT_FOUND" },
        { "overloaded", 0, 503, "UNAVAILABLE" },
        { "high demand", 0, 503, "UNAVAILABLE" },
        { "unavailable", 0, 503, "UNAVAILABLE" },
        { "deadline expired", 0, 504, "DEADLINE_EXCEEDED" },
        { NULL, 1000, 0, NULL },
        { NULL, 1001, 0, NULL },
        { NULL, 1005, 0, NULL },
        { NULL, 1002, 400, "INVALID_ARGUMENT" },
        { NULL, 1003, 400, "INVALID_ARGUMENT" },
        { NULL, 1007, 400, "INVALID_ARGUMENT" },
        { NULL, 1008, 400, "FAILED_PRECONDITION" },
        { NULL, 1009, 413, "INVALID_ARGUMENT" },
        { NULL, 1012, 503, "UNAVAILABLE" },
        { NULL, 1013, 503, "UNAVAILABLE" },
        { NULL, 0, 500, "INTERNAL" },
};

void gemini_live_classify(unsigned code, const char *reason, const Secret *key, Verdict *ret) {
        _cleanup_buf_ Buf body = BUF_INIT(4096);
        JWriter w = JWRITER_INIT(&body);
        size_t i = 0;

        while ((ends[i].words && !strcasestr(reason, ends[i].words)) ||
               (ends[i].code > 0 && ends[i].code != code))
                i++;
        if (ends[i].status == 0) {
                verdict_init(ret, VERDICT_OK, 200, NULL);
                return;
        }
        jwrite_object(&w, NULL);
        jwrite_object(&w, "error");
        jwrite_int(&w, "code", ends[i].status);
        jwrite_string(&w, "message", *reason ? reason : "Gemini has ended the session without a reason.");
        jwrite_string(&w, "status", ends[i].name);
        jwrite_end(&w);
        jwrite_end(&w);
        if (body.error < 0)
                verdict_init(ret, VERDICT_INTERNAL, 0, "gemgate ran out of memory.");
        else
                gemini_error_classify(ends[i].status, buf_data(&body), body.n, key, ret);
}

unsigned gemini_live_code(int status) {
        switch (status) {
        case 401:
        case 403:
        case 404:
                return 1008;
        case 413:
                return 1009;
        default:
                return status >= 400 && status < 500 && status != 429 ? 1007 : 1011;
        }
}

int gemini_live_go_away(usec_t left, Buf *out) {
        return buf_printf(out, "{\"goAway\":{\"timeLeft\":\"%llus\"}}",
                          (unsigned long long) (left / USEC_PER_SEC));
}
