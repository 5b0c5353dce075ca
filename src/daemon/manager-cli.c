/* SPDX-License-Identifier: MIT */

/*
 * The daemon's side of the Gemini CLI: the engine, and the socket of the inner listener, to which the CLI
 * sends its requests. systemd passes that socket, named "job", in its own directory and group
 * (gemgated-job.socket). Without systemd it is made in a private directory.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/job-folder.h"
#include "daemon/manager-internal.h"
#include "io/listen.h"

static EngineCliParams engine_params(const Manager *m, const Config *c) {
        return (EngineCliParams){
                .path = c->cli_path,
                .runner = c->cli_runner,
                .upstream = m->job_socket,
                .passed = m->job_passed,
                .timeout = c->cli_timeout,
                .queue_wait = c->cli_queue_wait,
                .warm = c->cli_warm,
                .max_jobs = c->cli_max_jobs,
        };
}

int manager_start_cli(Manager *m) {
        EngineCliParams p = engine_params(m, m->config);
        int r;

        r = job_book_new(&m->jobs);
        if (r < 0)
                return r;
        return engine_cli_new(m->loop, m->jobs, &p, &m->cli);
}

void manager_configure_cli(Manager *m, const Config *c) {
        EngineCliParams p = engine_params(m, c);

        engine_cli_configure(m->cli, &p);
}

/* --- the inner listener --- */

static int socket_path_of(int fd, char **ret) {
        struct sockaddr_un a = {};
        socklen_t n = sizeof(a);

        if (getsockname(fd, (struct sockaddr *) &a, &n) < 0)
                return -errno;
        if (a.sun_family != AF_UNIX || a.sun_path[0] != '/')
                return -EPROTOTYPE;
        *ret = strndup(a.sun_path, sizeof(a.sun_path));
        return *ret ? 0 : -ENOMEM;
}

static int open_own(Manager *m, int *ret_fd) {
        _cleanup_free_ char *address = NULL;
        int r;

        r = job_folder_make(&m->job_dir);
        if (r < 0)
                return r;
        if (asprintf(&address, "unix:%s/" JOB_FOLDER_SOCKET, m->job_dir) < 0) {
                address = NULL;
                return -ENOMEM;
        }
        r = listen_open(address, ret_fd);
        if (r < 0)
                return r;
        m->job_socket = strdup(address + strlen("unix:"));
        return m->job_socket ? 0 : -ENOMEM;
}

int manager_listen_jobs(Manager *m, int fd) {
        int r;

        m->job_passed = fd >= 0;
        r = m->job_passed ? socket_path_of(fd, &m->job_socket) : open_own(m, &fd);
        if (r >= 0)
                r = http_listen_inner(m->http, fd);
        if (r >= 0)
                manager_configure_cli(m, m->config);
        return r;
}

void manager_stop_cli(Manager *m) {
        engine_cli_free(m->cli);
        job_book_free(m->jobs);
        if (m->job_dir) {
                (void) unlink(m->job_socket);
                (void) rmdir(m->job_dir);
        }
        free(m->job_dir);
        free(m->job_socket);
}
