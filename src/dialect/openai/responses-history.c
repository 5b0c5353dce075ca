/* SPDX-License-Identifier: MIT */

/*
 * The store has each response with its own input. So the conversation before a request is a chain: each
 * response names the one before it. An item's id has the digits of its response's id.
 */

#include <errno.h>

#include "base/limits-responses.h"
#include "core/response-store.h"
#include "dialect/json.h"
#include "dialect/openai/responses-request.h"

#define ID_SHOWN_MAX 80U

static StoredText *text_free(StoredText *t) {
        if (t) {
                buf_done(&t->text);
                json_index_done(&t->index);
        }
        free(t);
        return NULL;
}

void responses_request_done(ResponsesRequest *r) {
        chat_request_done(&r->q);
        for (size_t i = 0; i < r->n_texts; i++)
                (void) text_free(r->texts[i]);
        free(r->texts);
        free(r->turns);
}

int responses_new_text(ResponsesRequest *r, StoredText **ret) {
        StoredText *t;

        if (r->n_texts == r->n_texts_allocated) {
                size_t n = r->n_texts_allocated > 0 ? 2 * r->n_texts_allocated : 8;
                StoredText **grown = reallocarray(r->texts, n, sizeof(*grown));

                if (!grown)
                        return -ENOMEM;
                r->texts = grown;
                r->n_texts_allocated = n;
        }
        t = calloc(1, sizeof(StoredText));
        if (!t)
                return -ENOMEM;
        t->text = BUF_INIT(RESPONSE_BYTES_MAX);
        r->texts[r->n_texts++] = t;
        *ret = t;
        return 0;
}

/* What was stored is JSON. */
static int index_text(ResponsesRequest *r, StoredText *t) {
        chat_allow(&r->q, t->text.n);
        return json_index(buf_data(&t->text), t->text.n, &t->index, &t->root);
}

static int load(ResponsesRequest *r, const ResponseName *name, StoredText **ret_input,
                StoredText **ret_response) {
        const DialectContext *c = r->q.context;
        StoredText *input = NULL, *response;
        int e;

        e = responses_new_text(r, &response);
        if (e == 0 && ret_input)
                e = responses_new_text(r, &input);
        if (e == 0)
                e = response_store_get(c->responses, name, c->created * USEC_PER_SEC,
                                       input ? &input->text : NULL, &response->text);
        if (e == 0)
                e = index_text(r, response);
        if (e == 0 && input)
                e = index_text(r, input);
        if (e == -EBADMSG) /* of a state file that another program has changed */
                return -ENOENT;
        if (e < 0)
                return e;
        response->name = *name;
        if (ret_input)
                *ret_input = input;
        *ret_response = response;
        return 0;
}

/* --- the responses before --- */

static int refuse_previous(ChatRequest *q) {
        int r;

        if (!q->context->responses)
                return chat_refuse(q, "needs stored responses, and RESPONSES_STORE is off: send the whole "
                                      "input",
                                   "previous_response_id");
        r = chat_refuse(q, "names a response that is not kept, or no longer: send the whole input",
                        "previous_response_id");
        q->error->code = "previous_response_not_found";
        return r;
}

static int add_turn(ResponsesRequest *r, const StoredTurn *turn) {
        StoredTurn *grown = reallocarray(r->turns, r->n_turns + 1, sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        r->turns = grown;
        r->turns[r->n_turns++] = *turn;
        return 0;
}

static void reverse(ResponsesRequest *r) {
        for (size_t i = 0; i < r->n_turns / 2; i++) {
                StoredTurn turn = r->turns[i];

                r->turns[i] = r->turns[r->n_turns - 1 - i];
                r->turns[r->n_turns - 1 - i] = turn;
        }
}

int responses_load_turns(ChatRequest *q) {
        ResponsesRequest *r = responses_request_of(q);
        JsonView id = q->fields[CHAT_PREVIOUS];
        char text[ID_SHOWN_MAX];
        ResponseName name;
        StoredTurn turn;
        size_t n = 0;
        int e;

        while (!json_view_is_null(id)) {
                json_view_copy(id, text, sizeof(text));
                if (!q->context->responses || !json_view_equals(id, text) ||
                    r->n_turns == RESPONSES_CHAIN_MAX || strncmp(text, "resp_", 5) != 0 ||
                    strlen(text) != 5 + RESPONSE_ID_DIGITS ||
                    !response_name_parse(q->context->client, text, &name))
                        return refuse_previous(q);
                e = load(r, &name, &turn.input, &turn.response);
                if (e == -ENOENT)
                        return refuse_previous(q);
                if (e == 0)
                        e = add_turn(r, &turn);
                if (e < 0)
                        return e;
                n += turn.input->text.n + turn.response->text.n;
                if (n > RESPONSES_HISTORY_MAX)
                        return chat_refuse(q,
                                           "leads to more than Google takes in one request: send a shorter "
                                           "input",
                                           "previous_response_id");
                id = json_view_get(turn.response->root, "previous_response_id");
        }
        reverse(r);
        return 0;
}

/* --- one item --- */

static StoredText *find_loaded(const ResponsesRequest *r, const ResponseName *name) {
        for (size_t i = r->n_texts; i > 0; i--)
                if (memcmp(r->texts[i - 1]->name.id, name->id, sizeof(name->id)) == 0)
                        return r->texts[i - 1];
        return NULL;
}

static int refuse_item(ChatRequest *q, size_t i) {
        const char *fault = "names an item that is not kept, or no longer: send the item itself";

        if (!q->context->responses)
                fault = "needs stored responses, and RESPONSES_STORE is off: send the item itself";
        return chat_refuse(q, fault, "input[%zu].id", i);
}

int responses_load_item(ChatRequest *q, JsonView id, size_t i, JsonView *ret) {
        ResponsesRequest *r = responses_request_of(q);
        char text[ID_SHOWN_MAX];
        StoredText *response;
        ResponseName name;
        JsonCursor c;
        JsonView item;
        int e;

        e = chat_check_type(q, id, TYPE_STRING, "input[%zu].id", i);
        if (e != 0)
                return e;
        json_view_copy(id, text, sizeof(text));
        if (!q->context->responses || !json_view_equals(id, text) ||
            !response_name_parse(q->context->client, text, &name))
                return refuse_item(q, i);
        response = find_loaded(r, &name);
        e = response ? 0 : load(r, &name, NULL, &response);
        if (e == -ENOENT)
                return refuse_item(q, i);
        if (e < 0)
                return e;
        c = json_enter_array(json_view_get(response->root, "output"));
        while (json_next(&c, NULL, &item)) {
                if (!json_view_equals(json_view_get(item, "id"), text))
                        continue;
                /* Repeated names would make a long request of a short one. */
                response->n_named += (size_t) (item.end - item.p);
                if (response->n_named > response->text.n)
                        return chat_refuse(q, "names an item that the input has already", "input[%zu].id",
                                           i);
                *ret = item;
                return 0;
        }
        return refuse_item(q, i);
}

/* --- keeping --- */

void response_store(OpenaiResponse *r) {
        const OpenaiChat *chat = &r->chat;
        _cleanup_buf_ Buf response = BUF_INIT(RESPONSE_BYTES_MAX);
        JWriter w = JWRITER_INIT(&response);
        ResponseName name;

        if (!r->is_stored || !response_name_parse(r->client, chat->id, &name))
                return;
        response_write(r, response_status(r), NULL, NULL, &w);
        if (response.error == 0 && r->input.error == 0)
                response_store_put(r->store, &name, &r->input, &response, chat->created * USEC_PER_SEC);
}
