/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/text.h"
#include "daemon/config-here.h"
#include "daemon/config-load.h"
#include "daemon/file-access.h"

#define READ_SIZE       (64U << 10)
#define PATH_LENGTH_MAX 4096U

typedef struct Loader {
        ConfigText *text;
        ConfigSay say;
        void *userdata;
        bool check;
        gid_t group; /* of the configuration directory, with check; 0: root's, or unknown */
        const char *setting; /* whose value names the file that is read; or NULL */
} Loader;

/* The settings that have their own files. */
static const struct {
        const char *file;
        const char *setting;
} own_files[] = {
        { "api-keys", "API_KEYS" },
        { "allowed-tokens", "ALLOWED_TOKENS" },
        { "admin-tokens", "ADMIN_TOKENS" },
        { "upstream-proxy", "UPSTREAM_PROXY" },
        { "project-proxies", "PROJECT_PROXIES" },
};

/* The environment's secrets are removed from it once they were read, so this copy lives as long as the
 * process. */
static ConfigText *kept;
static bool abandoned;

static void _printf_(3, 4) tell(const Loader *l, LogLevel level, const char *fmt, ...) {
        char line[PATH_LENGTH_MAX + 256];
        size_t n = 0;
        va_list ap;

        if (l->setting)
                n = (size_t) snprintf(line, sizeof(line), "%s: ", l->setting);
        va_start(ap, fmt);
        (void) vsnprintf(line + n, sizeof(line) - n, fmt, ap);
        va_end(ap);
        l->say(level, line, l->userdata);
}

/* --- files --- */

static int read_fd(int fd, Buf *ret) {
        ssize_t k;
        int r;

        do {
                r = buf_reserve(ret, MIN(READ_SIZE, ret->max - ret->n));
                if (r < 0)
                        return r;
                k = read(fd, ret->base + ret->off + ret->n, MIN(READ_SIZE, ret->max - ret->n));
                if (k < 0)
                        return -errno;
                ret->n += (size_t) k;
        } while (k > 0 && ret->n <= CONFIG_FILE_MAX);
        return ret->n > CONFIG_FILE_MAX ? -EFBIG : 0;
}

/* --check-config may be run by root, who can read everything; the daemon cannot, and its directory has its
 * group. */
static bool is_root_alone(const Loader *l, const struct stat *st) {
        return l->group != 0 && st->st_uid == 0 && !(st->st_mode & S_IROTH) &&
               !(st->st_gid == l->group && st->st_mode & S_IRGRP);
}

static void warn_writable(const Loader *l, const char *path, int fd) {
        struct stat st;

        if (fstat(fd, &st) >= 0 && file_others_can_write(path, &st))
                tell(l, LOG_LEVEL_WARNING,
                     "%s: other users of this machine may write %s%s: must not be writable by others", path,
                     st.st_mode & S_IWOTH ? "it" : "a directory that it is in",
                     l->setting ? "" : ", and could have the keys sent to another server");
}

static void check_mode(const Loader *l, const char *path, int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return;
        if (!l->setting && file_others_can_read(path, &st)) /* a file that a setting names has no secrets */
                tell(l, LOG_LEVEL_WARNING,
                     "%s: every user of this machine can read it: must not be readable by others", path);
        if (is_root_alone(l, &st))
                tell(l, LOG_LEVEL_WARNING,
                     "%s: only root can read it, and gemgated does not run as root: must have the group of "
                     "its directory and mode 0640",
                     path);
}

/*
 * Neither waits for a file that never gets any bytes: a FIFO is opened at once with O_NONBLOCK, and only a
 * regular file is read. -ENOTSUP: it is none. Only open() may return -ENOENT.
 */
static int open_regular(const char *path, int *ret) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        struct stat st;

        if (fd < 0)
                return errno == ENXIO ? -ENOTSUP : -errno; /* a socket, or a device that is not there */
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -ENOTSUP;
        *ret = TAKE_FD(fd);
        return 0;
}

