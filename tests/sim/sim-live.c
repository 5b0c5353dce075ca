/* SPDX-License-Identifier: MIT */
/*
 * A session follows the steps of its rule, and after the last one, or without any, it is a plain one: it
 * answers setup, and each turn with a text that repeats the turn's, in two messages and with its usage. Each
 * step is done when the one before is, and what was sent before is with the kernel. `await` waits for a
 * message.
 *
 * What a client sends is looked at strictly: masked frames, JSON, one message of those that exist, setup
 * first and once. Google answers in binary frames, and ends by a close frame with a reason.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>

#include "base/json/write.h"
#include "base/text.h"
#include "sim-exchange.h"
#include "sim-frame.h"
#include "sim-json.h"

#define MESSAGE_MAX  (64U << 20)
#define HANDLES_MAX  10000U
#define CODE_INVALID 1007U
#define CODE_POLICY  1008U
#define CODE_FAILED  1011U

struct Live {
        Exchange *exchange;
        char *key, *model;
        FrameReader frames;
        Action *action;    /* of the rule; NULL before setup, and of no rule */
        char *steps, *next; /* the rest of its steps; NULL: none */
        const char *wanted; /* by `await`; NULL: nothing */
        Timer timer;
        uint64_t n_flood, flood_size;
        uint64_t n_sent;
        bool is_set_up, resumes, closing, hanging;
};

/* --- handles --- */

void live_book_clear(LiveBook *b) {
        for (size_t i = 0; i < b->n; i++) {
                free(b->handles[i].name);
                free(b->handles[i].owner);
        }
        free(b->handles);
        *b = (LiveBook){};
}

static const char *owner_of(const Live *l) {
        return script_project(l->exchange->sim->script, l->key);
}

static const char *new_handle(Live *l) {
        LiveBook *b = &l->exchange->sim->live;
        char *name, *owner = strdup(owner_of(l));

        if (!b->handles)
                b->handles = calloc(HANDLES_MAX, sizeof(*b->handles));
        if (!b->handles || !owner || b->n == HANDLES_MAX ||
            asprintf(&name, "Cih%012llu/+handle==", (unsigned long long) ++b->n_made) < 0)
                abort();
        b->handles[b->n].owner = owner;
        b->handles[b->n].name = name;
        return b->handles[b->n++].name;
}

static bool knows_handle(const Live *l, const char *name) {
        const LiveBook *b = &l->exchange->sim->live;

        for (size_t i = 0; i < b->n; i++)
                if (streq(b->handles[i].name, name))
                        return streq(b->handles[i].owner, owner_of(l));
        return false;
}

/* --- out --- */

static Buf *out_of(Live *l) {
        return conn_out(l->exchange->conn);
}

static void send_message(Live *l, unsigned opcode, const char *p, size_t n) {
        frame_write(out_of(l), opcode, true, p, n);
        l->n_sent++;
}

static void send_json(Live *l, Buf *json) {
        if (buf_cstr(json))
                send_message(l, FRAME_BINARY, buf_data(json), json->n);
}

static void close_with(Live *l, unsigned code, const char *reason) {
        if (l->closing)
                return;
        l->closing = true;
        frame_write_close(out_of(l), code, reason);
}

static unsigned code_of(unsigned status, const char *message) {
        if (status == 400 || strstr(message, "API key not valid"))
                return CODE_INVALID;
        return status < 500 && status != 429 ? CODE_POLICY : CODE_FAILED;
}

/* The message of an error of Google's is the reason. */
static void close_with_error(Live *l, const Action *a) {
        _cleanup_buf_ Buf body = BUF_INIT(1U << 20);
        ErrorFacts facts = { .key = l->key,
                             .model = l->model,
                             .verb = "bidiGenerateContent",
                             .message = a->message,
                             .retry = a->retry,
                             .quota = a->quota };
        json_object *root, *e = NULL, *m = NULL;
        const char *message;

        error_write(a->error, &facts, &body);
        root = json_tokener_parse(strempty(buf_cstr(&body)));
        if (root && json_object_object_get_ex(root, "error", &e))
                (void) json_object_object_get_ex(e, "message", &m);
        message = m ? json_object_get_string(m) : "Internal error encountered.";
        close_with(l, code_of(error_status(a->error, &facts), message), message);
        json_object_put(root);
}

