/* SPDX-License-Identifier: MIT */

/* The table of settings as --help and as docs/CONFIG.md. */

#include <string.h>

#include "config/internal.h"

#define HELP_COLUMN 24

void config_allowed(const Setting *s, Buf *out) {
        (void) buf_puts(out, s->type->allowed);
        if (!s->type->show_bound)
                return;
        (void) buf_puts(out, " from ");
        s->type->show_bound(s->min, out);
        (void) buf_puts(out, " to ");
        s->type->show_bound(s->max, out);
}

void config_help(Buf *out) {
        (void) buf_puts(out, "Settings, in the environment or the env file (see docs/CONFIG.md):\n\n");
        for (size_t i = 0; i < config_n_settings; i++) {
                const Setting *s = config_settings + i;

                (void) buf_printf(out, "  %-*s%s", HELP_COLUMN - 2, s->name, s->help);
                if (*s->initial)
                        (void) buf_printf(out, " (default %s)", s->initial);
                (void) buf_printf(out, "\n%*s", HELP_COLUMN, "");
                config_allowed(s, out);
                (void) buf_putc(out, '\n');
        }
}

/* clang-format off */
static const char markdown_head[] =
        "<!-- Generated from the table of settings (src/config/table.c, config/help.c). Change it there;\n"
        "the unit test `config` writes this page when GEMGATE_WRITE_DOCS is set. -->\n"
        "# Configuration\n"
        "\n"
        "gemgated needs no configuration file: every setting has a default. Two settings are needed at\n"
        "first: `API_KEYS`, your Gemini API keys, and `ALLOWED_TOKENS`, your clients' tokens.\n"
        "`gemgated --check-config` reads all settings as a start does, prints what is wrong, and exits.\n"
        "\n"
        "## Where settings come from\n"
        "A later source overrides an earlier one: its value replaces the whole setting; lists are not\n"
        "merged.\n"
        "\n"
        "1. The defaults below.\n"
        "2. The env file: `--env-file=FILE`, else `gemgate.env` in the directory of `--config-dir`,\n"
        "   else `./.env`, if it exists.\n"
        "3. The environment. Secrets are removed from it at the start, so that `/proc` does not show\n"
        "   them.\n"
        "4. The files `api-keys`, `allowed-tokens`, `admin-tokens`, `upstream-proxy` and\n"
        "   `project-proxies` in the directory of `--config-dir`. A file that has only comments sets\n"
        "   nothing.\n"
        "5. Files of the same names in `$CREDENTIALS_DIRECTORY` (systemd's `LoadCredential=`).\n"
        "\n"
        "An empty value means the default. A name in the env file that differs from a setting's in one or\n"
        "two letters is an error: it is most likely a mistake. Another name that is not a setting gives a\n"
        "warning, unless it is a variable of compose (`COMPOSE_…`) or of packaging/compose.yaml.\n"
        "\n"
        "The value of MODEL_RULES may also be the absolute path of a file (see MODELS.md).\n"
        "\n"
        "Each of these files must be a regular file: a pipe (such as the shell's `<(…)`), a device or a\n"
        "directory is refused. A file that every user of the machine may write, or may replace because of\n"
        "a directory's mode, gives a warning. So does, with `--check-config`, a file of secrets that every\n"
        "user can read; if a directory above it keeps them away, its own mode does not matter.\n"
        "\n"
        "Proxies on the way to Google (ROUTING.md) are UPSTREAM_PROXY and PROJECT_PROXIES; a key of\n"
        "`API_KEYS` may have a `\"proxy\"`, too. Without them it is the one of the environment, as for\n"
        "curl: `HTTPS_PROXY`, or `ALL_PROXY`, and `NO_PROXY` for exceptions. What goes to loopback never\n"
        "passes a proxy. User and password of a proxy are never shown.\n"
        "\n"
        "## How values are written\n"
        "- Durations as in systemd: `10s`, `500ms`, `2min`, `1h 30min`. A plain number is seconds.\n"
        "- Sizes: `512`, `32K`, `32M`, `32MiB`, `1G`, in powers of 1024.\n"
        "- Yes or no: `yes`, `true`, `on`, `1`; `no`, `false`, `off`, `0`.\n"
        "- Lists: a JSON array, or entries separated by commas or newlines. In the files `api-keys`,\n"
        "  `allowed-tokens` and `admin-tokens`, and in a value of several lines, a `#` at the beginning of\n"
        "  a line or after a blank begins a comment.\n"
        "\n"
        "A key in `API_KEYS` is any text without blanks; its beginning and length do not matter. A key or\n"
        "token can have a name, which is shown instead of a number: `NAME = KEY`, with blanks around the\n"
        "`=`. An entry may also be an object:\n"
        "`{\"key\": \"…\", \"name\": \"…\", \"project\": \"…\", \"proxy\": \"…\", \"disabled\": true}`,\n"
        "for a token `{\"token\": \"…\", \"name\": \"…\"}`. So the file `api-keys` can be:\n"
        "\n"
        "    # one a line\n"
        "    AIzaSy…\n"
        "    work = AIzaSy…   # this one has a name\n"
        "    {\"key\": \"AIzaSy…\", \"name\": \"home\", \"project\": \"my-project\"}\n"
        "\n"
        "Quotas belong to Google projects. If several keys belong to one project, name the project;\n"
        "otherwise each key counts as a separate project. A token in both lists is an admin token.\n"
        "\n"
        "An address in ALLOWED_IPS or TRUSTED_PROXIES with bits behind its prefix (`10.0.0.5/8`) means the\n"
        "whole network, and gives a warning.\n"
        "\n"
        "GEMINI_BASE_URL may end in the API's version, as in many other programs: `/v1beta`, `/v1`,\n"
        "`/v1beta/openai` and the like are left out, which is logged. gemgate adds the version itself.\n"
        "\n"
        "UPSTREAM_CA_FILE is for a Gemini behind a gateway of your own, or behind a proxy that intercepts\n"
        "TLS: a file of certificates in PEM, `/etc/gemgate/ca.pem`, which gemgated can read. They take the\n"
        "place of the system's; for both, write both into the file. A file that is missing or has no\n"
        "certificate is refused, and each reload reads it again. An `https://` proxy's own certificate is\n"
        "verified with the system's.\n"
        "\n"
        "UPSTREAM_WARM saves the first request after a pause the time that a new connection takes, three\n"
        "round trips. `yes`: one to GEMINI_BASE_URL is made at the start and after a reload, idle ones are\n"
        "not closed after a minute, and if the last one ends, another is made after a second, or after up\n"
        "to a minute if the next ones end, too. It has no effect with a proxy for all keys.\n"
        "\n"
        "GEMINI_STORE is about Google's storage of prompts and answers, which is the default of new paid\n"
        "projects. `off`: each translated request has `store: false`. `client`: it has the client's\n"
        "`store`, or else false. `project`: it has none, so the project's setting decides. A client's\n"
        "`store: false` is always passed on. A server that is not Google's may refuse the member. So it\n"
        "only gets one if GEMINI_STORE is set, or the client has sent one. Requests in Gemini's own\n"
        "protocol are passed on unchanged.\n"
        "\n"
        "RESPONSES_STORE is about responses of OpenAI's Responses API, which clients name later by\n"
        "`previous_response_id` or `item_reference`. `memory`: they are kept for an hour since their last\n"
        "use, or until the daemon ends. `state`: they are in the state file, too (STATE_URL), and outlive\n"
        "a restart; without a state file it is `memory`, with a warning. `off`: none are kept, and a\n"
        "request that names one gets a 400. A request with `store: false` is never kept, and no client\n"
        "finds another client's responses.\n"
        "\n"
        "Each line of the env file is `NAME=VALUE`. It may use `#` comments, `export`, single and double\n"
        "quotes (also around several lines), and JSON without quotes: `API_KEYS=[\"a\",\"b\"]`. systemd\n"
        "(`EnvironmentFile=`) and compose (`env_file:`) each have different rules for such files.\n"
        "`--check-config` warns of a line that systemd or compose would read differently from gemgated.\n"
        "All three read `.env.example` in the same way.\n"
        "\n"
        "## Errors\n"
        "Each error is one line, `SETTING: value: must be …`, with the file and line at its end if the\n"
        "value is from a file. For a secret, the line shows only its place in the list and its mask. In\n"
        "the value of any other setting, what may be a secret in the wrong place is covered with stars.\n"
        "After an error gemgated exits with status 78, or with 77 if it may not read a file; at a reload\n"
        "nothing changes.\n"
        "\n"
        "If `LISTEN` or a passed socket has an address beyond loopback, there must be a client token, and\n"
        "all tokens must have at least 16 characters; on loopback, fewer than eight give a warning. A\n"
        "token must differ from the API keys; one that looks like a key of Google's gives a warning. An\n"
        "API key in a setting that is not for keys is refused. The example keys and tokens of\n"
        "`.env.example` are refused. A time zone that is not installed is an error. A Gemini CLI that is\n"
        "to be used and is not installed is a warning.\n"
        "\n"
        "## Settings\n"
        "`systemctl reload gemgated`, `gemgatectl reload` and SIGHUP read the configuration again. All of\n"
        "it is checked first. If there is an error, nothing changes and the error is reported. Changed\n"
        "reloadable settings apply to new requests; open requests keep the settings that they began with.\n"
        "A key that stays keeps its health and counters; a removed key is not picked any more. All other\n"
        "settings, the environment and the credentials are fixed until a restart. If one of these has\n"
        "changed, the reload logs its name.\n"
        "\n"
        "| setting | default | meaning | must be | reloadable |\n"
        "|---|---|---|---|---|\n";
/* clang-format on */

/* One cell of the table, with each | escaped, since a | would end the cell. */
static void put_cell(Buf *out, const char *s, size_t n) {
        for (size_t i = 0; i < n; i++) {
                if (s[i] == '|')
                        (void) buf_putc(out, '\\');
                (void) buf_putc(out, s[i]);
        }
}

void config_markdown(Buf *out) {
        (void) buf_puts(out, markdown_head);
        for (size_t i = 0; i < config_n_settings; i++) {
                _cleanup_buf_ Buf allowed = BUF_INIT(1024);
                const Setting *s = config_settings + i;

                config_allowed(s, &allowed);
                (void) buf_printf(out, "| %s | ", s->name);
                if (*s->initial)
                        (void) buf_printf(out, "`%s`", s->initial);
                else
                        (void) buf_puts(out, "–");
                (void) buf_puts(out, " | ");
                put_cell(out, s->help, strlen(s->help));
                (void) buf_puts(out, " | ");
                put_cell(out, buf_cstr(&allowed) ?: "", allowed.n);
                (void) buf_printf(out, " | %s |\n", s->reloadable ? "yes" : "no");
        }
}
