/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

#include "base/log-outlet.h"
#include "base/log.h"
#include "base/near.h"
#include "base/secret.h"
#include "base/text.h"
#include "daemon/config-load.h"
#include "daemon/log-config.h"
#include "daemon/manager.h"
#include "daemon/turn-away.h"
#include "server/health-check.h"

#define HELP_MAX (64U << 10)
#define SAID_MAX (1U << 20)

/* Messages while the configuration is read. An error ends the program and is printed at once; the others
 * wait, as lines, for the log that the configuration sets up. */
static void say(LogLevel level, const char *line, void *userdata) {
        Buf *later = userdata;

        if (level == LOG_LEVEL_ERROR)
                return log_struct(level, line);
        (void) buf_putc(later, (char) level);
        (void) buf_append(later, line, strlen(line) + 1);
}

static void say_faults(LogLevel level, const char *line, void *userdata _unused_) {
        if (level == LOG_LEVEL_ERROR)
                log_struct(level, line);
}

static void say_later(Buf *later) {
        while (later->n > 0) {
                const char *p = buf_data(later);

                log_struct((LogLevel) p[0], p + 1);
                buf_consume(later, strlen(p + 1) + 2);
        }
}

static int help(void) {
        _cleanup_buf_ Buf b = BUF_INIT(HELP_MAX);

        (void) buf_puts(
                &b,
                "Usage: gemgated [OPTION]...\n"
                "Serves OpenAI, Anthropic and Gemini clients from a pool of Gemini API keys.\n\n"
                "  --config-dir=DIR   read gemgate.env, api-keys, allowed-tokens, admin-tokens,\n"
                "                     upstream-proxy and project-proxies in DIR\n"
                "  --env-file=FILE    read settings from FILE (else DIR/gemgate.env, else ./.env)\n"
                "  --check-config     check the configuration and exit with 0, or 78 if it is wrong\n"
                "  --health           print the health of the daemon with this configuration; exit with 0, "
                "or 69\n"
                "  --turn-away        answer the clients that wait at passed sockets with 503, and exit\n"
                "  --version          print the version and exit\n"
                "  --help             print this help and exit\n\n");
        config_help(&b);
        if (b.error < 0)
                return EX_SOFTWARE;
        (void) fwrite(buf_data(&b), 1, b.n, stdout);
        return fflush(stdout) == 0 ? 0 : EX_IOERR;
}

/* The memory holds keys: no core file, and no process of the same user may attach. */
static void forbid_dumps(void) {
        (void) setrlimit(RLIMIT_CORE, &(struct rlimit){});
#ifndef __SANITIZE_ADDRESS__ /* the leak checker attaches */
        (void) prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* Blocks signals until the loop handles them: SIGHUP must not end a daemon that is still starting, and as a
 * container's first process it would not get SIGTERM at all. */
static void hold_signals(void) {
        sigset_t mask;

        (void) sigemptyset(&mask);
        (void) sigaddset(&mask, SIGHUP);
        if (getpid() == 1) {
                (void) sigaddset(&mask, SIGTERM);
                (void) sigaddset(&mask, SIGINT);
        }
        (void) sigprocmask(SIG_BLOCK, &mask, NULL);
}

/*
 * The number of sockets that systemd or a wrapper passed, by LISTEN_FDS; negative if one of them is not open
 * or no socket. Must run before anything is opened, because a number that is free becomes another file's.
 */
static int count_passed(int *ret_wrong) {
        int n = sd_listen_fds(false);
        unsigned claimed = 0;
        struct stat st;

        if (n == -EBADF)
                (void) text_parse_uint(strempty(getenv("LISTEN_FDS")), &claimed);
        *ret_wrong = SD_LISTEN_FDS_START;
        for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + MAX(n, (int) claimed); fd++)
                if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode)) {
                        *ret_wrong = fd;
                        return -EBADF;
                }
        return n;
}

static int refuse_passed(int error, int fd) {
        if (error == -EBADF)
                log_error("LISTEN_FDS: descriptor %d: must be an open socket", fd);
        else
                log_error("LISTEN_FDS: %s: must be a number of sockets", strempty(getenv("LISTEN_FDS")));
        return EX_UNAVAILABLE;
}

/* It may be a key that was put into the wrong place. */
static int refuse_argument(const char *argument, const char *why) {
        char text[256];

        text_copy(text, sizeof(text), argument);
        secret_scrub_suspects(text);
        log_error("%s: %s; see --help", text, why);
        return EX_USAGE;
}