static void count(JWriter *w, const char *key, const char *modality, uint64_t n) {
        jwrite_array(w, key);
        jwrite_object(w, NULL);
        jwrite_string(w, "modality", modality);
        jwrite_uint(w, "tokenCount", n);
        jwrite_end(w);
        jwrite_end(w);
}

static void send_usage(Live *l, JWriter *w) {
        const uint64_t *usage = l->action ? l->action->usage : NULL;
        uint64_t prompt = usage && usage[0] != ACTION_UNSET ? usage[0] : 10;
        uint64_t response = usage && usage[1] != ACTION_UNSET ? usage[1] : 5;

        jwrite_object(w, "usageMetadata");
        jwrite_uint(w, "promptTokenCount", prompt);
        jwrite_uint(w, "responseTokenCount", response);
        jwrite_uint(w, "totalTokenCount", prompt + response);
        count(w, "promptTokensDetails", "TEXT", prompt);
        count(w, "responseTokensDetails", "AUDIO", response);
        jwrite_end(w);
}

static void send_part(Live *l, const char *text) {
        _cleanup_buf_ Buf json = BUF_INIT(MESSAGE_MAX);
        JWriter w = JWRITER_INIT(&json);

        jwrite_object(&w, NULL);
        jwrite_object(&w, "serverContent");
        jwrite_object(&w, "modelTurn");
        jwrite_string(&w, "role", "model");
        jwrite_array(&w, "parts");
        jwrite_object(&w, NULL);
        jwrite_string(&w, "text", text);
        jwrite_end(&w);
        jwrite_end(&w);
        jwrite_end(&w);
        jwrite_end(&w);
        jwrite_end(&w);
        send_json(l, &json);
}

static void send_flag(Live *l, const char *name, bool has_usage) {
        _cleanup_buf_ Buf json = BUF_INIT(MESSAGE_MAX);
        JWriter w = JWRITER_INIT(&json);

        jwrite_object(&w, NULL);
        jwrite_object(&w, "serverContent");
        jwrite_bool(&w, name, true);
        jwrite_end(&w);
        if (has_usage)
                send_usage(l, &w);
        jwrite_end(&w);
        send_json(l, &json);
}

static void send_handle(Live *l) {
        _cleanup_buf_ Buf json = BUF_INIT(4096);
        JWriter w = JWRITER_INIT(&json);

        jwrite_object(&w, NULL);
        jwrite_object(&w, "sessionResumptionUpdate");
        jwrite_string(&w, "newHandle", new_handle(l));
        jwrite_bool(&w, "resumable", true);
        jwrite_end(&w);
        jwrite_end(&w);
        send_json(l, &json);
}

static void send_flood(Live *l) {
        static const char before[] = "{\"serverContent\":{\"modelTurn\":{\"parts\":[{\"inlineData\":"
                                     "{\"mimeType\":\"audio/pcm;rate=24000\",\"data\":\"";
        _cleanup_buf_ Buf json = BUF_INIT(MESSAGE_MAX);

        (void) buf_puts(&json, before);
        for (uint64_t i = 0; i < l->flood_size; i++)
                (void) buf_putc(&json, 'A');
        (void) buf_puts(&json, "\"}}]}}}");
        send_json(l, &json);
        l->n_flood--;
}

/* --- a plain session --- */

/* The end of the last text in it. */
static const char *last_text(json_object *o, const char *so_far) {
        if (json_object_is_type(o, json_type_array))
                for (size_t i = 0; i < json_object_array_length(o); i++)
                        so_far = last_text(json_object_array_get_idx(o, i), so_far);
        else if (json_object_is_type(o, json_type_object)) {
                json_object_object_foreach(o, name, value) {
                        if (streq(name, "text") && json_object_is_type(value, json_type_string))
                                so_far = json_object_get_string(value);
                        else
                                so_far = last_text(value, so_far);
                }
        }
        return so_far;
}

