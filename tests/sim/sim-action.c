/* SPDX-License-Identifier: MIT */
/*
 * A right side is a row of words: verbs, some with an argument behind them, and options NAME=VALUE. Two
 * tables define both. A value is a bare word, or a JSON string in quotes; the argument of `json` is any
 * JSON, taken literally. `<<WORD` is replaced by the here-document.
 */
#include <errno.h>
#include <stdio.h>

#include <json-c/json.h>

#include "base/text.h"
#include "sim-action.h"
#include "sim-answer.h"
#include "sim-parts.h"

typedef enum ArgType {
        ARG_NONE,
        ARG_FLAG,
        ARG_STRING,
        ARG_JSON,
        ARG_CALL,  /* a name, and perhaps arguments */
        ARG_PARTS, /* a JSON array */
        ARG_UINT,
        ARG_SIZE,
        ARG_DURATION,
        ARG_ERROR,
        ARG_USAGE,
} ArgType;

typedef struct Word {
        const char *name;
        ArgType type;
        size_t field;
        int content; /* -1: not given */
        int ending;
} Word;

#define FIELD(f) offsetof(Action, f)
#define CONTENT(name, type, field, content)                                                                 \
        { name, type, field, content, -1 }
#define ENDING(name, ending)                                                                                \
        { name, ARG_NONE, 0, -1, ending }
#define MANNER(name, type, field)                                                                           \
        { name, type, field, -1, -1 }

static const Word verbs[] = {
        CONTENT("default", ARG_NONE, 0, CONTENT_DEFAULT),
        CONTENT("text", ARG_STRING, FIELD(text), CONTENT_TEXT),
        CONTENT("json", ARG_JSON, FIELD(text), CONTENT_JSON),
        CONTENT("sse", ARG_JSON, FIELD(text), CONTENT_SSE),
        CONTENT("call", ARG_CALL, FIELD(parts), CONTENT_PARTS),
        CONTENT("parts", ARG_PARTS, FIELD(parts), CONTENT_PARTS),
        CONTENT("raw", ARG_STRING, FIELD(text), CONTENT_RAW),
        CONTENT("error", ARG_ERROR, FIELD(error), CONTENT_ERROR),
        CONTENT("status", ARG_UINT, FIELD(status), CONTENT_STATUS),
        CONTENT("garbage", ARG_NONE, 0, CONTENT_GARBAGE),
        CONTENT("empty", ARG_NONE, 0, CONTENT_EMPTY),
        CONTENT("blocked", ARG_STRING, FIELD(text), CONTENT_BLOCKED),
        CONTENT("big", ARG_SIZE, FIELD(size), CONTENT_BIG),
        CONTENT("live", ARG_STRING, FIELD(text), CONTENT_LIVE),
        ENDING("reset", ENDING_RESET),
        ENDING("close", ENDING_CLOSE),
        ENDING("hang", ENDING_HANG),
        ENDING("cut", ENDING_CUT),
        ENDING("end", ENDING_END),
        ENDING("error-in-stream", ENDING_ERROR),
        MANNER("body", ARG_STRING, FIELD(text)),
        MANNER("candidate", ARG_JSON, FIELD(candidate)),
        MANNER("counts", ARG_JSON, FIELD(counts)),
        MANNER("unsigned", ARG_FLAG, FIELD(unsigned_calls)),
        MANNER("no-ids", ARG_FLAG, FIELD(no_ids)),
        MANNER("together", ARG_FLAG, FIELD(together)),
        MANNER("delay", ARG_DURATION, FIELD(delay)),
        MANNER("slow-headers", ARG_FLAG, FIELD(slow_headers)),
        MANNER("drip", ARG_FLAG, FIELD(drip)),
        MANNER("array", ARG_FLAG, FIELD(array)),
        MANNER("nocode", ARG_FLAG, FIELD(no_code)),
};

