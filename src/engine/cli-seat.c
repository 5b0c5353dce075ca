/* SPDX-License-Identifier: MIT */

/*
 * A seat is a runner with its Gemini CLI; it is used once. Starting a CLI takes more than a second of CPU,
 * so up to CLI_WARM seats are started ahead: after a call has ended, never while one waits for its first
 * byte, and only while the CLI is in use at all (WARM_FOR). Model, key and settings are bound at the inner
 * listener, so a warm seat fits every call, with one exception: a CLI that can take a dialogue answers later
 * than one that cannot, so warm seats take dialogues only after the first dialogue.
 */

#include <errno.h>
#include <stdlib.h>

#include "engine/cli-internal.h"
#include "io/timer.h"

#define WARM_FOR   (10 * USEC_PER_MINUTE) /* after the last call; runners retire by themselves at that age */

bool cli_seats_look_for_program(EngineCli *e) {
        free(e->program);
        e->program = NULL;
        e->found_at = loop_now(e->loop);
        return cli_program_find(e->p.path, &e->program, e->version) >= 0;
}

CliSeat *cli_seat_free(CliSeat *s) {
        if (!s)
                return NULL;
        if (list_is_linked(&s->link)) {
                list_unlink(&s->link);
                s->engine->n_warm--;
        }
        cli_runner_free(s->runner);
        free(s);
        return NULL;
}
int cli_seat_new(EngineCli *e, bool dialogue, CliSeat **ret) {
        _cleanup_(cli_seat_freep) CliSeat *s = NULL;
        int r;

        s = calloc(1, sizeof(CliSeat));
        if (!s)
                return -ENOMEM;
        s->engine = e;
        list_init(&s->link);
        r = cli_runner_new(
                &(CliRunnerParams){
                        .loop = e->loop,
                        .jobs = e->jobs,
                        .children = e->children,
                        .runner = e->p.runner,
                        .cli = e->program,
                        .upstream = e->p.upstream,
                        .passed = e->p.passed,
                },
                dialogue, &cli_call_ops, s, &s->runner);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

/* A warm seat that fits, or NULL. Without a dialogue both kinds fit, and the kind without is quicker. */
CliSeat *cli_seat_take_warm(EngineCli *e, bool dialogue) {
        CliSeat *best = NULL;

        LIST_FOREACH(i, &e->warm) {
                CliSeat *s = list_entry(i, CliSeat, link);

                if (cli_runner_takes_dialogue(s->runner) == dialogue) {
                        best = s;
                        break;
                }
                if (!dialogue)
                        best = s;
        }
        if (best) {
                list_unlink(&best->link);
                e->n_warm--;
        }
        return best;
}

void cli_seats_drop_warm(EngineCli *e) {
        LIST_FOREACH(i, &e->warm)
                cli_seat_free(list_entry(i, CliSeat, link));
}

static void on_idle(void *userdata) {
        EngineCli *e = userdata;
        usec_t end = usec_add(e->used_at, WARM_FOR), now = loop_now(e->loop);

        e->idle = timer_free(e->idle);
        if (now < end) {
                if (timer_new(e->loop, end - now, on_idle, e, &e->idle) >= 0)
                        return;
        }
        cli_seats_drop_warm(e);
        e->dialogue = false;
}

static bool is_in_use(const EngineCli *e) {
        return e->used_at > 0 && loop_now(e->loop) < usec_add(e->used_at, WARM_FOR);
}

/* Only if no call waits, in the queue or for a first byte: a starting CLI takes CPU from a working one. */
void cli_seats_refill(EngineCli *e) {
        if (e->n_queued > 0 || e->n_silent > 0 || e->draining || !is_in_use(e) || !e->program)
                return;
        LIST_FOREACH(i, &e->warm) {
                CliSeat *s = list_entry(i, CliSeat, link);

                if (e->n_warm > e->p.warm || (e->dialogue && !cli_runner_takes_dialogue(s->runner)))
                        cli_seat_free(s);
        }
        while (e->n_warm < e->p.warm) {
                CliSeat *s;

                if (cli_seat_new(e, e->dialogue, &s) < 0)
                        return; /* the next call will report the error */
                list_append(&e->warm, &s->link);
                e->n_warm++;
        }
        if (!e->idle)
                (void) timer_new(e->loop, WARM_FOR, on_idle, e, &e->idle);
}
