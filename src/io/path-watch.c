/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "io/path-watch.h"

#define LOOKS 8U /* folders of the path may come and go while it is being watched */

struct PathWatch {
        Loop *loop;
        sd_event_source *source;
        char *path;
        const char *next; /* in the path: what must appear in the watched folder */
        size_t next_n;
        void (*fn)(void *userdata);
        void *userdata;
};

/* The first part of the path that does not exist, as its place in the path; NULL: all of it exists. */
static const char *first_missing(PathWatch *w, size_t *ret_n) {
        for (char *part = w->path + 1;;) {
                size_t n = strcspn(part, "/");
                char end = part[n];
                bool exists;

                part[n] = 0;
                exists = access(w->path, F_OK) == 0;
                part[n] = end;
                if (!exists) {
                        *ret_n = n;
                        return part;
                }
                if (!end)
                        return NULL;
                part += n + 1;
        }
}

static int on_event(sd_event_source *s, const struct inotify_event *event, void *userdata);

static int watch_folder(PathWatch *w) {
        _cleanup_free_ char *folder = NULL;
        size_t n = (size_t) (w->next - w->path);

        folder = strndup(w->path, n > 1 ? n - 1 : n);
        if (!folder)
                return -ENOMEM;
        w->source = sd_event_source_disable_unref(w->source);
        return sd_event_add_inotify(loop_event(w->loop), &w->source, folder,
                                    IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
                                    on_event, w);
}

/* 1: the path exists; 0: its nearest folder is watched. */
static int look(PathWatch *w) {
        w->next = first_missing(w, &w->next_n);
        for (unsigned i = 0; w->next && i < LOOKS; i++) {
                const char *before = w->next;
                int r = watch_folder(w);

                if (r < 0 && r != -ENOENT && r != -ENOTDIR)
                        return r;
                /* What has come meanwhile has caused no event. */
                w->next = first_missing(w, &w->next_n);
                if (r >= 0 && w->next == before)
                        return 0;
        }
        return w->next ? -EAGAIN : 1;
}

static bool is_next(const PathWatch *w, const char *name) {
        return strlen(name) == w->next_n && memcmp(name, w->next, w->next_n) == 0;
}

static int on_event(sd_event_source *s _unused_, const struct inotify_event *event, void *userdata) {
        PathWatch *w = userdata;

        /* Without a name the event is about the folder, or some events are lost. */
        if (event->len > 0 && !is_next(w, event->name))
                return 0;
        if (look(w) == 0)
                return 0;
        w->source = sd_event_source_disable_unref(w->source);
        w->fn(w->userdata);
        return 0;
}

int path_watch_new(Loop *l, const char *path, void (*f)(void *userdata), void *userdata, PathWatch **ret) {
        _cleanup_(path_watch_freep) PathWatch *w = NULL;
        int r;

        assert(path[0] == '/');

        w = calloc(1, sizeof(PathWatch));
        if (!w)
                return -ENOMEM;
        w->path = strdup(path);
        if (!w->path)
                return -ENOMEM;
        w->loop = l;
        w->fn = f;
        w->userdata = userdata;
        r = look(w);
        if (r == 0)
                *ret = TAKE_PTR(w);
        return r;
}

PathWatch *path_watch_free(PathWatch *w) {
        if (!w)
                return NULL;
        sd_event_source_disable_unref(w->source);
        free(w->path);
        free(w);
        return NULL;
}
