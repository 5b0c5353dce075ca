/* SPDX-License-Identifier: MIT */

/*
 * Calls wait in order for one of CLI_MAX_JOBS seats (cli-seat.c).
 *
 *     QUEUED → RUNNING → ENDED → (reported, at the end of the turn)
 *
 * A warm seat may be retiring at the moment when it gets its job. Then it hangs up before it has sent a
 * request upstream, and the call gets another seat, once.
 */

#include <errno.h>
#include <stdio.h>

#include "base/json/write.h"
#include "base/log.h"
#include "base/text.h"
#include "base/trace.h"
#include "dialect/dialect.h"
#include "engine/cli-answer.h"
#include "engine/cli-internal.h"

#define FIND_EVERY (5 * USEC_PER_SEC) /* how often a status request looks for the program */
#define ISOLATION_UNKNOWN "unknown" /* before the first job of a runner */

static const char *cli_call_state_to_string(CliCallState s) {
        static const char *const names[_CALL_STATE_MAX] = {
                [CALL_QUEUED] = "queued",
                [CALL_RUNNING] = "running",
                [CALL_ENDED] = "ended",
        };

        assert(s < _CALL_STATE_MAX);
        return names[s];
}

/* The only place that changes the state of a call. */
static void call_enter(CliCall *c, CliCallState state) {
        trace(cli_call, c->ids, "%s, was %s", cli_call_state_to_string(state),
              cli_call_state_to_string(c->state));
        c->state = state;
}

static void work_on(EngineCli *e);

/* --- the end of a call --- */

static void call_set_silent(CliCall *c, bool silent) {
        if (c->silent == silent)
                return;
        c->silent = silent;
        if (silent)
                c->engine->n_silent++;
        else {
                c->engine->n_silent--;
                loop_hook_ask(c->engine->loop, &c->engine->hook);
        }
}

/* Reports the keys that the call was tried with, however it ended. */
static void call_leave_seat(CliCall *c) {
        const Job *j;

        if (!c->seat)
                return;
        j = cli_runner_job(c->seat->runner);
        c->attempts = j->attempts;
        memcpy(c->key_mask, j->key_mask, sizeof(c->key_mask));
        memcpy(c->key_name, j->key_name, sizeof(c->key_name));
        c->seat = cli_seat_free(c->seat);
        c->engine->n_running--;
        call_set_silent(c, false);
}

static void call_end(CliCall *c) {
        EngineCli *e = c->engine;

        if (c->state == CALL_QUEUED && list_is_linked(&c->link)) {
                list_unlink(&c->link);
                e->n_queued--;
        }
        c->timer = timer_free(c->timer);
        call_leave_seat(c);
        call_enter(c, CALL_ENDED);
        list_append(&e->ended, &c->link);
        loop_hook_ask(e->loop, &e->hook);
}

/* The verdict of an error that no attempt upstream has caused. What fails here is not Google's fault. */
static VerdictClass class_of(int status) {
        static const struct {
                int status;
                VerdictClass class;
        } rows[] = {
                { 429, VERDICT_RATE_UNKNOWN },
                { 504, VERDICT_TIMEOUT },
                { 500, VERDICT_INTERNAL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].status == status)
                        return rows[i].class;
        return status < 500 ? VERDICT_REQUEST : VERDICT_CLI;
}

/* The log shows the message as the cause, without the full stop. */
static void set_verdict(CliCall *c, VerdictClass class, const char *message) {
        Verdict *v = &c->verdict;
        size_t n;

        verdict_init(v, class, 0, message);
        n = text_utf8_prefix(v->message, sizeof(v->cause) - 1);
        if (n > 0 && v->message[n - 1] == '.')
                n--;
        memcpy(v->cause, v->message, n);
        v->cause[n] = 0;
}

static void call_refuse(CliCall *c, VerdictClass class, const ApiError *refusal) {
        set_verdict(c, class, refusal->message);
        c->refused = true;
        c->refusal = *refusal;
        call_end(c);
}

/* The error of a request of the CLI's. Its attempt's verdict and cause are the call's. */
static void call_refuse_as(CliCall *c, const Job *j) {
        VerdictClass class = j->error_class != VERDICT_OK ? j->error_class : class_of(j->error.status);
        char cause[VERDICT_CAUSE_MAX];

        text_copy(cause, sizeof(cause), j->error_cause); /* the job is freed with the seat */
        call_refuse(c, class, &j->error);
        if (cause[0])
                text_copy(c->verdict.cause, sizeof(c->verdict.cause), cause);
}

static void call_end_as(CliCall *c, VerdictClass class, const char *message) {
        set_verdict(c, class, message);
        call_end(c);
}

