/* SPDX-License-Identifier: MIT */
#pragma once

/* What engine-cli.c and cli-seat.c share: the engine, its calls and their seats. */

#include "core/verdict.h"
#include "dialect/cli/request.h"
#include "engine/cli-program.h"
#include "engine/cli-runner.h"
#include "engine/engine-cli.h"
#include "io/timer.h"

typedef enum CliCallState {
        CALL_QUEUED,
        CALL_RUNNING,
        CALL_ENDED,
        _CALL_STATE_MAX,
} CliCallState;

typedef struct EngineCli EngineCli;
typedef struct CliCall CliCall;

typedef struct CliSeat {
        List link; /* of the warm seats */
        EngineCli *engine;
        CliRunner *runner;
        CliCall *call; /* NULL: warm */
} CliSeat;

struct EngineCli {
        Engine engine;
        Loop *loop;
        JobBook *jobs;
        Children *children;
        EngineCliParams p;
        List warm, queue, ended;
        size_t n_warm, n_queued, n_running, n_calls;
        size_t n_silent; /* running calls without a byte so far */
        LoopHook hook;
        bool dialogue; /* whether warm seats take dialogues */
        bool draining; /* no more warm seats are needed */
        usec_t used_at;
        Timer *idle;

        char *program; /* the CLI, as of found_at; NULL: not found */
        char version[CLI_VERSION_MAX];
        usec_t found_at;
        char isolation[16];
};

struct CliCall {
        EngineCall call;
        EngineCli *engine;
        CliCallState state;
        const LogIds *ids;
        List link; /* of the queue, or of the ended calls */
        GeminiMethod method;
        EngineSink sink;
        void *userdata;
        CliRequest request;
        char model[MODEL_NAME_MAX + 1], id[REQUEST_ID_MAX + 1];
        usec_t timeout, started;
        CliSeat *seat;
        Timer *timer; /* of the wait in the queue, then of the job */
        bool silent, spoke, retried, paused;
        Buf text; /* not streaming: the answer so far */

        Verdict verdict;
        bool refused;
        ApiError refusal;
        unsigned attempts;
        char key_mask[SECRET_MASK_MAX], key_name[POOL_KEY_ID_MAX + 1];
};

/* --- cli-seat.c --- */

bool cli_seats_look_for_program(EngineCli *e); /* which the next seats run */

int cli_seat_new(EngineCli *e, bool dialogue, CliSeat **ret);
CliSeat *cli_seat_free(CliSeat *s);
DEFINE_CLEANUP(CliSeat *, cli_seat_free);

CliSeat *cli_seat_take_warm(EngineCli *e, bool dialogue);
void cli_seats_drop_warm(EngineCli *e);
void cli_seats_refill(EngineCli *e);

extern const CliRunnerOps cli_call_ops; /* of a seat's runner; userdata is the seat */