static void answer_setup(Live *l, json_object *setup) {
        static const char complete[] = "{\"setupComplete\":{}}";
        json_object *resumption = json_member(setup, "sessionResumption", "session_resumption");
        json_object *handle = resumption ? json_member(resumption, "handle", "handle") : NULL;

        l->resumes = resumption;
        if (handle && !knows_handle(l, json_object_get_string(handle))) {
                close_with(l, CODE_POLICY, "BidiGenerateContent session not found");
                return;
        }
        send_message(l, FRAME_BINARY, complete, sizeof(complete) - 1);
        if (l->resumes)
                send_handle(l);
}

static bool is_true(json_object *o, const char *camel, const char *snake) {
        json_object *v = json_member(o, camel, snake);

        return v && json_object_get_boolean(v);
}

/* Whether the model's turn comes now. */
static bool ends_turn(const char *what, json_object *value) {
        if (streq(what, "clientContent"))
                return is_true(value, "turnComplete", "turn_complete");
        if (streq(what, "realtimeInput"))
                return json_member(value, "text", "text") ||
                       is_true(value, "audioStreamEnd", "audio_stream_end") ||
                       json_member(value, "activityEnd", "activity_end");
        return streq(what, "toolResponse");
}

static void answer_plainly(Live *l, const char *what, json_object *value) {
        char text[PROMPT_ECHO_MAX + 32];

        if (streq(what, "setup")) {
                answer_setup(l, value);
                return;
        }
        if (!ends_turn(what, value))
                return;
        if (l->action && l->action->content == CONTENT_TEXT)
                text_copy(text, sizeof(text), l->action->text);
        else
                (void) snprintf(text, sizeof(text), "gemini-sim got: %.*s", (int) PROMPT_ECHO_MAX,
                                last_text(value, "a sound"));
        send_part(l, text);
        send_flag(l, "generationComplete", false);
        send_flag(l, "turnComplete", true);
        if (l->resumes)
                send_handle(l);
}

/* --- steps --- */

static bool waits(const Live *l) {
        return l->wanted || l->timer.slot != 0 || l->n_flood > 0 || l->hanging || l->closing;
}

static void on_timer(Timer *t) {
        conn_pump(CONTAINER_OF(t, Live, timer)->exchange->conn);
}

static void step_pieces(Live *l, const char *json) {
        size_t n = strlen(json), k = MAX(n / 3, 1U);

        for (size_t at = 0; at < n; at += k)
                frame_write(out_of(l), at == 0 ? FRAME_BINARY : FRAME_CONTINUATION, at + k >= n, json + at,
                            MIN(k, n - at));
        l->n_sent++;
}

static void step_close(Live *l, const char *rest) {
        unsigned code = (unsigned) strtoul(rest, NULL, 10);

        rest += strspn(rest, TEXT_DIGITS);
        rest += strspn(rest, " ");
        close_with(l, code, rest);
}

static void step_flood(Live *l, const char *rest) {
        char *end;

        l->n_flood = strtoull(rest, &end, 10);
        if (text_parse_size(end + strspn(end, " "), &l->flood_size) < 0)
                l->flood_size = 1;
}