static const Word options[] = {
        MANNER("after", ARG_UINT, FIELD(after)),       MANNER("cached", ARG_UINT, FIELD(cached)),
        MANNER("chunks", ARG_UINT, FIELD(chunks)),     MANNER("code", ARG_UINT, FIELD(code)),
        MANNER("delay", ARG_DURATION, FIELD(delay)),   MANNER("error", ARG_ERROR, FIELD(stream_error)),
        MANNER("finish", ARG_STRING, FIELD(finish)),   MANNER("header", ARG_STRING, FIELD(header)),
        MANNER("hops", ARG_UINT, FIELD(hops)),
        MANNER("message", ARG_STRING, FIELD(message)), MANNER("model", ARG_STRING, FIELD(model_version)),
        MANNER("pace", ARG_DURATION, FIELD(pace)),     MANNER("quota", ARG_STRING, FIELD(quota)),
        MANNER("retry", ARG_STRING, FIELD(retry)),     MANNER("signature", ARG_STRING, FIELD(signature)),
        MANNER("size", ARG_SIZE, FIELD(drip_size)),    MANNER("thought", ARG_STRING, FIELD(thought)),
        MANNER("thoughts", ARG_UINT, FIELD(thoughts)), MANNER("type", ARG_STRING, FIELD(content_type)),
        MANNER("usage", ARG_USAGE, FIELD(usage)),
};

int action_new(Action **ret) {
        Action *a = calloc(1, sizeof(*a));

        if (!a)
                return -ENOMEM;
        a->n_ref = 1;
        a->after = a->thoughts = a->cached = ACTION_UNSET;
        for (size_t i = 0; i < ELEMENTSOF(a->usage); i++)
                a->usage[i] = ACTION_UNSET;
        *ret = a;
        return 0;
}

Action *action_ref(Action *a) {
        a->n_ref++;
        return a;
}

Action *action_unref(Action *a) {
        if (!a || --a->n_ref > 0)
                return NULL;
        for (unsigned i = 0; i < a->n_cache; i++) {
                free(a->cache[i].model);
                answer_unref(a->cache[i].answer);
        }
        free(a->label);
        free(a->text);
        free(a->finish);
        free(a->model_version);
        free(a->thought);
        free(a->signature);
        free(a->parts);
        free(a->candidate);
        free(a->counts);
        free(a->content_type);
        free(a->header);
        free(a->retry);
        free(a->quota);
        free(a->message);
        free(a);
        return NULL;
}

static const Word *find_word(const Word *words, size_t n_words, const char *name, size_t n) {
        for (size_t i = 0; i < n_words; i++)
                if (strlen(words[i].name) == n && memcmp(words[i].name, name, n) == 0)
                        return &words[i];
        return NULL;
}

/* The length of the JSON value at s, -EINVAL if there is none. With ret_string it must be a string. */
static ssize_t json_extent(const char *s, char **ret_string) {
        _cleanup_(freep) char *copy = NULL;
        json_tokener *t = json_tokener_new();
        json_object *o;
        ssize_t n = -EINVAL;

        if (!t)
                return -ENOMEM;
        o = json_tokener_parse_ex(t, s, -1);
        if (o && (!ret_string || json_object_is_type(o, json_type_string))) {
                n = (ssize_t) json_tokener_get_parse_end(t);
                while (n > 0 && strchr(TEXT_WHITESPACE, s[n - 1])) /* json-c has eaten what follows, too */
                        n--;
                if (ret_string) {
                        copy = strndup(json_object_get_string(o), (size_t) json_object_get_string_len(o));
                        if (copy)
                                *ret_string = TAKE_PTR(copy);
                        else
                                n = -ENOMEM;
                }
        }
        json_object_put(o);
        json_tokener_free(t);
        return n;
}

/* Takes one value from *at. */
static int take_value(const char **at, ArgType type, const char *block, char **ret) {
        _cleanup_free_ char *value = NULL;
        const char *s = *at;
        ssize_t n;

        if (startswith(s, "<<") && block && (type == ARG_STRING || type == ARG_JSON)) {
                value = strdup(block);
                n = (ssize_t) strcspn(s, TEXT_WHITESPACE);
        } else if (*s == '"' && type != ARG_JSON) {
                n = json_extent(s, &value);
                if (n < 0)
                        return (int) n;
        } else {
                n = type == ARG_JSON ? json_extent(s, NULL) : (ssize_t) strcspn(s, TEXT_WHITESPACE);
                if (n <= 0)
                        return n < 0 ? (int) n : -EINVAL;
                value = strndup(s, (size_t) n);
        }
        if (!value)
                return -ENOMEM;

        *at = s + n;
        *ret = TAKE_PTR(value);
        return 0;
}

