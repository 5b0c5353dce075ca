/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by the files of the manager. */

#include <systemd/sd-event.h>

#include "bus/bus.h"
#include "core/response-store.h"
#include "core/vault.h"
#include "pool/proxy.h"
#include "pool/update.h"
#include "daemon/config-thread.h"
#include "daemon/events.h"
#include "daemon/idle.h"
#include "daemon/state-writer.h"
#include "daemon/manager.h"
#include "daemon/notify.h"
#include "engine/engine-api.h"
#include "engine/engine-cli.h"
#include "server/http.h"

struct Manager {
        Config *config;
        ConfigPaths paths;
        Zone *zone;
        Loop *loop;
        Pool *pool;
        Vault *vault; /* of thought signatures */
        ResponseStore *responses;
        StateWriter *state_writer; /* NULL: the pool's state is in memory only */
        Engine *engine;
        JobBook *jobs; /* of the Gemini CLI */
        Engine *cli;
        char *job_dir, *job_socket; /* of the inner listener; the directory only if gemgated made it */
        bool job_passed;            /* by systemd */
        Http *http;
        Events *events;
        EventsListener http_events;
        EventsListener bus_events;
        Bus *bus;
        Notify *notify;
        EventsListener notify_events;
        Idle *idle; /* NULL without IDLE_EXIT */
        sd_event_source *sigterm, *sigint, *sighup, *drain_timer;
        LoopHook ended; /* while draining: a request ended, was it the last? */
        struct {
                ConfigThread *thread; /* while a configuration is being read */
                bool again;           /* another reload comes after it */
                uint64_t serial;      /* of the latest reload */
                char *fault;          /* its first one; or NULL */
                char *warnings;       /* all of them, each after `; warning: `; or NULL */
                Config *config;       /* that has been read, until its keys are freed; or NULL */
                PoolKeyWanted *wanted;
                PoolUpdate *update; /* while the pool gets its keys and limits; or NULL */
                bool limiting;      /* it has the keys, and is getting its limits */
                LoopSlice slice;
        } reload;
        bool ended_added, signalled, draining, cut, ending;
        bool nohup;  /* SIGHUP was ignored at the start */
        bool passed; /* the sockets are systemd's: it starts the daemon at the next connection */
        char *beyond_loopback; /* a socket beyond loopback, as text: a client token is required; or NULL */
};

/* manager-reload.c */
void manager_stop_reload(Manager *m);
int manager_watch_sighup(Manager *m);
int manager_set_keys(Manager *m, const Config *c); /* at the start */
EngineApiParams manager_engine_params(const Config *c);

/* manager.c */
void manager_drain(Manager *m, const char *why); /* finishes open requests, and ends */

/* manager-cli.c */
int manager_start_cli(Manager *m); /* before the HTTP server is made */
int manager_listen_jobs(Manager *m, int fd); /* takes the passed socket; -1: makes one */
void manager_configure_cli(Manager *m, const Config *c);
void manager_stop_cli(Manager *m);

/* manager-notify.c */
int manager_start_notify(Manager *m);
int manager_set_idle_exit(Manager *m); /* as in the current configuration */
void manager_stop_notify(Manager *m);

/* manager-state.c */
int manager_start_state(Manager *m); /* after the keys are in the pool, before it is observed */
void manager_end_state(Manager *m);
void manager_stop_state(Manager *m);

/* manager-bus.c */
int manager_start_bus(Manager *m);
void manager_stop_bus(Manager *m);