/* Once: at the end, or when the client hangs up before. */
static void tell_served(CliCall *c) {
        void (*served)(const EngineServed *s, void *userdata) = TAKE_PTR(c->sink.served);

        if (served)
                served(
                        &(EngineServed){
                                .refusal = c->refused ? &c->refusal : NULL,
                                .key_mask = c->key_mask,
                                .key_name = c->key_name,
                                .attempts = c->attempts,
                        },
                        c->userdata);
}

static void tell_ended(void *userdata) {
        EngineCli *e = userdata;
        List *i;

        while ((i = list_first(&e->ended))) {
                CliCall *c = list_entry(i, CliCall, link);
                Verdict v = c->verdict; /* used after c is freed */

                list_unlink(i);
                tell_served(c);
                c->sink.done(&v, c->userdata); /* frees c */
        }
        work_on(e);
        cli_seats_refill(e);
}

/* --- the runner's events --- */

static void on_ready(CliRunner *r _unused_, const char *isolation, void *userdata) {
        CliSeat *s = userdata;
        EngineCli *e = s->engine;
        size_t n = strlen(isolation);

        if (streq(e->isolation, isolation) || n >= sizeof(e->isolation))
                return;
        memcpy(e->isolation, isolation, n + 1);
        if (streq(isolation, "process"))
                log_warning(
                        "the Gemini CLI%s%s runs without separate namespaces here (isolation: process): "
                        "only its settings keep it from files and network",
                        e->version[0] ? " " : "", e->version);
        else
                log_info("the Gemini CLI%s%s runs in isolation: %s", e->version[0] ? " " : "", e->version,
                         isolation);
}

static void on_text(CliRunner *r _unused_, const char *s, size_t n, void *userdata) {
        CliSeat *seat = userdata;
        CliCall *c = seat->call;
        _cleanup_buf_ Buf event = BUF_INIT(UPSTREAM_EVENT_MAX);
        JWriter w = JWRITER_INIT(&event);

        if (!c)
                return;
        if (!c->spoke)
                c->call.first_byte = loop_now(c->engine->loop);
        c->spoke = true;
        call_set_silent(c, false);
        if (c->method != GEMINI_STREAM) {
                if (buf_append(&c->text, s, n) < 0)
                        call_end_as(c, VERDICT_CUT, "The Gemini CLI's answer is larger than gemgate takes.");
                return;
        }
        jwrite_object(&w, NULL);
        jwrite_array(&w, "candidates");
        jwrite_object(&w, NULL);
        jwrite_object(&w, "content");
        jwrite_string(&w, "role", "model");
        jwrite_array(&w, "parts");
        jwrite_object(&w, NULL);
        jwrite_string_n(&w, "text", s, n);
        for (unsigned i = 0; i < 6; i++)
                jwrite_end(&w);
        if (event.error < 0 || c->sink.event(buf_data(&event), event.n, c->userdata) < 0)
                call_end_as(c, VERDICT_INTERNAL, "gemgate could not take the Gemini CLI's answer.");
}

static void call_answer(CliCall *c, const CliResult *result) {
        const Job *j = cli_runner_job(c->seat->runner);
        _cleanup_buf_ Buf event = BUF_INIT(UPSTREAM_EVENT_MAX + UPSTREAM_ANSWER_MAX);
        usec_t spent = usec_sub(clock_monotonic(), c->started);
        ApiError refusal;
        int r;

        if (j->has_error)
                return call_refuse_as(c, j);
        if (cli_answer_judge(j, result, &refusal) != 0)
                return call_refuse(c, class_of(refusal.status), &refusal);

        r = cli_answer_write(j, result, c->text.n > 0 ? buf_data(&c->text) : "", c->text.n,
                             c->request.n_prompt, spent, &event);
        if (r >= 0)
                r = c->sink.event(buf_cstr(&event), event.n, c->userdata);
        if (r < 0)
                return call_end_as(c, VERDICT_INTERNAL, "gemgate could not take the Gemini CLI's answer.");
        call_end_as(c, VERDICT_OK, NULL);
}

static void call_run(CliCall *c);

static void on_ended(CliRunner *r, const CliResult *result, void *userdata) {
        CliSeat *s = userdata;
        CliCall *c = s->call;

        if (!c) { /* it waited too long, or its CLI could not start */
                cli_seat_free(s);
                return;
        }
        if (!result && !c->spoke && !c->retried && cli_runner_job(r)->calls == 0) {
                c->retried = true;
                call_leave_seat(c);
                call_run(c);
                return;
        }
        call_answer(c, result);
}

const CliRunnerOps cli_call_ops = { .ready = on_ready, .text = on_text, .ended = on_ended };

/* --- the course of a call --- */

