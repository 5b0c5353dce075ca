/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>

#include "base/text.h"
#include "sim-script.h"

#define PROJECTS_MAX 64U

struct Script {
        ModelList *models;
        Rule *rules;
        size_t n_rules;
        size_t n_allocated;
        Action *fallback;
        struct {
                char *key, *name;
        } projects[PROJECTS_MAX];
        size_t n_projects;
        SignatureDemand signatures;
        bool refuses_unmatched;
};

/* One line of the text, and the lines of its here-document. */
typedef struct Lines {
        char *next;
        unsigned line;
} Lines;

static const struct {
        const char *name;
        const char *verb;
} verb_names[] = {
        { "generate", "generateContent" },
        { "stream", "streamGenerateContent" },
        { "count", "countTokens" },
        { "embed", "embedContent" },
        { "embed-batch", "batchEmbedContents" },
        { "models", "list" },
        { "live", "bidiGenerateContent" },
};

static void rule_done(Rule *rule) {
        free(rule->key);
        free(rule->model);
        free(rule->verb);
        free(rule->body);
        holds_done(&rule->holds);
        action_unref(rule->action);
}

int script_new(ModelList *models, Script **ret) {
        _cleanup_(script_freep) Script *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        s->models = models;
        r = action_new(&s->fallback);
        if (r < 0)
                return r;
        s->fallback->label = strdup("default");
        if (!s->fallback->label)
                return -ENOMEM;
        *ret = TAKE_PTR(s);
        return 0;
}

void script_clear(Script *s) {
        for (size_t i = 0; i < s->n_rules; i++)
                rule_done(&s->rules[i]);
        s->n_rules = 0;
        s->signatures = SIGNATURES_STRICT;
        s->refuses_unmatched = false;
        while (s->n_projects > 0) {
                s->n_projects--;
                free(s->projects[s->n_projects].key);
                free(s->projects[s->n_projects].name);
        }
}

const char *script_project(const Script *s, const char *key) {
        for (size_t i = 0; i < s->n_projects; i++)
                if (streq(s->projects[i].key, key))
                        return s->projects[i].name;
        return key;
}

static int add_project(Script *s, char *line) {
        char *name = line + strcspn(line, " "), *k;

        if (!*name || s->n_projects == PROJECTS_MAX)
                return -EINVAL;
        *name++ = 0;
        k = strdup(line);
        name = strdup(text_strip(name));
        if (!k || !name) {
                free(k);
                free(name);
                return -ENOMEM;
        }
        s->projects[s->n_projects].key = k;
        s->projects[s->n_projects++].name = name;
        return 0;
}

static int set_signatures(Script *s, const char *demand) {
        static const char *const names[] = {
                [SIGNATURES_STRICT] = "strict",
                [SIGNATURES_ANY] = "any",
                [SIGNATURES_OFF] = "off",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(names[i], demand)) {
                        s->signatures = (SignatureDemand) i;
                        return 0;
                }
        return -EINVAL;
}

SignatureDemand script_signatures(const Script *s) {
        return s->signatures;
}

bool script_refuses_unmatched(const Script *s) {
        return s->refuses_unmatched;
}

Script *script_free(Script *s) {
        if (!s)
                return NULL;
        script_clear(s);
        free(s->rules);
        action_unref(s->fallback);
        free(s);
        return NULL;
}

Action *script_default(Script *s) {
        return s->fallback;
}

/* --- matching --- */

static bool fits(const char *pattern, const char *s) {
        return !pattern || (strpbrk(pattern, "*?[") ? fnmatch(pattern, s, 0) == 0 : streq(pattern, s));
}

/* A rule without a method is about generating: a request for the list of models must not use up such a
 * rule. */
static bool fits_verb(const Rule *rule, const char *verb) {
        return rule->verb ? fits(rule->verb, verb)
                          : streq(verb, "generateContent") || streq(verb, "streamGenerateContent");
}

