/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include "base/text.h"
#include "sim-exchange.h"

#define EXIT_USAGE      64
#define EXIT_SOCKET     69
#define EXIT_BAD_SCRIPT 78

typedef struct Options {
        SimOptions sim;
        const char *listen;
        const char *script_file;
        const char *port_file;
        bool quiet;
} Options;

typedef struct Signals {
        Source source;
        Loop *loop;
        int fd;
} Signals;

static const char usage[] =
        "gemini-sim [OPTION…]: a simulated Gemini API, scripted, on loopback\n"
        "\n"
        "      --listen=127.0.0.1:PORT   where (default port 0: any free one); only loopback\n"
        "      --script=FILE             rules at the start, see tests/sim/README.md\n"
        "      --log=FILE                append one JSON line for each request\n"
        "      --port-file=FILE          write the port there once it accepts\n"
        "      --lax                     check no body, keep no log: for benchmarks\n"
        "      --no-log                  keep no log\n"
        "      --quiet                   don't say where it listens\n"
        "  -h, --help\n";

static int parse_options(int argc, char **argv, Options *ret) {
        enum { OPT_LISTEN = 256, OPT_SCRIPT, OPT_LOG, OPT_PORT_FILE, OPT_LAX, OPT_NO_LOG, OPT_QUIET };
        static const struct option known[] = {
                { "listen", required_argument, NULL, OPT_LISTEN },
                { "script", required_argument, NULL, OPT_SCRIPT },
                { "log", required_argument, NULL, OPT_LOG },
                { "port-file", required_argument, NULL, OPT_PORT_FILE },
                { "lax", no_argument, NULL, OPT_LAX },
                { "no-log", no_argument, NULL, OPT_NO_LOG },
                { "quiet", no_argument, NULL, OPT_QUIET },
                { "help", no_argument, NULL, 'h' },
                {},
        };
        Options o = { .listen = "127.0.0.1:0" };
        int c;

        while ((c = getopt_long(argc, argv, "h", known, NULL)) >= 0)
                switch (c) {
                case OPT_LISTEN:
                        o.listen = optarg;
                        break;
                case OPT_SCRIPT:
                        o.script_file = optarg;
                        break;
                case OPT_LOG:
                        o.sim.log = optarg;
                        break;
                case OPT_PORT_FILE:
                        o.port_file = optarg;
                        break;
                case OPT_LAX:
                        o.sim.lax = true;
                        break;
                case OPT_NO_LOG:
                        o.sim.no_log = true;
                        break;
                case OPT_QUIET:
                        o.quiet = true;
                        break;
                case 'h':
                        (void) fputs(usage, stdout);
                        return 1;
                default:
                        return -EINVAL;
                }
        if (optind < argc)
                return -EINVAL;
        *ret = o;
        return 0;
}

static int read_file(const char *path, char **ret) {
        _cleanup_buf_ Buf text = BUF_INIT(SCRIPT_MAX);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        int r;

        if (fd < 0)
                return -errno;
        for (;;) {
                ssize_t k;

                r = buf_reserve(&text, 65536);
                if (r < 0)
                        return r;
                k = read(fd, buf_data(&text) + text.n, 65536);
                if (k < 0)
                        return -errno;
                if (k == 0)
                        return buf_steal(&text, ret, NULL);
                text.n += (size_t) k;
        }
}

/* Whole or not at all: a reader that waits for the file must not read half of it. */
static int write_port(const char *path, unsigned port) {
        _cleanup_free_ char *temporary = NULL;
        FILE *f;

        if (asprintf(&temporary, "%s.new", path) < 0)
                return -ENOMEM;
        f = fopen(temporary, "we");
        if (!f)
                return -errno;
        (void) fprintf(f, "%u\n", port);
        if (fclose(f) != 0 || rename(temporary, path) < 0)
                return -errno;
        return 0;
}

static void on_signal(Source *source, uint32_t events) {
        loop_stop(CONTAINER_OF(source, Signals, source)->loop);
}

static void on_signal_destroy(Source *source) {
}

static int watch_signals(Loop *l, Signals *ret) {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        *ret = (Signals){ .source = { .ready = on_signal, .destroy = on_signal_destroy }, .loop = l };
        ret->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
        return ret->fd < 0 ? -errno : loop_add(l, ret->fd, EPOLLIN, &ret->source);
}

static void raise_descriptor_limit(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                (void) setrlimit(RLIMIT_NOFILE, &limit);
        }
}

static int fail(int status, const char *what, int error) {
        (void) fprintf(stderr, "gemini-sim: %s: %s\n", what, strerror(-error));
        return status;
}

int main(int argc, char **argv) {
        _cleanup_(loop_freep) Loop *loop = NULL;
        _cleanup_(sim_freep) Sim *sim = NULL;
        _cleanup_(http_server_freep) HttpServer *server = NULL;
        _cleanup_free_ char *script = NULL, *error = NULL;
        Signals signals;
        Options o;
        int r;

        r = parse_options(argc, argv, &o);
        if (r != 0) {
                if (r < 0)
                        (void) fputs(usage, stderr);
                return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;
        }
        raise_descriptor_limit();

        if (o.script_file) {
                r = read_file(o.script_file, &script);
                if (r < 0)
                        return fail(EXIT_BAD_SCRIPT, o.script_file, r);
                o.sim.script = script;
        }
        r = loop_new(&loop);
        if (r < 0)
                return fail(EXIT_FAILURE, "epoll", r);
        r = watch_signals(loop, &signals);
        if (r < 0)
                return fail(EXIT_FAILURE, "signals", r);
        r = sim_new(loop, &o.sim, &sim, &error);
        if (r < 0 && error) {
                (void) fprintf(stderr, "gemini-sim: %s: %s\n", o.script_file, error);
                return EXIT_BAD_SCRIPT;
        }
        if (r < 0)
                return fail(EXIT_FAILURE, strempty(o.sim.log), r);

        r = http_server_new(loop, o.listen, &exchange_handler, sim, &server);
        if (r == -EINVAL || r == -EACCES) {
                (void) fprintf(stderr, "gemini-sim: %s: only 127.x.x.x:PORT, this is no server for others\n",
                               o.listen);
                return EXIT_USAGE;
        }
        if (r < 0)
                return fail(EXIT_SOCKET, o.listen, r);
        sim->server = server;

        if (!o.quiet) {
                (void) printf("gemini-sim: listening on http://127.0.0.1:%u\n", http_server_port(server));
                (void) fflush(stdout);
        }
        if (o.port_file) {
                r = write_port(o.port_file, http_server_port(server));
                if (r < 0)
                        return fail(EXIT_FAILURE, o.port_file, r);
        }

        r = loop_run(loop);
        safe_close(signals.fd);
        return r < 0 ? fail(EXIT_FAILURE, "loop", r) : EXIT_SUCCESS;
}
