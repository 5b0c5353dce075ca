/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reading a client's body: it is checked, translated to Gemini's JSON, and searched for names of files. A
 * small body is read at once. A large one is read by the worker's thread, because the check of dense JSON,
 * or the translation of a text full of escapes, takes up to a second for MAX_BODY's default.
 */

#include "dialect/cli/request.h"
#include "io/worker.h"
#include "server/request.h"

/* A body that the worker reads. It has copies of what the request has: the client may hang up meanwhile. */
typedef struct Reading {
        WorkerTask task;
        void (*done)(struct Reading *r); /* in the loop; the owner then takes the results, and frees it */
        void *userdata;
        GiveBack *give_back;

        /* what is read */
        Buf body;
        const Dialect *dialect; /* NULL: a Gemini object that is not translated */
        const char *makes;      /* of such an object: what is made by it, as in GeminiPath; or NULL */
        DialectContext context;
        Config *config;         /* references */
        Job *job;               /* or NULL */
        char id[REQUEST_ID_MAX + 1];
        char instead[MODEL_NAME_MAX + 1];
        char *rest;
        Buf headers, arguments; /* each a name and a value, both with a NUL */

        /* the results */
        int error; /* 0, DIALECT_E_REFUSED with `refusal`, or −errno */
        ApiError refusal;
        Translation *translation;
        Buf names;       /* of files and cached contents in the request, each with a NUL */
        size_t n_names;
        const char *names_fault; /* what they must be, if one is spelled otherwise; or NULL */
        Buf chosen; /* of `makes`: what the body names it, see server/files/chosen.h */
        CliRequest *cli; /* the job, if the Gemini CLI serves the request; or NULL */
} Reading;

bool reading_is_long(Request *q); /* the worker is to read it */

/* The model that a name means: an alias may also lead to a model of the Gemini CLI (`cli/`), and then *cli
 * becomes true, if it is not NULL. */
const char *reading_resolve(const Config *c, const char *name, bool *cli);

/* Whether the Gemini CLI serves the request, which the CLI itself has not sent. */
bool reading_is_for_cli(const Config *c, const Translation *t);

/* Reads the body at once. `instead`: a model that replaces the one in the request; or NULL. 0,
 * DIALECT_E_REFUSED, −errno. */
int reading_translate(Request *q, const char *instead, Translation **ret, ApiError *ret_error);
int reading_check(Request *q, ApiError *ret_error); /* it must be a JSON object; nothing is translated */

/* The same by the worker: takes the body. 0, and done() is called later; or −ENOMEM, and the body is still
 * the request's. */
int reading_begin(Request *q, const Dialect *dialect, const char *instead, void (*done)(Reading *r),
                  void *userdata, Reading **ret);

void reading_return_body(Reading *r, Request *q); /* behind done() */

/* Frees it. Before done() it is dropped: done() is not called. */
Reading *reading_free(Reading *r, Worker *w);
