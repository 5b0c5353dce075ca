/* SPDX-License-Identifier: MIT */

/* The output of a runner, as the daemon reads it: any bytes over a socket. Texts are UTF-8 and never empty,
 * the end comes once and last, and the result of a job is a refusal with a message or a
 * GenerateContentResponse. */

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-event.h>

#include "base/text.h"
#include "dialect/gemini/event.h"
#include "engine/cli-answer.h"

#define OUT_MAX (64U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Talk {
        CliRunner *runner;
        Buf text;
        unsigned n_ended;
} Talk;

static char dir[] = "/tmp/fuzz-cli-runner-XXXXXX", runner[64];
static int listener = -1;

static void check(bool good) {
        if (!good)
                abort();
}

static void clean(void) {
        (void) unlink(runner + strlen("unix:"));
        (void) rmdir(dir);
}

static void open_listener(void) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };

        check(mkdtemp(dir));
        (void) snprintf(runner, sizeof(runner), "unix:%s/s", dir);
        (void) snprintf(a.sun_path, sizeof(a.sun_path), "%s/s", dir);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        check(listener >= 0 && bind(listener, (struct sockaddr *) &a, sizeof(a)) == 0);
        check(listen(listener, 8) == 0);
        (void) atexit(clean);
}

static void on_ready(CliRunner *r, const char *isolation, void *userdata) {
        Talk *t = userdata;

        check(r == t->runner && t->n_ended == 0 && isolation);
}

static void on_text(CliRunner *r, const char *s, size_t n, void *userdata) {
        Talk *t = userdata;

        check(r == t->runner && t->n_ended == 0 && n > 0 && text_is_utf8(s, n));
        check(buf_append(&t->text, s, n) == 0);
}

static void on_ended(CliRunner *r, const CliResult *result, void *userdata) {
        Talk *t = userdata;
        Job *j = cli_runner_job(r);
        _cleanup_buf_ Buf out = BUF_INIT(OUT_MAX);
        ApiError e;
        Verdict v;

        t->n_ended++;
        if (cli_answer_judge(j, result, &e) != 0)
                check(e.status >= 400 && e.message[0] && text_is_utf8(e.message, strlen(e.message)));
        /* as if Gemini's answer were complete */
        job_answered(j, &(Usage){});
        (void) cli_answer_judge(j, result, &e);
        if (result) {
                GeminiEvent event;

                check(cli_answer_write(j, result, t->text.n > 0 ? buf_data(&t->text) : "", t->text.n, 1, 1,
                                       &out) == 0);
                check(gemini_event_parse(buf_data(&out), out.n, &event, &v) == 0);
        }
        t->runner = cli_runner_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const CliRunnerOps ops = { .ready = on_ready, .text = on_text, .ended = on_ended };
        _cleanup_(loop_freep) Loop *loop = NULL;
        _cleanup_(job_book_freep) JobBook *book = NULL;
        _cleanup_close_ int fd = -1;
        Talk t = { .text = BUF_INIT(OUT_MAX) };

        if (listener < 0)
                open_listener();
        check(loop_new(&loop) == 0 && job_book_new(&book) == 0);
        check(cli_runner_new(&(CliRunnerParams){ .loop = loop,
                                                 .jobs = book,
                                                 .runner = runner,
                                                 .upstream = "none",
                                                 .passed = true },
                             false, &ops, &t, &t.runner) == 0);
        check(job_arm(cli_runner_job(t.runner), "m", "id", NULL) == 0);
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        check(fd >= 0);
        while (size > 0 && t.n_ended == 0) {
                ssize_t k = send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

                if (k > 0) {
                        data += k;
                        size -= (size_t) k;
                }
                check(sd_event_run(loop_event(loop), 0) >= 0);
        }
        fd = safe_close(fd);
        while (t.n_ended == 0)
                check(sd_event_run(loop_event(loop), USEC_PER_SEC) > 0);
        while (sd_event_run(loop_event(loop), 0) > 0)
                ;
        check(t.n_ended == 1 && !t.runner);
        buf_done(&t.text);
        return 0;
}
