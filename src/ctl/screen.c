/* SPDX-License-Identifier: MIT */

/*
 * The pager is chosen as by systemd: $SYSTEMD_PAGER, else $PAGER, else less, else more; an empty value or
 * `cat` means none. It is used only when standard output is a terminal and the answer doesn't fit on it.
 * less gets options to show colour, and under sudo not to start other programs.
 */

#include <errno.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <fcntl.h>

#include "base/text.h"
#include "ctl/screen.h"

extern char **environ;

void screen_init(Screen *s) {
        const char *term = getenv("TERM");
        struct winsize size = {};
        bool terminal = isatty(STDOUT_FILENO);
        unsigned columns;

        (void) setlocale(LC_CTYPE, "");
        if (terminal)
                (void) ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
        *s = (Screen){
                .terminal = terminal,
                .colour = terminal && strnull(getenv("NO_COLOR")) && term && !streq(term, "dumb"),
                .unicode = terminal && streq(nl_langinfo(CODESET), "UTF-8"),
                .columns = !terminal ? UINT_MAX : size.ws_col > 0 ? size.ws_col : 80,
                .rows = size.ws_row > 0 ? size.ws_row : 24,
        };
        if (text_parse_uint(strempty(getenv("COLUMNS")), &columns) >= 0 && columns > 0)
                s->columns = columns;
}

const char *screen_on(const Screen *s, Style style) {
        static const char *const on[_STYLE_MAX] = {
                [STYLE_PLAIN] = "",         [STYLE_GOOD] = "\033[32m",  [STYLE_WARN] = "\033[33m",
                [STYLE_BAD] = "\033[1;31m", [STYLE_FAINT] = "\033[90m", [STYLE_STRONG] = "\033[1m",
                [STYLE_HEAD] = "\033[4m",
        };

        return s->colour ? on[style] : "";
}

const char *screen_off(const Screen *s, Style style) {
        return s->colour && style != STYLE_PLAIN ? "\033[0m" : "";
}

static int write_all(int fd, const Buf *b) {
        const char *p = buf_data(b);
        size_t n = b->n;

        while (n > 0) {
                ssize_t k = write(fd, p, n);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return errno == EPIPE ? 0 : -errno;
                p += k;
                n -= (size_t) k;
        }
        return 0;
}

static bool fits(const Screen *s, const Buf *b) {
        size_t lines = 0;

        for (size_t i = 0; i < b->n && lines < s->rows; i++)
                lines += buf_data(b)[i] == '\n';
        return lines < s->rows; /* the prompt needs one */
}

/* 0: no pager is wanted, or none exists. */
static pid_t spawn_pager(int fd) {
        const char *wanted = getenv("SYSTEMD_PAGER") ?: getenv("PAGER");
        const char *const names[] = { wanted, "less", "more" };
        posix_spawn_file_actions_t actions;
        pid_t pid = 0;

        if (wanted && (streq(wanted, "") || streq(wanted, "cat")))
                return 0;
        (void) setenv("LESS", "FRSXMK", false);
        (void) setenv("LESSCHARSET", "utf-8", false);
        if (getenv("SUDO_UID") || getuid() != geteuid())
                (void) setenv("LESSSECURE", "1", true);

        if (posix_spawn_file_actions_init(&actions) != 0)
                return 0;
        if (posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO) == 0)
                for (size_t i = 0; i < ELEMENTSOF(names) && pid == 0; i++) {
                        /* The user's value may have arguments; the defaults have none. */
                        char shell[] = "sh", minus_c[] = "-c";
                        _cleanup_free_ char *name = names[i] ? strdup(names[i]) : NULL;
                        char *by_shell[] = { shell, minus_c, name, NULL }, *plain[] = { name, NULL };
                        bool words = name && strpbrk(name, TEXT_WHITESPACE "'\"\\$");

                        if (name && posix_spawnp(&pid, words ? shell : name, &actions, NULL,
                                                 words ? by_shell : plain, environ) != 0)
                                pid = 0;
                }
        (void) posix_spawn_file_actions_destroy(&actions);
        return pid;
}

int screen_show(const Screen *s, const Buf *b, bool page) {
        int fds[2], r;
        pid_t pid;

        if (b->error < 0)
                return b->error;
        (void) signal(SIGPIPE, SIG_IGN);
        if (!page || !s->terminal || fits(s, b))
                return write_all(STDOUT_FILENO, b);

        if (pipe2(fds, O_CLOEXEC) < 0)
                return write_all(STDOUT_FILENO, b);
        pid = spawn_pager(fds[0]);
        (void) safe_close(fds[0]);
        if (pid == 0) {
                (void) safe_close(fds[1]);
                return write_all(STDOUT_FILENO, b);
        }
        (void) signal(SIGINT, SIG_IGN); /* meant for the pager */
        r = write_all(fds[1], b);
        (void) safe_close(fds[1]);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        return r;
}