static void on_job_timeout(void *userdata) {
        CliCall *c = userdata;

        call_end_as(c, VERDICT_TIMEOUT,
                    c->timeout < c->engine->p.timeout
                            ? "The Gemini CLI was not done within the request's timeout."
                            : "The Gemini CLI was not done within CLI_TIMEOUT.");
}

static void on_queue_timeout(void *userdata) {
        CliCall *c = userdata;
        ApiError refusal;

        api_error_set(&refusal, 429, NULL,
                      "All %llu jobs that the Gemini CLI may have at once (CLI_MAX_JOBS) are busy.",
                      (unsigned long long) c->engine->p.max_jobs);
        refusal.retry_after = MAX(c->engine->p.queue_wait, USEC_PER_SEC);
        call_refuse(c, VERDICT_CLI, &refusal);
}

static void refuse_absent(CliCall *c) {
        ApiError refusal;

        api_error_set(
                &refusal, 503, NULL,
                "The Gemini CLI is not installed here (CLI_PATH=%s): run install-gemini-cli, which comes "
                "with gemgate; docs/CLI.md says where it is.",
                c->engine->p.path);
        call_refuse(c, VERDICT_CLI, &refusal);
}

static void refuse_seat(CliCall *c, int error) {
        ApiError refusal;

        api_error_set(&refusal, 503, NULL, "No runner for the Gemini CLI is available (CLI_RUNNER=%s): %s.",
                      c->engine->p.runner,
                      error == -EADDRNOTAVAIL ? "it could not reach gemgated's socket for jobs"
                                              : strerror(-error));
        log_warning(
                "%s Under systemd: systemctl enable --now gemgated-job.socket gemgate-runner.socket, and "
                "restart gemgated.service; one of several instances has no jobs.",
                refusal.message);
        call_refuse(c, VERDICT_CLI, &refusal);
}

static void refuse_without_listener(CliCall *c) {
        ApiError refusal;

        api_error_set(&refusal, 503, NULL,
                      "The Gemini CLI cannot be served: gemgate has no socket for its jobs (its log says "
                      "why).");
        call_refuse(c, VERDICT_CLI, &refusal);
}

static int call_take_seat(CliCall *c) {
        EngineCli *e = c->engine;
        int r;

        if (!c->retried)
                c->seat = cli_seat_take_warm(e, c->request.dialogue);
        if (!c->seat) {
                r = cli_seat_new(e, c->request.dialogue, &c->seat);
                if (r < 0)
                        return r;
        }
        c->seat->call = c;
        e->n_running++;
        call_set_silent(c, true);
        return job_arm(cli_runner_job(c->seat->runner), c->model, c->id, c->request.asked);
}

/* Moves the call from the queue to a seat. */
static void call_run(CliCall *c) {
        EngineCli *e = c->engine;
        int r;

        if (c->state == CALL_QUEUED) {
                if (list_is_linked(&c->link)) {
                        list_unlink(&c->link);
                        e->n_queued--;
                }
                c->timer = timer_free(c->timer);
                c->started = clock_monotonic();
                call_enter(c, CALL_RUNNING);
        }
        e->used_at = loop_now(e->loop);
        e->dialogue = e->dialogue || c->request.dialogue;
        if (!cli_seats_look_for_program(e))
                return refuse_absent(c);
        if (!e->p.upstream)
                return refuse_without_listener(c);
        r = call_take_seat(c);
        if (r >= 0 && !c->timer)
                r = timer_new(e->loop, c->timeout, on_job_timeout, c, &c->timer);
        if (r < 0)
                return refuse_seat(c, r);
        cli_runner_pause(c->seat->runner, c->paused);
        cli_runner_give(c->seat->runner, &c->request.job);
}

static void work_on(EngineCli *e) {
        List *i;

        while (e->n_running < e->p.max_jobs && (i = list_first(&e->queue)))
                call_run(list_entry(i, CliCall, link));
}

static int take_request(CliCall *c, const EngineRequest *q) {
        if (!q->cli)
                return cli_request_split(q->body, q->n_body, &c->request, &c->refusal);
        c->request = *q->cli;
        *q->cli = CLI_REQUEST_NULL;
        return 0;
}

