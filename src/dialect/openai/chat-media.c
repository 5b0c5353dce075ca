/* SPDX-License-Identifier: MIT */

/* Images in Gemini's answer, by CHAT_IMAGES. Their data is base64 in both protocols. */

#include "dialect/openai/answer.h"

static bool is_type(const GeminiPart *p, const char *beginning) {
        char type[16];

        json_view_copy(p->type, type, sizeof(type));
        return strncasecmp(type, beginning, strlen(beginning)) == 0;
}

/* A data: URL within a string of JSON. */
static void write_url(const GeminiPart *p, Buf *out) {
        (void) buf_puts(out, "data:");
        (void) buf_append(out, p->type.p + 1, (size_t) (p->type.end - p->type.p) - 2);
        (void) buf_puts(out, ";base64,");
        (void) buf_append(out, p->data.p + 1, (size_t) (p->data.end - p->data.p) - 2);
}

static void write_image(const GeminiPart *p, unsigned index, Buf *out) {
        (void) buf_printf(out, "{\"index\":%u,\"type\":\"image_url\",\"image_url\":{\"url\":\"", index);
        write_url(p, out);
        (void) buf_puts(out, "\"}}");
}

static void add_image(OpenaiChat *chat, size_t index, const GeminiPart *p, Buf *out) {
        OpenaiChoice *choice = &chat->choices[index];

        if (!translation_streams(&chat->t)) {
                if (choice->n_images > 0)
                        (void) buf_putc(&choice->media, ',');
                write_image(p, choice->n_images++, &choice->media);
                return;
        }
        openai_chunk_open(chat, index, out);
        (void) buf_puts(out, "{\"images\":[");
        write_image(p, choice->n_images++, out);
        (void) buf_puts(out, "]}");
        openai_chunk_close(chat, out);
}

static void add_markdown(OpenaiChat *chat, const GeminiPart *p) {
        (void) buf_puts(&chat->text, "\n![image](data:");
        (void) json_view_append(p->type, &chat->text);
        (void) buf_puts(&chat->text, ";base64,");
        (void) json_view_append(p->data, &chat->text);
        (void) buf_puts(&chat->text, ")\n");
}

bool openai_media_add(OpenaiChat *chat, size_t index, const GeminiPart *p, Buf *out) {
        if (p->type.end - p->type.p < 3 || p->data.end - p->data.p < 3 || !is_type(p, "image/"))
                return false;
        if (chat->images != CHAT_IMAGES_MEMBER)
                add_markdown(chat, p);
        if (chat->images != CHAT_IMAGES_MARKDOWN)
                add_image(chat, index, p, out);
        return chat->images != CHAT_IMAGES_MARKDOWN;
}

void openai_media_write(const OpenaiChat *chat, size_t index, JWriter *w) {
        const OpenaiChoice *choice = &chat->choices[index];

        if (choice->n_images == 0)
                return;
        jwrite_array(w, "images");
        (void) buf_append(w->buf, buf_data(&choice->media), choice->media.n);
        jwrite_end(w);
}
