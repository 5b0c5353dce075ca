/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/text.h"
#include "dialect/json.h"
#include "engine/cli-program.h"

#define PACKAGE_MAX   (64U << 10) /* of its package.json, which is 4 KiB */
#define VERSION_CHARS "0123456789.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-+"

/* Readable, not executable: node executes it, and in the daemon's sandbox nothing there is executable. */
static bool is_there(const char *path) {
        struct stat st;

        return access(path, R_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static char *try_in(const char *dir, size_t n_dir, const char *name) {
        _cleanup_free_ char *path = NULL;

        if (asprintf(&path, "%.*s/%s", (int) n_dir, dir, name) < 0) {
                path = NULL;
                return NULL;
        }
        return is_there(path) ? TAKE_PTR(path) : NULL;
}

static char *find_in_path(const char *name) {
        const char *dirs = strempty(getenv("PATH"));
        char *found = NULL;

        while (!found && *dirs) {
                size_t n = strcspn(dirs, ":");

                if (n > 0 && dirs[0] == '/')
                        found = try_in(dirs, n, name);
                dirs += n + (dirs[n] == ':');
        }
        return found;
}

/* The program is PACKAGE/bundle/gemini.js, whatever link led to it. */
static void read_version(const char *path, char ret[static CLI_VERSION_MAX]) {
        _cleanup_free_ char *real = realpath(path, NULL), *file = NULL, *text = NULL;
        _cleanup_json_ struct json_object *package = NULL;
        _cleanup_close_ int fd = -1;
        const char *version;
        char *slash;
        ssize_t n;

        for (unsigned up = 0; real && up < 2; up++) {
                slash = strrchr(real, '/');
                if (!slash)
                        return;
                *slash = 0;
        }
        text = malloc(PACKAGE_MAX);
        if (!real || !text || asprintf(&file, "%s/package.json", real) < 0) {
                file = NULL;
                return;
        }
        fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        n = fd < 0 ? -1 : read(fd, text, PACKAGE_MAX);
        if (n <= 0 || json_parse(text, (size_t) n, &package) < 0)
                return;
        if (!json_object_is_type(package, json_type_object) ||
            !streq(strempty(json_get_string(package, "name")), "@google/gemini-cli"))
                return;
        version = strempty(json_get_string(package, "version"));
        if (strlen(version) < CLI_VERSION_MAX && text_in_charset(version, strlen(version), VERSION_CHARS))
                (void) snprintf(ret, CLI_VERSION_MAX, "%s", version);
}

int cli_program_find(const char *path, char **ret_path, char ret_version[static CLI_VERSION_MAX]) {
        static const char prefix[] = CLI_PREFIX "/bin";
        _cleanup_free_ char *found = NULL;

        if (path[0] == '/')
                found = is_there(path) ? strdup(path) : NULL;
        else {
                found = try_in(prefix, sizeof(prefix) - 1, path);
                if (!found)
                        found = find_in_path(path);
        }
        if (!found)
                return -ENOENT;
        ret_version[0] = 0;
        read_version(found, ret_version);
        *ret_path = TAKE_PTR(found);
        return 0;
}
