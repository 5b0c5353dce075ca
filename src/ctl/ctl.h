/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One invocation of gemgatectl. A verb writes its answer into `out`. main.c shows it when the verb is done,
 * through a pager if it is long and for a person. A verb prints its errors itself, on standard error, and
 * returns an exit status.
 */

#include <systemd/sd-bus.h>

#include "base/json/write.h"
#include "base/clock.h"
#include "ctl/screen.h"

typedef struct Ctl Ctl;
typedef struct Verb Verb;

/* the exit statuses, as gemgatectl(1) lists them */
enum {
        CTL_OK,
        CTL_FAILED = 1,
        CTL_NOTHING = 3, /* no such key, no such model */
        CTL_DENIED = 4,
        CTL_USAGE = 64,
};

struct Ctl {
        const Verb *verb;
        const char *host, *machine, *socket; /* where the daemon is; all NULL: on this machine */
        const char *days;
        bool json, all, full, no_pager;

        Screen screen;
        Buf out;

        sd_bus *bus;
        bool peer;        /* the daemon's own socket, without a bus */
        bool quiet;       /* prints no messages; set while a shell completes a command line */
        uint64_t timeout; /* of each call, in microseconds */
};

typedef enum VerbFlags {
        VERB_OFFLINE = 1 << 0,  /* needs no daemon */
        VERB_NO_START = 1 << 1, /* doesn't start one, either */
        VERB_HIDDEN = 1 << 2,   /* for the shells only */
        VERB_ALL = 1 << 3,      /* takes --all */
        VERB_DAYS = 1 << 4,     /* takes --days */
} VerbFlags;

struct Verb {
        const char *name, *args, *help;
        unsigned min, max;
        unsigned flags;
        /* A letter an argument: k(ey), m(odel), l(evel), f(ile), v(erb); the last one repeats. */
        const char *complete;
        int (*run)(Ctl *c, unsigned n, char *args[]);
};

extern const Verb ctl_verbs[];
extern const size_t ctl_n_verbs;

int ctl_say(const Ctl *c, int status, const char *fmt, ...) _printf_(3, 4); /* returns the status */
int ctl_oom(const Ctl *c);

int ctl_days(Ctl *c, unsigned n); /* stats --days (verb-days.c) */

int verb_status(Ctl *c, unsigned n, char *args[]);
int verb_stats(Ctl *c, unsigned n, char *args[]);
int verb_version(Ctl *c, unsigned n, char *args[]);
int verb_keys(Ctl *c, unsigned n, char *args[]);
int verb_show(Ctl *c, unsigned n, char *args[]);
int verb_models(Ctl *c, unsigned n, char *args[]);
int verb_requests(Ctl *c, unsigned n, char *args[]);
int verb_explain(Ctl *c, unsigned n, char *args[]);
int verb_reset(Ctl *c, unsigned n, char *args[]);
int verb_enable(Ctl *c, unsigned n, char *args[]);
int verb_disable(Ctl *c, unsigned n, char *args[]);
int verb_test(Ctl *c, unsigned n, char *args[]);
int verb_reload(Ctl *c, unsigned n, char *args[]);
int verb_log_level(Ctl *c, unsigned n, char *args[]);
int verb_monitor(Ctl *c, unsigned n, char *args[]);
int verb_check_config(Ctl *c, unsigned n, char *args[]);
int verb_help(Ctl *c, unsigned n, char *args[]);
int verb_complete(Ctl *c, unsigned n, char *args[]);