static void do_step(Live *l, char *line) {
        Conn *c = l->exchange->conn;
        char *rest = line + strcspn(line, " ");
        usec_t pause;

        if (*rest)
                *rest++ = 0;
        if (streq(line, "await"))
                l->wanted = rest;
        else if (streq(line, "send"))
                send_message(l, FRAME_BINARY, rest, strlen(rest));
        else if (streq(line, "send-text"))
                send_message(l, FRAME_TEXT, rest, strlen(rest));
        else if (streq(line, "send-pieces"))
                step_pieces(l, rest);
        else if (streq(line, "send-handle"))
                send_handle(l);
        else if (streq(line, "flood"))
                step_flood(l, rest);
        else if (streq(line, "ping"))
                frame_write(out_of(l), FRAME_PING, true, rest, strlen(rest));
        else if (streq(line, "raw"))
                (void) buf_puts(out_of(l), rest);
        else if (streq(line, "wait") && duration_parse(rest, &pause) >= 0)
                (void) timer_arm(l->exchange->sim->loop, &l->timer,
                                 usec_add(loop_now(l->exchange->sim->loop), pause));
        else if (streq(line, "close"))
                step_close(l, rest);
        else if (streq(line, "cut"))
                conn_cut(c);
        else if (streq(line, "reset"))
                conn_reset(c);
        else if (streq(line, "hang"))
                l->hanging = true;
        else if (streq(line, "deaf"))
                conn_hold(c);
        else
                close_with(l, CODE_FAILED, "the script has an unknown step");
}

/* One thing at a time: live_more() comes when it is with the kernel. */
static void go_on(Live *l) {
        while (!waits(l) && l->next && *l->next) {
                char *line = l->next, *end = strchrnul(line, '\n');

                l->next = *end ? end + 1 : end;
                *end = 0;
                do_step(l, text_strip(line));
        }
        while (l->n_flood > 0 && !l->closing && out_of(l)->n < CONN_OUT_MARK)
                send_flood(l);
}

void live_more(Live *l) {
        go_on(l);
}

/* --- in --- */

/* The rule of the session is known when the model is. */
static bool begin(Live *l, json_object *setup, const Frame *f) {
        Sim *s = l->exchange->sim;
        json_object *model = json_member(setup, "model", "model");
        const char *name = model ? startswith(json_object_get_string(model), "models/") : NULL;
        ScriptRequest asked;
        Rule *rule;

        l->model = strdup(strempty(name));
        if (!l->model)
                abort();
        if (l->exchange->entry)
                l->exchange->entry->model = strdup(l->model);
        if (!name) {
                close_with(l, CODE_INVALID, "model is not set, or not in the format `models/*`.");
                return false;
        }
        asked = (ScriptRequest){ .key = l->key,
                                 .model = l->model,
                                 .verb = "bidiGenerateContent",
                                 .body = f->p,
                                 .n_body = f->n };
        rule = script_match(s->script, &asked);
        script_take(s->script, rule, &asked);
        if (!rule && !model_list_knows(s->models, l->model)) {
                char text[MODEL_NAME_MAX + 160];

                (void) snprintf(text, sizeof(text),
                                "models/%s is not found for API version v1beta, or is not supported for "
                                "bidiGenerateContent.",
                                l->model);
                close_with(l, CODE_POLICY, text);
                return false;
        }
        if (!rule)
                return true;
        l->action = action_ref(rule->action);
        if (l->exchange->entry) {
                free(l->exchange->entry->rule);
                l->exchange->entry->rule = strdup(rule->action->label);
                l->exchange->entry->line = rule->line;
        }
        if (l->action->content == CONTENT_ERROR)
                close_with_error(l, l->action);
        if (l->action->content == CONTENT_LIVE) {
                l->next = l->steps = strdup(l->action->text);
                l->wanted = "setup";
                go_on(l);
        }
        return !l->closing;
}

/* The message's one member, by the name that Google's documents have. */
static const char *member_of(json_object *o, json_object **ret) {
        static const struct {
                const char *camel, *snake;
        } members[] = {
                { "setup", "setup" },
                { "clientContent", "client_content" },
                { "realtimeInput", "realtime_input" },
                { "toolResponse", "tool_response" },
                { "contextUpdate", "context_update" },
        };

        for (size_t i = 0; i < ELEMENTSOF(members); i++)
                if ((*ret = json_member(o, members[i].camel, members[i].snake)))
                        return members[i].camel;
        return NULL;
}

static void note(Live *l, const Frame *f) {
        SimLogEntry *e = l->exchange->entry;
        JWriter w;

        if (!e)
                return;
        if (e->messages.n + f->n + 16 < SIM_LOG_MESSAGES_MAX) {
                w = JWRITER_INIT(&e->messages);
                w.comma = e->n_messages > 0;
                jwrite_raw_n(&w, NULL, f->p, f->n);
        }
        e->n_messages++;
}

