/* SPDX-License-Identifier: MIT */
#include "dialect/anthropic/client-tools.h"

#include "base/macros.h"

#define STRING(what)  "{\"type\":\"string\",\"description\":\"" what "\"}"
#define INTEGER(what) "{\"type\":\"integer\",\"description\":\"" what "\"}"
#define PLACE(what)                                                                                        \
        "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":2,\"maxItems\":2,"               \
        "\"description\":\"" what "\"}"

/* The commands and their members are those that Anthropic documents for each tool. */
static const AnthropicClientTool tools[] = {
        { "bash", "\"bash\"",
          "\"Runs a command in a bash shell that stays open between calls, and returns its output.\"",
          "{\"type\":\"object\",\"properties\":{\"command\":" STRING("the command, unless restart is true")
          ",\"restart\":{\"type\":\"boolean\",\"description\":\"restart the shell\"}}}" },
        { "text_editor", "\"str_replace_based_edit_tool\"",
          "\"Views, creates and edits text files.\"",
          "{\"type\":\"object\",\"properties\":{\"command\":{\"type\":\"string\",\"enum\":[\"view\","
          "\"create\",\"str_replace\",\"insert\"]},\"path\":" STRING("absolute path of a file or directory")
          ",\"file_text\":" STRING("of create: the content of the file")
          ",\"old_str\":" STRING("of str_replace: the text to replace, which must be there once")
          ",\"new_str\":" STRING("of str_replace and insert: the new text")
          ",\"insert_line\":" INTEGER("of insert: the line after which the text comes; 0: the beginning")
          ",\"insert_text\":" STRING("of insert: the text")
          ",\"view_range\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"description\":\"of view: "
          "the first and the last line; -1: the last one of the file\"}},\"required\":[\"command\","
          "\"path\"]}" },
        { "memory", "\"memory\"",
          "\"Stores and retrieves notes in files under /memories, which later conversations can read.\"",
          "{\"type\":\"object\",\"properties\":{\"command\":{\"type\":\"string\",\"enum\":[\"view\","
          "\"create\",\"str_replace\",\"insert\",\"delete\",\"rename\"]},\"path\":" STRING(
                  "path under /memories")
          ",\"view_range\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}"
          ",\"file_text\":" STRING("of create: the content of the file")
          ",\"old_str\":" STRING("of str_replace: the text to replace")
          ",\"new_str\":" STRING("of str_replace: the new text")
          ",\"insert_line\":" INTEGER("of insert: the line after which the text comes")
          ",\"insert_text\":" STRING("of insert: the text")
          ",\"old_path\":" STRING("of rename: the path")
          ",\"new_path\":" STRING("of rename: the new path") "},\"required\":[\"command\"]}" },
        { "computer", "\"computer\"",
          "\"Controls the mouse and the keyboard of a computer, and takes screenshots.\"",
          "{\"type\":\"object\",\"properties\":{\"action\":{\"type\":\"string\",\"enum\":[\"key\",\"type\","
          "\"mouse_move\",\"left_click\",\"left_click_drag\",\"right_click\",\"middle_click\","
          "\"double_click\",\"triple_click\",\"left_mouse_down\",\"left_mouse_up\",\"scroll\",\"hold_key\","
          "\"wait\",\"screenshot\",\"cursor_position\",\"zoom\"]},\"coordinate\":" PLACE("x and y in pixels")
          ",\"start_coordinate\":" PLACE("of left_click_drag: where it begins")
          ",\"text\":" STRING("of type: the text; of key and hold_key: the keys, such as ctrl+s")
          ",\"scroll_direction\":{\"type\":\"string\",\"enum\":[\"up\",\"down\",\"left\",\"right\"]}"
          ",\"scroll_amount\":" INTEGER("how many clicks of the wheel")
          ",\"duration\":{\"type\":\"number\",\"description\":\"of wait and hold_key: seconds\"}"
          ",\"region\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"description\":\"of zoom: x0, "
          "y0, x1, y1\"}},\"required\":[\"action\"]}" },
};

const AnthropicClientTool *anthropic_client_tool(unsigned long i) {
        return i < ELEMENTSOF(tools) ? &tools[i] : NULL;
}