static bool rule_fits(const Rule *rule, const ScriptRequest *q) {
        return rule->left > 0 && (rule->hop == UINT64_MAX || rule->hop == q->hop) &&
               fits(rule->key, q->key) && fits(rule->model, q->model) &&
               fits_verb(rule, q->verb) &&
               (!rule->body || memmem(q->body, q->n_body, rule->body, strlen(rule->body))) &&
               holds_fits(&rule->holds, q->json);
}

Rule *script_match(Script *s, const ScriptRequest *q) {
        for (size_t i = 0; i < s->n_rules; i++)
                if (s->rules[i].skip == 0 && rule_fits(&s->rules[i], q))
                        return &s->rules[i];
        return NULL;
}

void script_take(Script *s, Rule *taken, const ScriptRequest *q) {
        for (size_t i = 0; i < s->n_rules && &s->rules[i] != taken; i++)
                if (s->rules[i].skip > 0 && rule_fits(&s->rules[i], q))
                        s->rules[i].skip--;
        if (taken && taken->left != UINT64_MAX)
                taken->left--;
}

/* --- reading --- */

static char *next_line(Lines *l) {
        char *line = l->next, *end;

        if (!*line)
                return NULL;
        l->line++;
        end = strchrnul(line, '\n');
        l->next = *end ? end + 1 : end;
        *end = 0;
        if (end > line && end[-1] == '\r')
                end[-1] = 0;
        return line;
}

/* `… <<END` at a word's beginning: takes the lines up to END. 1 if there was one. */
static int take_block(Lines *l, const char *line, char **ret) {
        _cleanup_buf_ Buf block = BUF_INIT(SCRIPT_MAX);
        _cleanup_free_ char *word = NULL;
        const char *mark = strstr(line, " <<");
        char *s;

        if (!mark)
                return 0;
        mark += 3;
        word = strndup(mark, strcspn(mark, TEXT_WHITESPACE));
        if (!word)
                return -ENOMEM;
        if (!*word)
                return -EINVAL;

        while ((s = next_line(l))) {
                if (streq(s + strspn(s, TEXT_WHITESPACE), word)) {
                        int r = buf_steal(&block, ret, NULL);

                        return r < 0 ? r : 1;
                }
                (void) buf_printf(&block, "%s%s", block.n > 0 ? "\n" : "", s);
        }
        return -EINVAL;
}

/* key=…, model=…, method=…, body="…", times=N, skip=N; result="…", sha256=…, property=… may be repeated */
static int set_condition(Rule *rule, const char *name, const char *value, const char **ret_wrong) {
        const struct {
                const char *name;
                char **text;
                uint64_t *number;
                char **lines;
        } conditions[] = {
                { "key", .text = &rule->key },     { "model", .text = &rule->model },
                { "method", .text = &rule->verb }, { "verb", .text = &rule->verb },
                { "body", .text = &rule->body },   { "times", .number = &rule->left },
                { "skip", .number = &rule->skip }, { "hop", .number = &rule->hop },
                { "result", .lines = &rule->holds.results },
                { "sha256", .lines = &rule->holds.digests },
                { "property", .lines = &rule->holds.properties },
        };

        *ret_wrong = "its value is no number";
        for (size_t i = 0; i < ELEMENTSOF(conditions); i++) {
                if (!streq(conditions[i].name, name))
                        continue;
                if (conditions[i].lines)
                        return holds_add(conditions[i].lines, value);
                if (conditions[i].number)
                        return text_parse_u64(value, conditions[i].number);
                for (size_t k = 0; k < ELEMENTSOF(verb_names) && conditions[i].text == &rule->verb; k++)
                        if (streq(verb_names[k].name, value))
                                value = verb_names[k].verb;
                free(*conditions[i].text);
                *conditions[i].text = strdup(value);
                return *conditions[i].text ? 0 : -ENOMEM;
        }
        *ret_wrong = "unknown condition";
        return -EINVAL;
}