static void on_message(Live *l, const Frame *f) {
        json_object *o = f->n > 0 ? json_tokener_parse(f->p) : NULL, *value = NULL;
        const char *what = json_object_is_type(o, json_type_object) ? member_of(o, &value) : NULL;

        if (!what || json_object_object_length(o) != 1) {
                close_with(l, CODE_INVALID, "Request contains an invalid argument.");
                json_object_put(o);
                return;
        }
        note(l, f);
        if (streq(what, "setup") == l->is_set_up)
                close_with(l, CODE_INVALID, "setup must be the first message and only the first.");
        else if (l->is_set_up || begin(l, value, f)) {
                if (!l->wanted && (!l->next || !*l->next))
                        answer_plainly(l, what, value);
                else if (l->wanted && (streq(l->wanted, what) || streq(l->wanted, "any")))
                        l->wanted = NULL;
        }
        l->is_set_up = true;
        json_object_put(o);
        go_on(l);
}

static void on_close(Live *l, const Frame *f) {
        uint16_t code = 0;

        if (f->n >= sizeof(code)) {
                memcpy(&code, f->p, sizeof(code));
                code = be16toh(code);
        }
        if (l->exchange->entry)
                l->exchange->entry->closed = code ?: 1005;
        if (!l->closing)
                frame_write(out_of(l), FRAME_CLOSE, true, f->p, MIN(f->n, sizeof(code)));
        l->closing = true;
        conn_cut(l->exchange->conn);
}

void live_receive(Live *l, Buf *in) {
        Frame f;
        int r;

        while ((r = frame_read(&l->frames, in, &f)) > 0) {
                if (f.opcode == FRAME_CLOSE) {
                        on_close(l, &f);
                        return;
                }
                if (f.opcode == FRAME_PING)
                        frame_write(out_of(l), FRAME_PONG, true, f.p, f.n);
                else if (f.opcode != FRAME_PONG && !l->closing)
                        on_message(l, &f);
        }
        if (r < 0) {
                close_with(l, 1002, l->frames.fault);
                conn_cut(l->exchange->conn);
        }
}

/* --- the session --- */

bool live_path(const Request *q) {
        static const char *const versions[] = { "v1beta", "v1alpha", "v1" };
        const char *rest = startswith(q->path, "/ws/google.ai.generativelanguage.");

        for (size_t i = 0; rest && i < ELEMENTSOF(versions); i++) {
                const char *method = startswith(rest, versions[i]);

                if (method && streq(method, ".GenerativeService.BidiGenerateContent"))
                        return streq(q->method, "GET");
        }
        return false;
}

int live_new(Exchange *e, const Request *q, const char *key, Live **ret) {
        const char *version = request_header(q, "sec-websocket-version");
        const char *upgrade = request_header(q, "upgrade");
        char accept[FRAME_ACCEPT_MAX];
        Live *l;

        if (!upgrade || !strcaseeq(upgrade, "websocket") || !version || !streq(version, "13") ||
            !strcasestr(strempty(request_header(q, "connection")), "upgrade") ||
            frame_accept(request_header(q, "sec-websocket-key"), accept) < 0)
                return -EINVAL;
        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        *l = (Live){ .exchange = e, .frames = FRAME_READER_INIT, .timer.fire = on_timer };
        l->key = strdup(key);
        if (!l->key)
                abort();
        conn_upgrade(e->conn);
        (void) buf_printf(conn_out(e->conn),
                          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Accept: %s\r\n\r\n",
                          accept);
        *ret = l;
        return 0;
}

Live *live_free(Live *l) {
        if (!l)
                return NULL;
        timer_disarm(l->exchange->sim->loop, &l->timer);
        frame_reader_done(&l->frames);
        action_unref(l->action);
        free(l->steps);
        free(l->key);
        free(l->model);
        free(l);
        return NULL;
}

uint64_t live_sent(const Live *l) {
        return l->n_sent;
}