static int cli_call_start(Engine *engine, const EngineRequest *q, const EngineSink *sink, void *userdata,
                          EngineCall **ret) {
        EngineCli *e = CONTAINER_OF(engine, EngineCli, engine);
        CliCall *c;
        int r;

        assert(q->method == GEMINI_GENERATE || q->method == GEMINI_STREAM);
        c = calloc(1, sizeof(CliCall));
        if (!c)
                return -ENOMEM;
        *c = (CliCall){
                .call.engine = engine,
                .engine = e,
                .method = q->method,
                .sink = *sink,
                .userdata = userdata,
                .ids = q->ids ?: &log_no_request,
                .timeout = q->timeout > 0 ? MIN(q->timeout, e->p.timeout) : e->p.timeout,
                .text = BUF_INIT(UPSTREAM_ANSWER_MAX),
        };
        list_init(&c->link);
        (void) snprintf(c->model, sizeof(c->model), "%s", q->model);
        (void) snprintf(c->id, sizeof(c->id), "%s", strempty(q->id));
        e->n_calls++;

        r = take_request(c, q);
        if (r < 0) {
                c->sink.served = NULL; /* a call that did not begin is not reported */
                engine_call_free(&c->call);
                return r;
        }
        *ret = &c->call;
        if (r == DIALECT_E_REFUSED) {
                c->refused = true;
                verdict_init(&c->verdict, VERDICT_REQUEST, c->refusal.status, c->refusal.message);
                call_end(c);
                return 0;
        }
        list_append(&e->queue, &c->link);
        e->n_queued++;
        if (e->n_running + e->n_queued <= e->p.max_jobs) /* others may have arrived in this turn */
                loop_hook_ask(e->loop, &e->hook);
        else if (e->n_queued > CLI_QUEUE_MAX || e->p.queue_wait == 0 ||
                 timer_new(e->loop, e->p.queue_wait, on_queue_timeout, c, &c->timer) < 0)
                on_queue_timeout(c);
        return 0;
}

static void cli_call_pause(EngineCall *call, bool paused) {
        CliCall *c = CONTAINER_OF(call, CliCall, call);

        c->paused = paused;
        if (c->seat)
                cli_runner_pause(c->seat->runner, paused);
}

static void cli_call_free(EngineCall *call) {
        CliCall *c = CONTAINER_OF(call, CliCall, call);
        EngineCli *e = c->engine;

        if (c->state == CALL_QUEUED && list_is_linked(&c->link))
                e->n_queued--;
        list_unlink(&c->link);
        timer_free(c->timer);
        call_leave_seat(c);
        tell_served(c);
        cli_request_done(&c->request);
        buf_done(&c->text);
        free(c);
        e->n_calls--;
        loop_hook_ask(e->loop, &e->hook);
}

/* --- the engine --- */

int engine_cli_new(Loop *l, JobBook *jobs, const EngineCliParams *p, Engine **ret) {
        static const EngineOps ops = {
                .start = cli_call_start,
                .pause = cli_call_pause,
                .free = cli_call_free,
        };
        EngineCli *e;
        int r;

        e = calloc(1, sizeof(EngineCli));
        if (!e)
                return -ENOMEM;
        *e = (EngineCli){
                .engine.ops = &ops, .loop = l, .jobs = jobs, .p = *p, .isolation = ISOLATION_UNKNOWN
        };
        list_init(&e->warm);
        list_init(&e->queue);
        list_init(&e->ended);
        r = children_new(l, &e->children);
        if (r < 0) {
                free(e);
                return r;
        }
        loop_hook_add(l, &e->hook, tell_ended, e);
        *ret = &e->engine;
        return 0;
}

void engine_cli_configure(Engine *engine, const EngineCliParams *p) {
        EngineCli *e = CONTAINER_OF(engine, EngineCli, engine);
        bool is_another = !streq(e->p.path, p->path) || !streq(e->p.runner, p->runner);

        e->p = *p;
        if (is_another) {
                cli_seats_drop_warm(e);
                (void) snprintf(e->isolation, sizeof(e->isolation), ISOLATION_UNKNOWN);
                (void) cli_seats_look_for_program(e); /* warm seats are of this program from now on */
        }
        loop_hook_ask(e->loop, &e->hook);
}

void engine_cli_drain(Engine *engine) {
        EngineCli *e = CONTAINER_OF(engine, EngineCli, engine);

        e->draining = true;
        if (e->n_queued == 0)
                cli_seats_drop_warm(e);
}

void engine_cli_status(Engine *engine, EngineCliStatus *ret) {
        EngineCli *e = CONTAINER_OF(engine, EngineCli, engine);

        if (e->found_at == 0 || loop_now(e->loop) >= usec_add(e->found_at, FIND_EVERY))
                (void) cli_seats_look_for_program(e);
        *ret = (EngineCliStatus){
                .available = e->program,
                .version = e->program ? e->version : "",
                .isolation = e->program ? e->isolation : "none",
        };
}

Engine *engine_cli_free(Engine *engine) {
        EngineCli *e;

        if (!engine)
                return NULL;
        e = CONTAINER_OF(engine, EngineCli, engine);
        assert(e->n_calls == 0);
        cli_seats_drop_warm(e);
        timer_free(e->idle);
        loop_hook_remove(&e->hook);
        children_free(e->children);
        free(e->program);
        free(e);
        return NULL;
}