/* Names the option that is most likely meant, if one is near. The value behind a = is none of the name. */
static int refuse_option(const char *argument, const struct option *options) {
        const char *typed = startswith(argument, "--");
        char name[TEXT_NEAR_MAX + 1], why[128];
        Near near = { name, 3, NULL };

        text_copy(name, sizeof(name), strempty(typed));
        name[strcspn(name, "=")] = 0;
        for (const struct option *o = options; *name && o->name; o++)
                (void) near_try(&near, o->name);
        if (near.name && streq(name, near.name))
                return refuse_argument(argument, "must have no value");
        (void) snprintf(why, sizeof(why), "must be an option of gemgated%s%s",
                        near.name ? ", such as --" : "", strempty(near.name));
        return refuse_argument(argument, why);
}

/* A permanent failure answers waiting clients, so that systemd does not start the daemon again for them. */
static int fail(int status, int n_listeners) {
        if (status == EX_CONFIG || status == EX_NOPERM)
                turn_away_waiting(n_listeners);
        return status;
}

static const char *plural(size_t n) {
        return n == 1 ? "" : "s";
}

static int run(int argc, char *argv[]) {
        static const struct option options[] = {
                { "config-dir", required_argument, NULL, 'c' },
                { "env-file", required_argument, NULL, 'e' },
                { "check-config", no_argument, NULL, 'C' },
                { "health", no_argument, NULL, 'H' },
                { "turn-away", no_argument, NULL, 't' },
                { "version", no_argument, NULL, 'v' },
                { "help", no_argument, NULL, 'h' },
                {},
        };
        _cleanup_(manager_freep) Manager *m = NULL;
        Config *config = NULL;
        _cleanup_buf_ Buf later = BUF_INIT(SAID_MAX);
        ConfigPaths paths = {};
        int wrong, n_listeners = count_passed(&wrong);
        bool health = false, turn_away = false;
        const char *warning;
        int r, o;

        hold_signals();
        log_config_begin();
        forbid_dumps();

        opterr = 0;
        while ((o = getopt_long(argc, argv, ":", options, NULL)) >= 0)
                switch (o) {
                case 'c':
                        paths.config_dir = optarg;
                        break;
                case 'e':
                        paths.env_file = optarg;
                        break;
                case 'C':
                        paths.check = true;
                        break;
                case 'H':
                        health = true;
                        break;
                case 't':
                        turn_away = true;
                        break;
                case 'v':
                        (void) puts("gemgated " GEMGATE_VERSION);
                        return 0;
                case 'h':
                        return help();
                case ':':
                        return refuse_argument(argv[optind - 1], "must have a value");
                default:
                        return refuse_option(argv[optind - 1], options);
                }
        if (optind < argc)
                return refuse_argument(argv[optind], "unexpected argument");

        if (n_listeners < 0 && !health && !paths.check)
                return refuse_passed(n_listeners, wrong);
        if (turn_away) {
                turn_away_unexecuted(n_listeners);
                return 0;
        }

        r = config_load(&paths, NULL, health ? say_faults : say, &later, &config);
        if (r < 0) { /* the reason was logged */
                say_later(&later);
                return fail(r == -EACCES || r == -EPERM ? EX_NOPERM
                            : r == -ENOMEM              ? EX_SOFTWARE
                                                        : EX_CONFIG,
                            n_listeners);
        }
        if (health) {
                r = health_check(config);
                config_unref(config);
                return r;
        }
        warning = config_token_warning(config);
        if (warning)
                say(LOG_LEVEL_WARNING, warning, &later);
        if (paths.check) {
                say_later(&later);
                log_info("the configuration is good: %zu key%s, %zu client token%s, %zu admin token%s",
                         config->n_keys, plural(config->n_keys), config->tokens.n_client,
                         plural(config->tokens.n_client), config->tokens.n_admin,
                         plural(config->tokens.n_admin));
                config_unref(config);
                return 0;
        }
        r = manager_new(config, &paths, &m);
        if (r != 0)
                return fail(r, n_listeners);
        manager_apply_log(m);
        say_later(&later);
        r = manager_listen(m);
        if (r != 0)
                return fail(r, n_listeners);
        return manager_run(m);
}

/* A number that is free could become another file's, and the log would be written there. */
static void open_standard(void) {
        for (int fd = 0; fd <= STDERR_FILENO; fd++)
                if (fcntl(fd, F_GETFD) < 0)
                        (void) open("/dev/null", O_RDWR | O_NOCTTY);
}

int main(int argc, char *argv[]) {
        int status;

        open_standard();
        status = run(argc, argv);
        config_load_done();
        log_outlets_finish();
        return status;
}
