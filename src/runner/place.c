/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/text.h"
#include "runner/json.h"
#include "runner/place.h"

#define PACKAGE_JSON_MAX (64U << 10) /* npm's own is under one KiB */
#define VERSION_MAX      64U
#define VERSION_CHARSET  TEXT_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.+-"

/* bundle, gemini-cli, @google, node_modules, lib, and the prefix itself */
#define LEVELS_MAX 6U

void place_done(Place *p) {
        free(p->entry);
        free(p->package);
        free(p->version);
        free(p->node);
}

static int say(int r, char **ret_why, const char *fmt, ...) _printf_(3, 4);
static int say(int r, char **ret_why, const char *fmt, ...) {
        va_list ap;

        va_start(ap, fmt);
        if (vasprintf(ret_why, fmt, ap) < 0)
                *ret_why = NULL;
        va_end(ap);
        return r;
}

static bool is_program(const char *path) {
        struct stat st;

        return access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The first program of that name in PATH, symbolic links resolved. */
static char *search_path(const char *name) {
        _cleanup_free_ char *all = strdup(getenv("PATH") ?: "/usr/local/bin:/usr/bin:/bin");
        char *rest = all, *folder;

        while (rest && (folder = strsep(&rest, ":"))) {
                _cleanup_free_ char *path = NULL;

                if (*folder != '/' || asprintf(&path, "%s/%s", folder, name) < 0) {
                        path = NULL;
                        continue;
                }
                if (is_program(path))
                        return realpath(path, NULL);
        }
        return NULL;
}

/* The nearest directory above `path` that contains `name`, joined with it; or NULL. */
static char *search_above(const char *path, const char *name, bool program) {
        _cleanup_free_ char *folder = strdup(path);

        for (size_t i = 0; folder && i < LEVELS_MAX; i++) {
                _cleanup_free_ char *found = NULL;
                char *slash = strrchr(folder, '/');

                if (!slash)
                        return NULL;
                *slash = '\0';
                if (asprintf(&found, "%s/%s", folder, name) < 0) {
                        found = NULL;
                        return NULL;
                }
                if (program ? is_program(found) : access(found, R_OK) == 0)
                        return TAKE_PTR(found);
        }
        return NULL;
}

static char *read_version(const char *path) {
        _cleanup_json_ struct json_object *o = NULL;
        _cleanup_free_ char *text = malloc(PACKAGE_JSON_MAX);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        const char *version;
        ssize_t k;
        size_t n;

        if (!text || fd < 0)
                return NULL;
        k = read(fd, text, PACKAGE_JSON_MAX);
        if (k <= 0 || json_parse_object(text, (size_t) k, &o) < 0)
                return NULL;
        version = json_get_string(o, "version", &n);
        if (!version || n > VERSION_MAX || !text_in_charset(version, n, VERSION_CHARSET))
                return NULL;
        return strdup(version);
}

int place_find(const char *cli, Place *ret, char **ret_why) {
        _cleanup_free_ char *json = NULL, *node = NULL;
        _cleanup_(place_done) Place p = {};

        p.entry = strchr(cli, '/') ? realpath(cli, NULL) : search_path(cli);
        if (!p.entry)
                return say(-ENOENT, ret_why, "the Gemini CLI does not exist: %s", cli);
        if (access(p.entry, R_OK) < 0)
                return say(-errno, ret_why, "the Gemini CLI cannot be read: %s: %m", p.entry);

        json = search_above(p.entry, "package.json", false);
        if (json) {
                p.version = read_version(json);
                *strrchr(json, '/') = '\0';
                p.package = TAKE_PTR(json);
        }
        node = search_above(p.entry, "bin/node", true);
        p.node = node ? realpath(node, NULL) : search_path("node");
        if (!p.node)
                return say(-ENOENT, ret_why, "node was found neither beside %s nor in PATH", p.entry);
        *ret = p;
        p = (Place){};
        return 0;
}
