/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/job-protocol.h"
#include "base/json/write.h"
#include "base/text.h"
#include "dialect/json.h"
#include "engine/cli-runner.h"

struct CliRunner {
        LineStream *stream;
        Job *job;
        bool dialogue;
        CliRunnerOps ops;
        void *userdata;
};

/* --- the runner's lines --- */

static void on_ready(CliRunner *r, struct json_object *o) {
        r->ops.ready(r, strempty(json_get_string(o, "isolation")), r->userdata);
}

static void on_text(CliRunner *r, struct json_object *o) {
        const char *s;
        size_t n;

        s = json_string(json_get(o, "text"), &n);
        if (s && n > 0)
                r->ops.text(r, s, n, r->userdata);
}

static void on_result(CliRunner *r, struct json_object *o) {
        struct json_object *code = json_get(o, "exit_code");
        CliResult result = {
                .status = strempty(json_get_string(o, "status")),
                .message = strempty(json_get_string(o, "message")),
                .messages = (uint64_t) MAX(json_object_get_int64(json_get(o, "messages")), (int64_t) 0),
                .exit_code = code ? json_object_get_int64(code) : -1,
                .signal = json_object_get_int64(json_get(o, "signal")),
                .stderr_tail = strempty(json_get_string(o, "stderr")),
                .argv = json_get_typed(o, "argv", json_type_array),
        };

        r->ops.ended(r, &result, r->userdata);
}

static const struct {
        const char *event;
        void (*handle)(CliRunner *r, struct json_object *o);
} events[] = {
        { "ready", on_ready },
        { "text", on_text },
        { "result", on_result },
};

/* The runner is trusted, but it passes on output of a program that is not: unexpected lines are ignored. */
static void on_line(const char *s, size_t n, void *userdata) {
        _cleanup_json_ struct json_object *o = NULL;
        const char *event;

        if (json_parse(s, n, &o) < 0 || !json_object_is_type(o, json_type_object))
                return;
        event = strempty(json_get_string(o, "event"));
        for (size_t i = 0; i < ELEMENTSOF(events); i++)
                if (streq(events[i].event, event)) {
                        events[i].handle(userdata, o);
                        return;
                }
}

static void on_closed(int error _unused_, void *userdata) {
        CliRunner *r = userdata;

        r->ops.ended(r, NULL, r->userdata);
}

/* --- starting and ending --- */

/* If systemd passes the job's socket it also has the runners, and the daemon starts none itself. Checked
 * each time: the socket may be enabled later. */
static const char *choose_runner(const CliRunnerParams *p) {
        if (!streq(p->runner, "auto"))
                return p->runner;
        return p->passed || access(CLI_RUNNER_SOCKET, F_OK) == 0 ? "unix:" CLI_RUNNER_SOCKET
                                                                 : GEMGATE_LIBEXECDIR "/gemgate-runner";
}

static int connect_or_spawn(const CliRunnerParams *p, int *ret_fd) {
        const char *runner = choose_runner(p), *socket = startswith(runner, "unix:");
        _cleanup_free_ char *cli = NULL, *upstream = NULL;

        if (!p->upstream || (socket && !p->passed))
                return -EADDRNOTAVAIL;
        if (socket)
                return line_stream_connect(socket, ret_fd);
        if (asprintf(&cli, "--cli=%s", p->cli) < 0) {
                cli = NULL;
                return -ENOMEM;
        }
        if (asprintf(&upstream, "--upstream=%s", p->upstream) < 0) {
                upstream = NULL;
                return -ENOMEM;
        }
        return child_spawn(p->children,
                           (const char *const[]){ runner, cli, upstream, "--isolation=namespaces", NULL },
                           ret_fd);
}

static int say_start(CliRunner *r) {
        _cleanup_buf_ Buf line = BUF_INIT_SECRET(JOB_TOKEN_MAX + 256);
        JWriter w = JWRITER_INIT(&line);

        jwrite_object(&w, NULL);
        jwrite_object(&w, "start");
        jwrite_string(&w, "token", secret_reveal(r->job->token));
        jwrite_bool(&w, "dialogue", r->dialogue);
        jwrite_end(&w);
        jwrite_end(&w);
        if (line.error < 0)
                return line.error;
        line_stream_write(r->stream, buf_data(&line), line.n);
        return 0;
}

int cli_runner_new(const CliRunnerParams *p, bool dialogue, const CliRunnerOps *ops, void *userdata,
                   CliRunner **ret) {
        static const LineStreamOps stream_ops = { .line = on_line, .closed = on_closed };
        _cleanup_(cli_runner_freep) CliRunner *r = NULL;
        int fd, k;

        r = calloc(1, sizeof(CliRunner));
        if (!r)
                return -ENOMEM;
        *r = (CliRunner){ .dialogue = dialogue, .ops = *ops, .userdata = userdata };
        k = job_new(p->jobs, &r->job);
        if (k < 0)
                return k;
        k = connect_or_spawn(p, &fd);
        if (k < 0)
                return k;
        k = line_stream_new(p->loop, fd, JOB_EVENT_MAX, &stream_ops, r, &r->stream);
        if (k < 0)
                return k;
        k = say_start(r);
        if (k < 0)
                return k;
        *ret = TAKE_PTR(r);
        return 0;
}

CliRunner *cli_runner_free(CliRunner *r) {
        if (!r)
                return NULL;
        line_stream_free(r->stream);
        if (r->job)
                job_revoke(r->job);
        job_unref(r->job);
        free(r);
        return NULL;
}

bool cli_runner_takes_dialogue(const CliRunner *r) {
        return r->dialogue;
}

Job *cli_runner_job(CliRunner *r) {
        return r->job;
}

void cli_runner_give(CliRunner *r, const Buf *line) {
        line_stream_write(r->stream, buf_data(line), line->n);
}

void cli_runner_pause(CliRunner *r, bool paused) {
        line_stream_pause(r->stream, paused);
}
