/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "dialect/turns.h"

#define STEPS_FIRST 16U /* most conversations have fewer */

void turns_done(Turns *t) {
        for (size_t i = 0; i < t->n; i++)
                if (t->steps[i].kind == TURN_MEDIA)
                        free(t->steps[i].media);
        free(t->steps);
        t->steps = NULL;
        t->n = t->n_allocated = 0;
}

void turns_next_message(Turns *t) {
        t->message++;
}

static int grow(Turns *t) {
        size_t n = t->n_allocated > 0 ? 2 * t->n_allocated : STEPS_FIRST;
        TurnStep *steps;

        if (t->n == TURN_STEPS_MAX)
                return -E2BIG;
        steps = reallocarray(t->steps, n, sizeof(TurnStep));
        if (!steps)
                return -ENOMEM;
        t->steps = steps;
        t->n_allocated = n;
        return 0;
}

/* After an error the step is written to a place that is not read. */
static TurnStep *add(Turns *t, TurnKind kind, TurnRole role, JsonView value) {
        static _Thread_local TurnStep lost;

        if (t->error == 0 && t->n == t->n_allocated)
                t->error = grow(t);
        if (t->error < 0)
                return &lost;
        if (role == TURN_USER || role == TURN_RESULT)
                t->turn++;
        t->steps[t->n] = (TurnStep){
                .kind = kind,
                .role = role,
                .message = t->message,
                .turn = t->turn,
                .other = TURN_NONE,
                .value = value,
        };
        return &t->steps[t->n++];
}

void turns_text(Turns *t, TurnRole role, JsonView text) {
        if (!json_view_is_null(text) && !json_view_is_empty(text))
                (void) add(t, TURN_TEXT, role, text);
}

void turns_thought(Turns *t, JsonView text) {
        if (!json_view_is_null(text) && !json_view_is_empty(text) &&
            model_can(t->rules, MODEL_CAN_THOUGHTS))
                (void) add(t, TURN_THOUGHT, TURN_MODEL, text);
}

/* An instruction is text alone. */
static TurnRole role_of_media(TurnRole role) {
        return role == TURN_SYSTEM ? TURN_USER : role;
}

void turns_media(Turns *t, TurnRole role, const Media *m) {
        TurnStep *s = add(t, TURN_MEDIA, role_of_media(role), (JsonView){});

        if (t->error < 0)
                return;
        s->media = malloc(sizeof(Media));
        if (!s->media) {
                t->error = -ENOMEM;
                return;
        }
        *s->media = *m;
        t->has_media = true;
}

void turns_file(Turns *t, TurnRole role, JsonView id) {
        (void) add(t, TURN_FILE, role_of_media(role), id);
        t->has_media = true;
}

void turns_call(Turns *t, JsonView id, JsonView name, JsonView arguments, JsonView signature) {
        ToolName *function = NULL;

        if (t->error == 0)
                t->error = tool_names_map_view(t->names, name, &function);
        turns_call_known(t, id, function, name, arguments, signature);
}

void turns_call_known(Turns *t, JsonView id, ToolName *function, JsonView name, JsonView arguments,
                      JsonView signature) {
        TurnStep *s = add(t, TURN_CALL, TURN_MODEL, arguments);
        JsonView of_id;

        s->function = function;
        s->id = json_view_inside(id);
        signature_split_id(&s->id, &of_id);
        s->name = name;
        s->signature = json_view_inside(signature);
        if (signature_kind(s->signature) == SIGNATURE_NONE)
                s->signature = of_id;
        t->has_calls = true;
}

void turns_call_has_text(Turns *t) {
        if (t->error < 0)
                return;
        t->steps[t->n - 1].is_text = true;
        t->steps[t->n - 1].function->flags |= TOOL_NAME_CUSTOM;
}

void turns_result(Turns *t, JsonView id, JsonView name, bool is_error) {
        TurnStep *s = add(t, TURN_RETURN, TURN_RESULT, (JsonView){});
        JsonView of_id;

        s->id = json_view_inside(id);
        signature_split_id(&s->id, &of_id);
        s->name = name;
        s->is_error = is_error;
        t->has_calls = true;
}

