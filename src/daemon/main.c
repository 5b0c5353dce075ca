/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "daemon/config-load.h"
#include "daemon/log-config.h"
#include "daemon/manager.h"
#include "daemon/turn-away.h"
#include "server/health-check.h"

#define HELP_MAX (64U << 10)
#define SAID_MAX (1U << 20)

/* What is said while the configuration is read. An error ends the program, and is said at once; the rest
 * waits, as one line after the other, for the log that the configuration asks for. */
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
                "Serves OpenAI clients from a pool of Gemini API keys.\n\n"
                "  --config-dir=DIR   read gemgate.env, api-keys, allowed-tokens and admin-tokens there\n"
                "  --env-file=FILE    read settings from FILE (else DIR/gemgate.env, else ./.env)\n"
                "  --check-config     check the configuration and end: 0, or 78\n"
                "  --health           ask the daemon that runs with this configuration how it is: 0 and a "
                "word, or 69\n"
                "  --version          print the version and end\n"
                "  --help             print this and end\n\n");
        config_help(&b);
        if (b.error < 0)
                return EX_SOFTWARE;
        (void) fwrite(buf_data(&b), 1, b.n, stdout);
        return fflush(stdout) == 0 ? 0 : EX_IOERR;
}

/* Keys are in this memory: no core file, and nobody of our user attaches. */
static void forbid_dumps(void) {
        (void) setrlimit(RLIMIT_CORE, &(struct rlimit){});
#ifndef __SANITIZE_ADDRESS__ /* the leak checker attaches */
        (void) prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* What comes while the configuration is read waits for the loop: a reload, which must not end us; and, where
 * we are a container's first process, the end, as the kernel would keep it from us. */
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

/* What does not pass by itself is not to be tried again for the same client. */
static int fail(int status, int n_listeners) {
        if (status == EX_CONFIG || status == EX_NOPERM)
                turn_away_waiting(n_listeners);
        return status;
}

static int run(int argc, char *argv[]) {
        static const struct option options[] = {
                { "config-dir", required_argument, NULL, 'c' },
                { "env-file", required_argument, NULL, 'e' },
                { "check-config", no_argument, NULL, 'C' },
                { "health", no_argument, NULL, 'H' },
                { "version", no_argument, NULL, 'v' },
                { "help", no_argument, NULL, 'h' },
                {},
        };
        _cleanup_(manager_freep) Manager *m = NULL;
        Config *config = NULL;
        _cleanup_buf_ Buf later = BUF_INIT(SAID_MAX);
        ConfigPaths paths = {};
        int n_listeners = sd_listen_fds(false);
        bool health = false;
        int r, o;

        hold_signals();
        log_config_begin();
        forbid_dumps();

        while ((o = getopt_long(argc, argv, "", options, NULL)) >= 0)
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
                case 'v':
                        (void) puts("gemgated " GEMGATE_VERSION);
                        return 0;
                case 'h':
                        return help();
                default:
                        return EX_USAGE; /* getopt has said why */
                }
        if (optind < argc) {
                log_error("%s: an argument that means nothing here; see --help", argv[optind]);
                return EX_USAGE;
        }

        r = config_load(&paths, NULL, health ? say_faults : say, &later, &config);
        if (r < 0) { /* it has said why */
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
        if (paths.check) {
                say_later(&later);
                log_info("the configuration is good: %zu keys, %zu client tokens, %zu admin tokens",
                         config->n_keys, config->tokens.n_client, config->tokens.n_admin);
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

int main(int argc, char *argv[]) {
        int status;

        status = run(argc, argv);
        config_load_done();
        return status;
}
