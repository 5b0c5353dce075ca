/* SPDX-License-Identifier: MIT */

/*
 * The loop and the thread share what is below `lock`: the tasks that wait, the one that runs, and those that
 * have finished. The thread announces a finished task by an eventfd. The loop takes one of them in each
 * turn, because what follows it, such as a call upstream, takes its time as well.
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/memory.h"
#include "base/thread.h"
#include "io/worker.h"

struct Worker {
        Loop *loop;
        LoopFd watch;
        int event_fd;
        pthread_t thread;
        bool has_lock, has_thread;

        pthread_mutex_t lock;
        pthread_cond_t changed; /* there is something for the thread */
        List waiting, finished;
        bool gives_back, ends;
};

/* --- the thread --- */

static WorkerTask *take_waiting(Worker *w) {
        List *first = list_first(&w->waiting);
        WorkerTask *t;

        if (!first)
                return NULL;
        t = list_entry(first, WorkerTask, link);
        list_unlink(first);
        t->state = WORKER_RUNNING;
        return t;
}

static void put_finished(Worker *w, WorkerTask *t) {
        t->state = WORKER_FINISHED;
        list_append(&w->finished, &t->link);
        (void) eventfd_write(w->event_fd, 1);
}

static void *run(void *userdata) {
        Worker *w = userdata;
        WorkerTask *t;

        (void) pthread_setname_np(pthread_self(), "gemgated-work");
        (void) pthread_mutex_lock(&w->lock);
        while (!w->ends) {
                t = take_waiting(w);
                if (!t && !w->gives_back) {
                        (void) pthread_cond_wait(&w->changed, &w->lock);
                        continue;
                }
                w->gives_back = w->gives_back && t;
                (void) pthread_mutex_unlock(&w->lock);
                if (t)
                        t->run(t);
                else
                        memory_give_back_thread();
                (void) pthread_mutex_lock(&w->lock);
                if (t)
                        put_finished(w, t);
        }
        (void) pthread_mutex_unlock(&w->lock);
        return NULL;
}

/* --- the loop --- */

static void on_finished(uint32_t events _unused_, void *userdata) {
        Worker *w = userdata;
        WorkerTask *t = NULL;
        eventfd_t n;
        List *first;

        (void) eventfd_read(w->event_fd, &n);
        (void) pthread_mutex_lock(&w->lock);
        first = list_first(&w->finished);
        if (first) {
                t = list_entry(first, WorkerTask, link);
                list_unlink(first);
                t->state = WORKER_IDLE;
        }
        if (!list_is_empty(&w->finished))
                (void) eventfd_write(w->event_fd, 1);
        (void) pthread_mutex_unlock(&w->lock);
        if (!t)
                return;
        t->pending = false;
        (t->dropped ? t->drop : t->done)(t);
}

void worker_add(Worker *w, WorkerTask *t) {
        assert(!t->pending && !t->dropped);

        t->pending = true;
        (void) pthread_mutex_lock(&w->lock);
        t->state = WORKER_WAITING;
        list_append(&w->waiting, &t->link);
        (void) pthread_cond_signal(&w->changed);
        (void) pthread_mutex_unlock(&w->lock);
}

void worker_drop(Worker *w, WorkerTask *t) {
        bool is_running;

        assert(t->pending);
        t->pending = false;
        t->dropped = true;
        (void) pthread_mutex_lock(&w->lock);
        is_running = t->state == WORKER_RUNNING;
        if (!is_running) {
                list_unlink(&t->link);
                t->state = WORKER_IDLE;
        }
        (void) pthread_mutex_unlock(&w->lock);
        if (!is_running)
                t->drop(t);
}

void worker_give_back(Worker *w) {
        (void) pthread_mutex_lock(&w->lock);
        w->gives_back = true;
        (void) pthread_cond_signal(&w->changed);
        (void) pthread_mutex_unlock(&w->lock);
}

/* --- start and end --- */

static int start_thread(Worker *w) {
        int r;

        r = pthread_mutex_init(&w->lock, NULL);
        if (r != 0)
                return -r;
        r = pthread_cond_init(&w->changed, NULL);
        if (r != 0) {
                (void) pthread_mutex_destroy(&w->lock);
                return -r;
        }
        w->has_lock = true;
        r = thread_start(run, w, &w->thread);
        w->has_thread = r >= 0;
        return r;
}

int worker_new(Loop *l, Worker **ret) {
        _cleanup_(worker_freep) Worker *w = NULL;
        int r;

        w = calloc(1, sizeof(Worker));
        if (!w)
                return -ENOMEM;
        w->loop = l;
        w->watch = LOOP_FD_NULL;
        list_init(&w->waiting);
        list_init(&w->finished);
        w->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (w->event_fd < 0)
                return -errno;
        r = loop_fd_add(l, &w->watch, w->event_fd, EPOLLIN, on_finished, w);
        if (r < 0)
                return r;
        r = start_thread(w);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w);
        return 0;
}

Worker *worker_free(Worker *w) {
        if (!w)
                return NULL;
        if (w->has_thread) {
                (void) pthread_mutex_lock(&w->lock);
                w->ends = true;
                (void) pthread_cond_signal(&w->changed);
                (void) pthread_mutex_unlock(&w->lock);
                (void) pthread_join(w->thread, NULL);
        }
        assert(list_is_empty(&w->waiting));
        LIST_FOREACH(i, &w->finished) {
                WorkerTask *t = list_entry(i, WorkerTask, link);

                assert(t->dropped);
                list_unlink(i);
                t->drop(t);
        }
        if (w->has_lock) {
                (void) pthread_cond_destroy(&w->changed);
                (void) pthread_mutex_destroy(&w->lock);
        }
        loop_fd_remove(w->loop, &w->watch);
        (void) safe_close(w->event_fd);
        free(w);
        return NULL;
}
