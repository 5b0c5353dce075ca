/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/guard.h"
#include "base/job-protocol.h"
#include "base/json/write.h"
#include "base/text.h"
#include "runner/job.h"
#include "runner/json.h"

/* Any id: the CLI needs one, and its home is only for this job. */
#define SESSION_ID   "00000000-0000-4000-8000-000000000001"
#define SESSION_TIME "2026-01-01T00:00:00.000Z"

/* Escaping makes at most six bytes of one, and each turn has its frame. */
#define SESSION_MAX (GUARD_SIZE(CLI_HISTORY_MAX) * 6U + CLI_TURNS_MAX * 256U + 4096U)

void job_done(RunnerJob *j) {
        buf_done(&j->prompt);
        buf_done(&j->system);
        buf_done(&j->session);
}

static int refuse(const char **ret_why, const char *why) {
        *ret_why = why;
        return -EBADMSG;
}

static bool token_is_valid(const char *s, size_t n) {
        if (n == 0 || n > JOB_TOKEN_MAX)
                return false;
        for (size_t i = 0; i < n; i++)
                if (s[i] < 0x21 || s[i] > 0x7e)
                        return false;
        return true;
}

int job_parse_start(const char *line, size_t n, JobStart *ret, const char **ret_why) {
        _cleanup_json_ struct json_object *o = NULL;
        struct json_object *start, *dialogue;
        const char *token;
        size_t n_token;
        int r;

        r = json_parse_object(line, n, &o);
        if (r < 0)
                return r == -EBADMSG ? refuse(ret_why, "the line must be a JSON object") : r;
        start = json_get(o, "start", json_type_object);
        if (!start)
                return refuse(ret_why, "the first line must be a start");
        token = json_get_string(start, "token", &n_token);
        if (!token || !token_is_valid(token, n_token))
                return refuse(ret_why, "start.token must be a token");
        if (json_object_object_get_ex(start, "dialogue", &dialogue) &&
            !json_object_is_type(dialogue, json_type_boolean))
                return refuse(ret_why, "start.dialogue must be true or false");

        *ret = (JobStart){};
        ret->dialogue = json_object_get_boolean(json_get(start, "dialogue", json_type_boolean));
        memcpy(ret->token, token, n_token);
        return 0;
}

static int guarded(Buf *b, const char *text, size_t n) {
        *b = BUF_INIT(GUARD_SIZE(n));
        return guard_append(b, text, n);
}

/* One turn of the session file. The CLI would merge turns of the same id. */
static int write_turn(JWriter *w, struct json_object *turn, size_t i, size_t *total, const char **ret_why) {
        _cleanup_buf_ Buf text = {};
        const char *role, *s;
        size_t n_role, n;
        char id[24];
        int r;

        role = json_get_string(turn, "role", &n_role);
        s = json_get_string(turn, "text", &n);
        if (!role || !s || (!streq(role, "user") && !streq(role, "model")))
                return refuse(ret_why, "a turn of the history must have role (user or model) and text");
        *total += n;
        if (*total > CLI_HISTORY_MAX)
                return refuse(ret_why, "the history is too long");
        r = guarded(&text, s, n);
        if (r < 0)
                return r;

        (void) snprintf(id, sizeof(id), "%zu", i + 1);
        jwrite_object(w, NULL);
        jwrite_string(w, "id", id);
        jwrite_string(w, "timestamp", SESSION_TIME);
        if (streq(role, "user")) {
                jwrite_string(w, "type", "user");
                jwrite_array(w, "content");
                jwrite_object(w, NULL);
                jwrite_string_n(w, "text", buf_data(&text), text.n);
                jwrite_end(w);
                jwrite_end(w);
        } else {
                jwrite_string(w, "type", "gemini");
                jwrite_string_n(w, "content", buf_data(&text), text.n);
                jwrite_string(w, "model", "gemini");
        }
        jwrite_end(w);
        return 0;
}

static int write_session(Buf *b, struct json_object *history, const char **ret_why) {
        size_t n = history ? json_object_array_length(history) : 0, total = 0;
        JWriter w = JWRITER_INIT(b);
        int r;

        if (n > CLI_TURNS_MAX)
                return refuse(ret_why, "the history has too many turns");
        *b = BUF_INIT(SESSION_MAX);
        jwrite_object(&w, NULL);
        jwrite_string(&w, "sessionId", SESSION_ID);
        jwrite_string(&w, "projectHash", "gemgate");
        jwrite_string(&w, "startTime", SESSION_TIME);
        jwrite_string(&w, "lastUpdated", SESSION_TIME);
        jwrite_string(&w, "kind", "main");
        jwrite_array(&w, "messages");
        for (size_t i = 0; i < n; i++) {
                r = write_turn(&w, json_object_array_get_idx(history, i), i, &total, ret_why);
                if (r < 0)
                        return r;
        }
        jwrite_end(&w);
        jwrite_end(&w);
        return b->error;
}

static int read_texts(struct json_object *job, RunnerJob *j, const char **ret_why) {
        const char *s;
        size_t n;
        int r;

        s = json_get_string(job, "prompt", &n);
        if (!s)
                return refuse(ret_why, "job.prompt must be a string");
        if (n > CLI_PROMPT_MAX)
                return refuse(ret_why, "the prompt is too long");
        r = guarded(&j->prompt, s, n);
        if (r < 0)
                return r;

        s = json_get_string(job, "system", &n);
        if (!s) {
                /* Not guarded, so that the daemon's listener can tell it from a client's text. */
                j->system = BUF_INIT(sizeof(CLI_SYSTEM_NEUTRAL));
                return buf_puts(&j->system, CLI_SYSTEM_NEUTRAL);
        }
        if (n > CLI_SYSTEM_MAX)
                return refuse(ret_why, "the system text is too long");
        return guarded(&j->system, s, n);
}

/* A member of the wrong type is an error of the daemon's, not a missing member. */
static bool is_of_type_if_there(struct json_object *o, const char *key, enum json_type type) {
        struct json_object *v;

        return !json_object_object_get_ex(o, key, &v) || !v || json_object_is_type(v, type);
}

int job_parse(const char *line, size_t n, bool dialogue, RunnerJob *ret, const char **ret_why) {
        _cleanup_json_ struct json_object *o = NULL;
        _cleanup_(job_done) RunnerJob j = {};
        struct json_object *job, *history;
        int r;

        r = json_parse_object(line, n, &o);
        if (r < 0)
                return r == -EBADMSG ? refuse(ret_why, "the line must be a JSON object") : r;
        job = json_get(o, "job", json_type_object);
        if (!job)
                return refuse(ret_why, "the second line must be a job");
        if (!is_of_type_if_there(job, "system", json_type_string))
                return refuse(ret_why, "job.system must be a string");
        if (!is_of_type_if_there(job, "history", json_type_array))
                return refuse(ret_why, "job.history must be an array");
        history = json_get(job, "history", json_type_array);
        if (history && !dialogue && json_object_array_length(history) > 0)
                return refuse(ret_why, "a history needs a dialogue");

        r = read_texts(job, &j, ret_why);
        if (r >= 0 && dialogue)
                r = write_session(&j.session, history, ret_why);
        if (r < 0)
                return r;
        *ret = j;
        j = (RunnerJob){};
        return 0;
}