void turns_sign_text(Turns *t, JsonView signature) {
        static const char empty[] = "\"\"";
        TurnStep *last = t->n > 0 ? &t->steps[t->n - 1] : NULL;

        signature = json_view_inside(signature);
        if (t->error < 0 || signature_kind(signature) != SIGNATURE_REAL)
                return;
        if (!last || last->kind != TURN_TEXT || last->role != TURN_MODEL || last->message != t->message)
                last = add(t, TURN_TEXT, TURN_MODEL, json_view(empty, sizeof(empty) - 1));
        last->signature = signature;
}

/* --- results and their calls --- */

/* A run of calls of one turn that have the same key. */
typedef struct Run {
        uint32_t next, end;
        uint32_t turn;
} Run;

/* The id, or else the name: clients of the old `functions` send no ids. */
static JsonView key_of(const TurnStep *s) {
        return s->id.p < s->id.end ? s->id : json_view_inside(s->name);
}

static int compare_bytes(JsonView a, JsonView b) {
        size_t n_a = (size_t) (a.end - a.p), n_b = (size_t) (b.end - b.p);

        if (n_a != n_b)
                return n_a < n_b ? -1 : 1;
        return n_a > 0 ? memcmp(a.p, b.p, n_a) : 0;
}

static int compare_steps(const void *a, const void *b, void *userdata) {
        const TurnStep *steps = userdata;
        uint32_t i = *(const uint32_t *) a, k = *(const uint32_t *) b;

        return compare_bytes(key_of(&steps[i]), key_of(&steps[k])) ?: (i < k ? -1 : i > k);
}

static void join(Turns *t, uint32_t call, uint32_t result) {
        t->steps[call].other = result;
        t->steps[result].other = call;
}

/* Of the steps with one key: each result is for the first call without one, in the latest turn that has
 * such a call. So ids may be used again in later turns. */
static void pair_group(Turns *t, const uint32_t *order, size_t n, Run *runs) {
        size_t n_runs = 0;

        for (size_t i = 0; i < n; i++) {
                const TurnStep *s = &t->steps[order[i]];

                if (s->kind == TURN_CALL && n_runs > 0 && runs[n_runs - 1].turn == s->turn)
                        runs[n_runs - 1].end = (uint32_t) i + 1;
                else if (s->kind == TURN_CALL)
                        runs[n_runs++] = (Run){ (uint32_t) i, (uint32_t) i + 1, s->turn };
                else if (n_runs > 0) {
                        Run *run = &runs[n_runs - 1];

                        join(t, order[run->next++], order[i]);
                        if (run->next == run->end)
                                n_runs--;
                }
        }
}

/* Results without an id and a name are those of the calls of the latest turn, in their order. */
static void pair_nameless(Turns *t) {
        uint32_t next = TURN_NONE, turn = 0;

        for (uint32_t i = 0; i < t->n; i++) {
                const TurnStep *s = &t->steps[i];

                if (s->kind == TURN_CALL && (next == TURN_NONE || s->turn != turn)) {
                        next = i;
                        turn = s->turn;
                }
                if (s->kind != TURN_RETURN || key_of(s).p < key_of(s).end)
                        continue;
                while (next < i && (t->steps[next].kind != TURN_CALL || t->steps[next].other != TURN_NONE))
                        next++;
                if (next < i)
                        join(t, next, i);
        }
}

/* Sorted, because a search for each result would take time by the square of their number. */
int turns_pair(Turns *t) {
        _cleanup_free_ uint32_t *order = NULL;
        _cleanup_free_ Run *runs = NULL;
        size_t n = 0, end;

        if (!t->has_calls)
                return 0;
        order = malloc(t->n * sizeof(uint32_t));
        runs = malloc(t->n * sizeof(Run));
        if (!order || !runs)
                return -ENOMEM;
        for (uint32_t i = 0; i < t->n; i++)
                if (t->steps[i].kind == TURN_CALL ||
                    (t->steps[i].kind == TURN_RETURN && key_of(&t->steps[i]).p < key_of(&t->steps[i]).end))
                        order[n++] = i;
        qsort_r(order, n, sizeof(uint32_t), compare_steps, t->steps);
        for (size_t i = 0; i < n; i = end) {
                for (end = i + 1; end < n && compare_bytes(key_of(&t->steps[order[i]]),
                                                           key_of(&t->steps[order[end]])) == 0;)
                        end++;
                pair_group(t, order + i, end - i, runs);
        }
        pair_nameless(t);
        return 0;
}
