/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The turns of a conversation, as steps that a dialect adds in the order of its messages; then turns_write()
 * makes Gemini's "systemInstruction" and "contents" of them. All views belong to the client's body, or are
 * static: nothing is copied. A text is any JSON value: a string is the text, of another value its source is.
 *
 * Gemini's rules are kept here, for all dialects:
 *
 * - Calls are followed by exactly their results, in one content of the user, in the order of the calls. So
 *   results find their calls by id, whatever their order; a call without a result gets an empty one; a
 *   result without a call becomes the user's text.
 * - A call has a thought signature if the model needs one (signature.h).
 * - There is a content of the user before the first call, and one at the end if the model cannot
 *   continue its last turn.
 * - Instructions are apart from the conversation; for models without them, and beside a cached content, they
 *   begin the first content of the user.
 */

#include "base/json/cursor.h"
#include "base/json/write.h"
#include "core/rules.h"
#include "dialect/media.h"
#include "dialect/signature.h"
#include "dialect/tool-names.h"

typedef struct Vault Vault;

typedef enum TurnRole {
        TURN_SYSTEM,
        TURN_USER,
        TURN_MODEL,
        TURN_RESULT, /* a part of the result that was added last */
} TurnRole;

typedef enum TurnKind {
        TURN_TEXT,
        TURN_THOUGHT,
        TURN_MEDIA,
        TURN_FILE,
        TURN_CALL,
        TURN_RETURN, /* the beginning of a result */
} TurnKind;

typedef struct TurnStep {
        TurnKind kind;
        TurnRole role;
        uint32_t message; /* steps of different messages are in different contents */
        uint32_t turn;    /* calls with nothing but the model's steps between them are of the same */
        uint32_t other;   /* CALL: its RETURN; RETURN: its CALL; or TURN_NONE */
        bool is_error;    /* RETURN: the call has failed */
        bool is_text;     /* CALL: of a custom tool: the text is its one argument, `input` */
        JsonView value;     /* TEXT, THOUGHT; FILE: its id; CALL: arguments */
        JsonView name;      /* CALL, RETURN: the function's, as the client has it */
        JsonView id;        /* CALL, RETURN: within the quotes */
        JsonView signature; /* within the quotes, or nothing */
        union {
                ToolName *function; /* CALL */
                Media *media;       /* MEDIA, and owned; FILE: NULL */
        };
} TurnStep;

#define TURN_NONE UINT32_MAX

/* To be set before the first step: */
typedef struct Turns {
        const ModelRules *rules;
        const char *model; /* as it is asked upstream: for the vault */
        Vault *vault;      /* or NULL */
        Buf *signatures;   /* gets the places of the signatures: Translation.signatures */
        ToolNames *names;            /* the declared ones are in it already */
        bool is_cached; /* instructions are in a cached content, beside which no others may be given */

        TurnStep *steps;
        size_t n, n_allocated;
        uint32_t message, turn;
        bool has_calls, has_media;
        int error; /* -ENOMEM; -E2BIG: more than TURN_STEPS_MAX steps, too many names, or one too long */
} Turns;

void turns_done(Turns *t);

/* The following steps are of another message. */
void turns_next_message(Turns *t);

void turns_text(Turns *t, TurnRole role, JsonView text);
void turns_thought(Turns *t, JsonView text);
void turns_media(Turns *t, TurnRole role, const Media *m);
/* A file at Google, which knows its type: what is behind `files/` in its name, within the quotes. */
void turns_file(Turns *t, TurnRole role, JsonView id);

/* `arguments`: an object, or a string that holds one; `signature`: a string, or nothing. */
void turns_call(Turns *t, JsonView id, JsonView name, JsonView arguments, JsonView signature);

/* The same for a function that is in the table of names already. */
void turns_call_known(Turns *t, JsonView id, ToolName *function, JsonView name, JsonView arguments,
                      JsonView signature);

void turns_call_has_text(Turns *t); /* the last call is one of a custom tool: its arguments are a text */

/* Begins a result; its texts and media follow with TURN_RESULT. `name` may be missing. */
void turns_result(Turns *t, JsonView id, JsonView name, bool is_error);

/* Signs the model's last text. Without one the signature has an empty text. */
void turns_sign_text(Turns *t, JsonView signature);

/* Finds the call of each result. For turns_write(). */
int turns_pair(Turns *t);

/* Writes the two members; once. Fails with the error of the steps or of the writer. */
int turns_write(Turns *t, JWriter *w);