/* -ENOENT without a message; any other error is reported. */
static int read_file(const Loader *l, const char *path, Buf *ret) {
        _cleanup_close_ int fd = -1;
        int r;

        r = open_regular(path, &fd);
        if (r == -ENOENT)
                return -ENOENT;
        if (r >= 0)
                r = read_fd(fd, ret);
        if (r == -ENOTSUP)
                tell(l, LOG_LEVEL_ERROR, "%s: must be a regular file, not a directory, a pipe or a device",
                     path);
        else if (r == -EFBIG)
                tell(l, LOG_LEVEL_ERROR, "%s: must be at most %u MiB", path, CONFIG_FILE_MAX >> 20);
        else if (r == -EACCES)
                tell(l, LOG_LEVEL_ERROR,
                     "%s: %s: must be readable by the user or the group that gemgated runs as "
                     "(0640 root:gemgate)",
                     path, strerror(-r));
        else if (r < 0)
                tell(l, LOG_LEVEL_ERROR, "%s: %s", path, strerror(-r));
        if (r < 0)
                return r == -EFBIG || r == -ENOTSUP ? -EINVAL : r;

        warn_writable(l, path, fd);
        if (l->check) {
                tell(l, LOG_LEVEL_INFO, "%s: read", path);
                check_mode(l, path, fd);
        }
        return 0;
}

static int path_join(const char *dir, const char *file, char ret[static PATH_LENGTH_MAX]) {
        int n = snprintf(ret, PATH_LENGTH_MAX, "%s/%s", dir, file);

        return n < 0 || (size_t) n >= PATH_LENGTH_MAX ? -ENAMETOOLONG : 0;
}

/* --- sources --- */

static int try_env_file(const Loader *l, const char *path) {
        _cleanup_buf_ Buf b = BUF_INIT_SECRET(CONFIG_FILE_MAX + 1);
        int r;

        r = read_file(l, path, &b);
        if (r < 0)
                return r;
        return config_text_read_env(l->text, buf_cstr(&b), b.n, path, l->check, l->say, l->userdata);
}

static int load_env_file(const Loader *l, const ConfigPaths *paths) {
        char path[PATH_LENGTH_MAX];
        int r;

        if (paths->env_file) {
                r = try_env_file(l, paths->env_file);
                if (r != -ENOENT)
                        return r;
                tell(l, LOG_LEVEL_ERROR, "--env-file: %s: must be a file that exists", paths->env_file);
                return -EINVAL;
        }
        if (paths->config_dir) {
                r = path_join(paths->config_dir, "gemgate.env", path);
                if (r < 0)
                        return r;
                r = try_env_file(l, path);
                if (r != -ENOENT)
                        return r;
        }
        r = try_env_file(l, "./.env");
        return r == -ENOENT ? 0 : r;
}

static gid_t group_of(const char *dir) {
        struct stat st;

        return dir && stat(dir, &st) >= 0 ? st.st_gid : 0;
}

/* The package's templates have only comments: such a file sets nothing, as if it were not there. */
static bool has_entries(const char *text, size_t n) {
        const char *end = text + n;

        while (text < end) {
                const char *line = text, *eol = memchr(text, '\n', (size_t) (end - text));

                text = eol ? eol + 1 : end;
                while (line < text && *line && strchr(TEXT_WHITESPACE, *line))
                        line++;
                if (line < text && *line != '#')
                        return true;
        }
        return false;
}

/* Editors of Windows write it before the text. */
static void skip_byte_order_mark(Buf *b) {
        static const char mark[3] = "\xEF\xBB\xBF";

        if (b->n >= sizeof(mark) && memcmp(buf_data(b), mark, sizeof(mark)) == 0)
                buf_consume(b, sizeof(mark));
}

