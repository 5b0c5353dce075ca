/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <pthread.h>
#include <systemd/sd-event.h>

#include "io/worker.h"

#define PATIENCE (20 * USEC_PER_SEC) /* only a hang reaches it */
#define TASKS    8U

/* What the tasks of a test leave behind. */
typedef struct Record {
        Loop *loop;
        Worker *worker;
        pthread_mutex_t gate; /* locked: tasks stay in run() */
        unsigned order[TASKS], n_done, n_dropped, n_run;
} Record;

typedef struct Task {
        WorkerTask task;
        Record *record;
        unsigned number;
        pthread_t thread;
} Task;

static void on_run(WorkerTask *t) {
        Task *task = CONTAINER_OF(t, Task, task);

        (void) pthread_mutex_lock(&task->record->gate);
        task->thread = pthread_self();
        task->record->n_run++;
        (void) pthread_mutex_unlock(&task->record->gate);
}

static void on_done(WorkerTask *t) {
        Task *task = CONTAINER_OF(t, Task, task);
        Record *r = task->record;

        assert_false(pthread_equal(task->thread, pthread_self()));
        r->order[r->n_done++] = task->number;
        free(task);
}

static void on_drop(WorkerTask *t) {
        Task *task = CONTAINER_OF(t, Task, task);

        task->record->n_dropped++;
        free(task);
}

static Task *add(Record *r, unsigned number) {
        Task *t = calloc(1, sizeof(Task));

        assert_non_null(t);
        *t = (Task){ .task = { .run = on_run, .done = on_done, .drop = on_drop }, .record = r };
        t->number = number;
        worker_add(r->worker, &t->task);
        return t;
}

static int begin(void **state) {
        Record *r = calloc(1, sizeof(Record));

        assert_non_null(r);
        assert_int_equal(pthread_mutex_init(&r->gate, NULL), 0);
        assert_int_equal(loop_new(&r->loop), 0);
        assert_int_equal(worker_new(r->loop, &r->worker), 0);
        *state = r;
        return 0;
}

static int end(void **state) {
        Record *r = *state;

        worker_free(r->worker);
        loop_free(r->loop);
        (void) pthread_mutex_destroy(&r->gate);
        free(r);
        return 0;
}

#define TURN_UNTIL(r, condition)                                                                   \
        do {                                                                                       \
                usec_t _end = clock_monotonic() + PATIENCE;                                        \
                while (!(condition)) {                                                             \
                        assert_true(clock_monotonic() < _end);                                     \
                        assert_true(sd_event_run(loop_event((r)->loop), 10 * USEC_PER_MSEC) >= 0); \
                }                                                                                  \
        } while (0)

static void test_order(void **state) {
        Record *r = *state;

        for (unsigned i = 0; i < TASKS; i++)
                add(r, i);
        TURN_UNTIL(r, r->n_done == TASKS);
        for (unsigned i = 0; i < TASKS; i++)
                assert_int_equal(r->order[i], i);
}

/* The task that runs is dropped without a wait for it, those that wait at once. */
static void test_drop(void **state) {
        Record *r = *state;
        Task *tasks[3];

        (void) pthread_mutex_lock(&r->gate);
        for (unsigned i = 0; i < ELEMENTSOF(tasks); i++)
                tasks[i] = add(r, i);
        worker_drop(r->worker, &tasks[1]->task);
        assert_int_equal(r->n_dropped, 1);
        worker_drop(r->worker, &tasks[0]->task); /* may be running already */
        assert_in_range(r->n_dropped, 1, 2);
        (void) pthread_mutex_unlock(&r->gate);
        TURN_UNTIL(r, r->n_done == 1 && r->n_dropped == 2);
        assert_int_equal(r->order[0], 2);
}

/* Between its end in the thread and done(). */
static void test_drop_finished(void **state) {
        Record *r = *state;
        Task *t = add(r, 0);
        unsigned n_run = 0;

        while (n_run == 0) {
                (void) pthread_mutex_lock(&r->gate);
                n_run = r->n_run;
                (void) pthread_mutex_unlock(&r->gate);
        }
        worker_drop(r->worker, &t->task);
        TURN_UNTIL(r, r->n_dropped == 1);
        assert_int_equal(r->n_done, 0);
        add(r, 1);
        TURN_UNTIL(r, r->n_done == 1);
}

/* The end waits for the task that runs, and frees it. */
static void test_end(void **state) {
        Record *r = *state;
        Task *t;

        (void) pthread_mutex_lock(&r->gate);
        t = add(r, 0);
        worker_drop(r->worker, &t->task);
        (void) pthread_mutex_unlock(&r->gate);
        r->worker = worker_free(r->worker);
        assert_int_equal(r->n_dropped, 1);
}

static void test_give_back(void **state) {
        Record *r = *state;

        worker_give_back(r->worker);
        add(r, 0);
        worker_give_back(r->worker);
        TURN_UNTIL(r, r->n_done == 1);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_order, begin, end),
                cmocka_unit_test_setup_teardown(test_drop, begin, end),
                cmocka_unit_test_setup_teardown(test_drop_finished, begin, end),
                cmocka_unit_test_setup_teardown(test_end, begin, end),
                cmocka_unit_test_setup_teardown(test_give_back, begin, end),
        };

        return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