static int parse_conditions(Rule *rule, char *s, char **ret_error) {
        for (;;) {
                char *value, *end;
                const char *wrong = "is no NAME=VALUE";
                int r = -EINVAL;

                s += strspn(s, TEXT_WHITESPACE);
                if (!*s)
                        return 0;
                if (startswith(s, "*") && (!s[1] || strchr(TEXT_WHITESPACE, s[1]))) {
                        s++;
                        continue;
                }
                value = s + strcspn(s, "=" TEXT_WHITESPACE);
                if (*value == '=') {
                        *value++ = 0;
                        end = value;
                        if (*end == '"') {
                                value++;
                                end = strchrnul(value, '"');
                        } else
                                end += strcspn(end, TEXT_WHITESPACE);
                        if (*end)
                                *end++ = 0;
                        r = set_condition(rule, s, value, &wrong);
                } else
                        end = value;
                if (r < 0) {
                        if (r == -ENOMEM || asprintf(ret_error, "`%s`: %s", s, wrong) < 0)
                                return -ENOMEM;
                        return -EINVAL;
                }
                s = end;
        }
}

/* The colon between the two sides: a separate word, or the end of one. */
static char *find_colon(char *line) {
        bool quoted = false;

        for (char *p = line; *p; p++) {
                quoted = quoted ^ (*p == '"');
                if (*p == ':' && !quoted && (!p[1] || strchr(TEXT_WHITESPACE, p[1])))
                        return p;
        }
        return NULL;
}

static int parse_rule(Script *s, Lines *l, char *line, char **ret_error) {
        _cleanup_free_ char *block = NULL;
        Rule rule = { .left = UINT64_MAX, .hop = UINT64_MAX, .line = l->line };
        char *colon;
        int r;

        if (s->n_rules == SCRIPT_RULES_MAX)
                return -E2BIG;
        if (s->n_rules == s->n_allocated) {
                size_t n = MAX(s->n_allocated * 2, 16U);
                Rule *rules = realloc(s->rules, n * sizeof(*rules));

                if (!rules)
                        return -ENOMEM;
                s->rules = rules;
                s->n_allocated = n;
        }

        colon = find_colon(line);
        if (!colon) {
                *ret_error = strdup("no `:` between conditions and behaviour");
                return -EINVAL;
        }
        *colon = 0;

        r = take_block(l, colon + 1, &block);
        if (r == -EINVAL)
                *ret_error = strdup("the here-document has no end");
        if (r >= 0)
                r = parse_conditions(&rule, line, ret_error);
        if (r >= 0)
                r = action_parse(text_strip(colon + 1), block, &rule.action, ret_error);
        if (r < 0) {
                rule_done(&rule);
                return r;
        }
        s->rules[s->n_rules++] = rule;
        return 0;
}

static int parse_line(Script *s, Lines *l, char *line, char **ret_error) {
        char *rest;

        line = text_strip(line);
        if (!*line || *line == '#')
                return 0;

        if ((rest = (char *) startswith(line, "model ")) && !find_colon(line))
                return model_list_add(s->models, text_strip(rest));
        if ((rest = (char *) startswith(line, "project ")) && !find_colon(line))
                return add_project(s, text_strip(rest));
        if ((rest = (char *) startswith(line, "signatures ")) && !find_colon(line))
                return set_signatures(s, text_strip(rest));
        if (streq(line, "unmatched refuse")) {
                s->refuses_unmatched = true;
                return 0;
        }
        if ((rest = (char *) startswith(line, "no-model ")) && !find_colon(line)) {
                model_list_remove(s->models, text_strip(rest));
                return 0;
        }
        return parse_rule(s, l, line, ret_error);
}

int script_append(Script *s, const char *text, char **ret_error) {
        _cleanup_free_ char *copy = strdup(text), *error = NULL;
        size_t n_before = s->n_rules;
        Lines l = { .next = copy };
        char *line;
        int r = 0;

        if (!copy)
                return -ENOMEM;
        while (r >= 0 && (line = next_line(&l))) {
                unsigned at = l.line;

                r = parse_line(s, &l, line, &error);
                if (r < 0 && asprintf(ret_error, "line %u: %s", at, error ?: "too much") < 0)
                        *ret_error = NULL;
        }
        if (r < 0)
                while (s->n_rules > n_before)
                        rule_done(&s->rules[--s->n_rules]);
        return r;
}