static int load_own_files(const Loader *l, const char *dir, ConfigSource source) {
        char path[PATH_LENGTH_MAX];
        int r;

        for (size_t i = 0; dir && i < ELEMENTSOF(own_files); i++) {
                _cleanup_buf_ Buf b = BUF_INIT_SECRET(CONFIG_FILE_MAX + 1);

                r = path_join(dir, own_files[i].file, path);
                if (r < 0)
                        return r;
                r = read_file(l, path, &b);
                if (r == -ENOENT)
                        continue;
                if (r < 0)
                        return r;
                skip_byte_order_mark(&b);
                if (source == CONFIG_SOURCE_DIRECTORY && !has_entries(buf_data(&b), b.n))
                        continue;
                r = config_text_set_from(l->text, source, own_files[i].setting, buf_cstr(&b), b.n, path, 0);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* One that is missing or cannot be read is reported, and the setting has its default, so that the other
 * faults are found, too. *ret_fault is the first of these. */
static int load_named_files(const Loader *loader, int *ret_fault) {
        const char *name;
        bool secret;
        int r;

        for (size_t i = 0; (name = config_setting_name(i, &secret)); i++) {
                _cleanup_buf_ Buf b = BUF_INIT_SECRET(CONFIG_FILE_MAX + 1);
                _cleanup_free_ char *path = NULL;
                Loader l = *loader;

                r = config_text_path(l.text, i, &path);
                if (r < 0)
                        return r;
                if (!path)
                        continue;
                l.setting = name;
                r = read_file(&l, path, &b);
                if (r == -ENOENT)
                        tell(&l, LOG_LEVEL_ERROR, "%s: must be a file that exists", path);
                if (r == -ENOMEM)
                        return r;
                if (r >= 0)
                        skip_byte_order_mark(&b);
                else if (*ret_fault == 0)
                        *ret_fault = r == -ENOENT ? -EINVAL : r;
                r = config_text_set_from(l.text, CONFIG_SOURCE_NAMED, name,
                                         r < 0 ? "" : strempty(buf_cstr(&b)), r < 0 ? 0 : b.n, path, 0);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Children would inherit it, and /proc/PID/environ shows these bytes. */
static void wipe_variable(const char *name) {
        char *value = getenv(name);

        if (!value)
                return;
        explicit_bzero(value, strlen(value));
        (void) unsetenv(name);
}

static int load_environment(const Loader *l) {
        /* Not used, but they may hold a password. */
        static const char *const others[] = { "HTTP_PROXY", "http_proxy", "FTP_PROXY", "ftp_proxy" };
        const char *name, *lower;
        bool secret;
        int r;

        for (size_t i = 0; (name = config_setting_name(i, &secret)); i++) {
                const char *value = getenv(name);

                lower = config_setting_lower(i);
                if (lower && !strnull(getenv(lower)))
                        value = getenv(lower);
                if (!value)
                        continue;
                r = config_text_set(l->text, CONFIG_SOURCE_ENVIRONMENT, name, value, strlen(value));
                if (r < 0)
                        return r;
                if (!secret)
                        continue;
                wipe_variable(name);
                if (lower)
                        wipe_variable(lower);
        }
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                wipe_variable(others[i]);
        return 0;
}

/* --- what a reload cannot change --- */

#define DIFFER_MAX 4096U

static void note_differing(Buf *b, const char *before, const char *what, const char *behind) {
        (void) buf_printf(b, "%s%s%s%s", b->n > 0 ? ", " : "", before, what, behind);
}

/* True if equal except for blanks at the ends: one of the two may end in a newline. */
static bool is_same(const char *x, size_t n, const char *y, size_t m) {
        while (n > 0 && strchr(TEXT_WHITESPACE, x[n - 1]))
                n--;
        while (m > 0 && strchr(TEXT_WHITESPACE, y[m - 1]))
                m--;
        return n == m && memcmp(x, y, n) == 0;
}

/* True if both sources set it, and differently. */
static bool contradicts(const Loader *l, const char *name, ConfigSource a, ConfigSource b) {
        const char *x, *y;
        size_t n, m;

        x = config_text_get_raw(l->text, a, name, &n);
        y = config_text_get_raw(l->text, b, name, &m);
        return x && y && !is_same(x, n, y, m);
}

static bool is_set(const Loader *l, const char *name, ConfigSource source) {
        size_t n;

        return config_text_get_raw(l->text, source, name, &n);
}

/* Credentials belong to the process, like the environment. A changed credential, or a changed file that it
 * overrides, is reported as not used. */
static int compare_credentials(const Loader *l, Buf *differ) {
        const char *dir = getenv("CREDENTIALS_DIRECTORY");
        char path[PATH_LENGTH_MAX];
        int r;

        for (size_t i = 0; dir && i < ELEMENTSOF(own_files); i++) {
                _cleanup_buf_ Buf b = BUF_INIT_SECRET(CONFIG_FILE_MAX + 1);
                const char *setting = own_files[i].setting, *text;
                size_t n;

                r = path_join(dir, own_files[i].file, path);
                if (r < 0)
                        return r;
                r = read_file(l, path, &b);
                if (r < 0 && r != -ENOENT)
                        return r;
                text = config_text_get_raw(l->text, CONFIG_SOURCE_CREDENTIAL, setting, &n);
                if (!text && r == -ENOENT)
                        continue;
                if (!text || r == -ENOENT || !is_same(text, n, buf_data(&b), b.n) ||
                    contradicts(l, setting, CONFIG_SOURCE_DIRECTORY, CONFIG_SOURCE_CREDENTIAL))
                        note_differing(differ, "the credential ", own_files[i].file, "");
        }
        return 0;
}

/* Reports settings of the env file that the environment overrides. */
static void compare_environment(const Loader *l, Buf *differ) {
        const char *name;
        bool secret;

        for (size_t i = 0; (name = config_setting_name(i, &secret)); i++)
                if (contradicts(l, name, CONFIG_SOURCE_ENV_FILE, CONFIG_SOURCE_ENVIRONMENT) &&
                    !is_set(l, name, CONFIG_SOURCE_DIRECTORY) &&
                    !is_set(l, name, CONFIG_SOURCE_CREDENTIAL))
                        note_differing(differ, "", name, " in the environment");
}

static int keep_fixed(const Loader *l, const Config *running, Config **c) {
        _cleanup_buf_ Buf differ = BUF_INIT(DIFFER_MAX);
        int r;

        r = config_keep_fixed(l->text, running, l->say, l->userdata, &differ, c);
        if (r < 0)
                return r;
        r = compare_credentials(l, &differ);
        if (r < 0)
                return r;
        compare_environment(l, &differ);
        if (differ.n > 0)
                tell(l, LOG_LEVEL_WARNING, "changed, but fixed until a restart: %s",
                     buf_cstr(&differ) ?: "several settings");
        return 0;
}

/* --- the whole --- */

int config_load_read(const ConfigPaths *paths, ConfigSay say, void *userdata, Config **ret,
                     int *ret_faults) {
        Loader l = { .text = kept, .say = say, .userdata = userdata, .check = paths->check };
        int r, faults;

        if (!kept) {
                r = config_text_new(&kept);
                if (r < 0)
                        return r;
                l.text = kept;
                r = load_environment(&l);
                if (r < 0)
                        return r;
                r = load_own_files(&l, getenv("CREDENTIALS_DIRECTORY"), CONFIG_SOURCE_CREDENTIAL);
                if (r < 0)
                        return r;
        }
        /* Not for credentials: only gemgated can read those. */
        if (paths->check)
                l.group = group_of(paths->config_dir);
        config_text_forget(kept, CONFIG_SOURCE_ENV_FILE);
        config_text_forget(kept, CONFIG_SOURCE_DIRECTORY);
        config_text_forget(kept, CONFIG_SOURCE_NAMED);

        /* A wrong line in the env file does not hide the other faults. */
        faults = load_env_file(&l, paths);
        if (faults < 0 && faults != -EBADMSG)
                return faults;
        r = load_own_files(&l, paths->config_dir, CONFIG_SOURCE_DIRECTORY);
        if (r >= 0)
                r = load_named_files(&l, &faults);
        if (r >= 0)
                r = config_new(kept, say, userdata, ret);
        if (r < 0)
                return r;
        config_here_warn(kept, *ret, l.check, say, userdata);
        r = config_here_read(kept, *ret, say, userdata);
        *ret_faults = r < 0 ? r : MIN(faults, 0);
        return 0;
}

int config_load_finish(const ConfigPaths *paths, const Config *running, int faults, ConfigSay say,
                       void *userdata, Config **c) {
        const Loader l = { .text = kept, .say = say, .userdata = userdata, .check = paths->check };
        int r;

        r = config_here_check(kept, *c, say, userdata);
        if (r >= 0)
                r = faults;
        if (r >= 0 && running)
                r = keep_fixed(&l, running, c);
        return r;
}

int config_load(const ConfigPaths *paths, const Config *running, ConfigSay say, void *userdata,
                Config **ret) {
        _cleanup_(config_unrefp) Config *c = NULL;
        int r, faults;

        r = config_load_read(paths, say, userdata, &c, &faults);
        if (r >= 0)
                r = config_load_finish(paths, running, faults, say, userdata, &c);
        if (r >= 0)
                *ret = TAKE_PTR(c);
        return MIN(r, 0);
}

void config_load_abandon(void) {
        abandoned = true;
}

void config_load_done(void) {
        if (abandoned)
                return;
        kept = config_text_free(kept);
}
