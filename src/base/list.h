/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An intrusive, circular, doubly linked list. A List is both the head and the link inside an element. An
 * unlinked element points at itself, so unlinking twice is harmless, and list_is_linked() is one
 * comparison.
 */

#include "base/macros.h"

typedef struct List List;

struct List {
        List *next;
        List *prev;
};

#define LIST_INIT(l) ((List){ .next = &(l), .prev = &(l) })

static inline void list_init(List *l) {
        l->next = l->prev = l;
}

static inline bool list_is_empty(const List *l) {
        return l->next == l;
}

static inline bool list_is_linked(const List *l) {
        return l->next != l;
}

static inline void list_unlink(List *l) {
        l->prev->next = l->next;
        l->next->prev = l->prev;
        list_init(l);
}

static inline void list_append(List *head, List *l) {
        l->prev = head->prev;
        l->next = head;
        head->prev->next = l;
        head->prev = l;
}

/* Moves all elements of `from` to the end of the list. */
static inline void list_splice(List *head, List *from) {
        if (list_is_empty(from))
                return;
        from->next->prev = head->prev;
        from->prev->next = head;
        head->prev->next = from->next;
        head->prev = from->prev;
        list_init(from);
}

static inline bool list_is_single(const List *l) {
        return l->next != l && l->next->next == l;
}

static inline List *list_first(const List *head) {
        return list_is_empty(head) ? NULL : head->next;
}

#define list_entry(l, type, member) CONTAINER_OF(l, type, member)

/* Walks the elements; the current one may be unlinked or freed by the body. */
#define LIST_FOREACH(i, head) \
        for (List *i = (head)->next, *_next_##i = i->next; i != (head); i = _next_##i, _next_##i = i->next)
