/* SPDX-License-Identifier: MIT */

/* gemgate-runner's arguments, and a check of its first three descriptors. */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>

#include "base/text.h"
#include "runner/runner.h"

#define MAX_WAIT_DEFAULT (600 * USEC_PER_SEC)

static const char help[] =
        "Usage: gemgate-runner --cli=PATH --upstream=SOCKET [OPTION]...\n"
        "Runs one job of the Gemini CLI for gemgated, at the other end of standard input.\n"
        "\n"
        "  --cli=PATH             the Gemini CLI: its command, or its bundle's entry\n"
        "  --upstream=SOCKET      gemgated's unix socket for jobs\n"
        "  --isolation=unit       the unit that started this isolates it\n"
        "              namespaces in new namespaces, if available (the default)\n"
        "              none       as a plain process\n"
        "  --max-wait=TIME        exit after this time without a job (600s)\n"
        "  --help, --version      print this help, or the version, and exit\n";

static const struct {
        const char *name;
        Isolation isolation;
} isolations[] = {
        { "unit", ISOLATION_UNIT },
        { "namespaces", ISOLATION_NAMESPACES },
        { "none", ISOLATION_NONE },
};

static int usage(const char *what, const char *why) {
        (void) fprintf(stderr, "gemgate-runner: %s: %s\n", what, why);
        return EX_USAGE;
}

static int set_isolation(RunnerOptions *o, const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(isolations); i++)
                if (streq(isolations[i].name, name)) {
                        o->isolation = isolations[i].isolation;
                        return 0;
                }
        return usage("--isolation", "must be unit, namespaces or none");
}

/* 0 to go on; an exit status after a printed error; -1 after --help or --version. */
static int parse(RunnerOptions *o, int argc, char *argv[]) {
        static const struct option table[] = {
                { "cli", required_argument, NULL, 'c' },
                { "upstream", required_argument, NULL, 'u' },
                { "isolation", required_argument, NULL, 'i' },
                { "max-wait", required_argument, NULL, 'w' },
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'V' },
                {},
        };
        int c, r = 0;

        while (r == 0 && (c = getopt_long(argc, argv, "", table, NULL)) >= 0)
                switch (c) {
                case 'c':
                        o->cli = optarg;
                        break;
                case 'u':
                        o->upstream = optarg;
                        break;
                case 'i':
                        r = set_isolation(o, optarg);
                        break;
                case 'w':
                        if (duration_parse(optarg, &o->max_wait) < 0)
                                r = usage("--max-wait", "must be a time such as 600s");
                        break;
                case 'h':
                        (void) fputs(help, stdout);
                        return -1;
                case 'V':
                        (void) puts("gemgate-runner " GEMGATE_VERSION);
                        return -1;
                default:
                        return EX_USAGE; /* getopt has printed the reason */
                }
        if (r != 0)
                return r;
        if (optind < argc)
                return usage(argv[optind], "only options are allowed");
        if (strnull(o->cli))
                return usage("--cli", "needed");
        if (strnull(o->upstream) || strlen(o->upstream) >= sizeof(((struct sockaddr_un *) NULL)->sun_path))
                return usage("--upstream", "must be the path of a unix socket");
        return 0;
}

/*
 * With StandardInput=socket systemd also uses the socket for standard output and error, unless configured
 * otherwise, and a message would appear among the lines of the protocol. And none of the three may be
 * closed: a pipe would get its number.
 */
static int check_descriptors(void) {
        int domain, type;
        socklen_t n = sizeof(int);
        struct stat in, st;

        if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_DOMAIN, &domain, &n) < 0 || domain != AF_UNIX ||
            getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &n) < 0 || type != SOCK_STREAM ||
            fstat(STDIN_FILENO, &in) < 0)
                return -ENOTSOCK;
        for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
                bool same = fstat(fd, &st) >= 0 && st.st_dev == in.st_dev && st.st_ino == in.st_ino;
                _cleanup_close_ int null = -1;

                if (fcntl(fd, F_GETFD) >= 0 && !same)
                        continue;
                null = open("/dev/null", O_WRONLY | O_NOCTTY);
                if (null < 0 || dup2(null, fd) < 0)
                        return -errno;
                if (null == fd)
                        (void) TAKE_FD(null);
        }
        return close_range(STDERR_FILENO + 1, ~0U, 0) < 0 ? -errno : 0;
}

int main(int argc, char *argv[]) {
        RunnerOptions o = { .isolation = ISOLATION_NAMESPACES, .max_wait = MAX_WAIT_DEFAULT };
        int r;

        r = parse(&o, argc, argv);
        if (r != 0)
                return r < 0 ? 0 : r;
        r = check_descriptors();
        if (r == -ENOTSOCK) {
                (void) fputs(
                        "gemgate-runner: standard input must be a unix stream socket; "
                        "gemgated starts this program\n",
                        stderr);
                return EX_UNAVAILABLE;
        }
        return r < 0 || runner_run(&o) < 0 ? EX_SOFTWARE : 0;
}