static int set_usage(uint64_t *field, char *value) {
        for (size_t i = 0; i < 3 && value; i++) {
                char *slash = strchr(value, '/');
                int r;

                if (slash)
                        *slash++ = 0;
                r = text_parse_u64(value, &field[i]);
                if (r < 0)
                        return r;
                value = slash;
        }
        return value ? -EINVAL : 0;
}

static int set_field(Action *a, const Word *w, char **value) {
        void *field = (char *) a + w->field;

        switch (w->type) {
        case ARG_STRING:
        case ARG_JSON:
                free(*(char **) field);
                *(char **) field = TAKE_PTR(*value);
                return 0;
        case ARG_UINT:
                return text_parse_u64(*value, field);
        case ARG_SIZE:
                return text_parse_size(*value, field);
        case ARG_DURATION:
                return duration_parse(*value, field);
        case ARG_USAGE:
                return set_usage(field, *value);
        case ARG_ERROR:
                *(const SimError **) field = error_find(*value);
                return *(const SimError **) field ? 0 : -ENOENT;
        default:
                return 0;
        }
}

/* `NAME {…}`: the arguments may be missing. */
static int take_call(Action *a, const char **at, const char *block) {
        _cleanup_free_ char *name = NULL, *arguments = NULL;
        int r;

        r = take_value(at, ARG_STRING, NULL, &name);
        if (r < 0)
                return r;
        *at += strspn(*at, TEXT_WHITESPACE);
        if (**at == '{') {
                r = take_value(at, ARG_JSON, block, &arguments);
                if (r < 0)
                        return r;
        }
        return parts_add_call(&a->parts, name, arguments);
}

static int take_parts(Action *a, const char **at, const char *block) {
        _cleanup_free_ char *array = NULL;
        int r;

        r = take_value(at, ARG_JSON, block, &array);
        return r < 0 ? r : parts_add(&a->parts, array);
}

static int apply_word(Action *a, const Word *w, const char **at, const char *block) {
        _cleanup_free_ char *value = NULL;
        int r;

        if (w->type == ARG_FLAG)
                *(bool *) ((char *) a + w->field) = true;
        else if (w->type == ARG_CALL || w->type == ARG_PARTS) {
                r = w->type == ARG_CALL ? take_call(a, at, block) : take_parts(a, at, block);
                if (r < 0)
                        return r;
        } else if (w->type != ARG_NONE) {
                r = take_value(at, w->type, block, &value);
                if (r < 0)
                        return r;
                r = set_field(a, w, &value);
                if (r < 0)
                        return r;
        }
        if (w->content >= 0 && !(w->content == CONTENT_TEXT && a->content == CONTENT_PARTS))
                a->content = (unsigned) w->content; /* a text with parts is of parts, in any order */
        if (w->ending >= 0)
                a->ending = (unsigned) w->ending;
        return 0;
}

int action_parse(const char *text, const char *block, Action **ret, char **ret_error) {
        _cleanup_(action_unrefp) Action *a = NULL;
        const char *at = text;
        int r;

        r = action_new(&a);
        if (r < 0)
                return r;
        a->label = strdup(text);
        if (!a->label)
                return -ENOMEM;

        for (;;) {
                const char *start;
                const Word *w;
                size_t n;

                at += strspn(at, TEXT_WHITESPACE ",");
                if (!*at)
                        break;
                start = at;
                n = strcspn(at, TEXT_WHITESPACE "=,");
                at += n;
                if (*at == '=') {
                        at++;
                        w = find_word(options, ELEMENTSOF(options), start, n);
                } else {
                        at += strspn(at, TEXT_WHITESPACE);
                        w = find_word(verbs, ELEMENTSOF(verbs), start, n);
                }
                if (!w) {
                        if (asprintf(ret_error, "unknown word `%.*s`", (int) n, start) < 0)
                                return -ENOMEM;
                        return -EINVAL;
                }

                r = apply_word(a, w, &at, block);
                if (r == -ENOMEM)
                        return r;
                if (r < 0) {
                        if (asprintf(ret_error, "`%s`: %s", w->name,
                                     r == -ENOENT ? "no error of this name" : "its value is wrong") < 0)
                                return -ENOMEM;
                        return -EINVAL;
                }
        }

        *ret = TAKE_PTR(a);
        return 0;
}
